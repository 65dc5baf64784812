// A stack machine for the dozen constant instructions (constant_expression.hpp).
#include "vm/constant_expression.hpp"

#include "decoder/const_expr.hpp"
#include "vm/operators.hpp"
#include "vm/runtime.hpp"

namespace tfvm {
namespace {

template <Op op>
void apply_binary(std::vector<Slot>& operands) {
  using Number = typename Operator<op>::Operand;
  const auto right = static_cast<Number>(operands.back().bits);
  operands.pop_back();
  operands.back().bits = Operator<op>::compute(static_cast<Number>(operands.back().bits), right);
}

}  // namespace

Slot ConstantEvaluator::evaluate(Reader& reader) {
  operands_.clear();
  for_each_instruction(reader, instance_.module->module(), [&](const Instruction& instruction) {
    switch (instruction.op) {
      case Op::I32Const:
      case Op::I64Const:
      case Op::F32Const:
      case Op::F64Const: return operands_.push_back({instruction.value});
      case Op::GlobalGet: return operands_.push_back(*instance_.globals[instruction.index].cell);
      case Op::RefNull: return operands_.push_back(Slot::null());
      case Op::RefFunc: return operands_.push_back(Slot::function(instance_.function(instruction.index)));
      case Op::I32Add: return apply_binary<Op::I32Add>(operands_);
      case Op::I32Sub: return apply_binary<Op::I32Sub>(operands_);
      case Op::I32Mul: return apply_binary<Op::I32Mul>(operands_);
      case Op::I64Add: return apply_binary<Op::I64Add>(operands_);
      case Op::I64Sub: return apply_binary<Op::I64Sub>(operands_);
      case Op::I64Mul: return apply_binary<Op::I64Mul>(operands_);
      default: return;  // validation lets no other instruction in
    }
  });
  return operands_.back();
}

Slot ConstantEvaluator::evaluate(ByteRange expression) {
  Reader reader(instance_.module->module().bytes(), expression.offset,
                std::size_t{expression.offset} + expression.size);
  return evaluate(reader);
}

}  // namespace tfvm
