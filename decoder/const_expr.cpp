// Constant expressions: extent and validation (const_expr.hpp).
#include "decoder/const_expr.hpp"

#include <vector>

#include "decoder/decode_types.hpp"
#include "decoder/limits.hpp"

namespace tfvm {
namespace {

class ConstantValidator {
 public:
  ConstantValidator(Module& module, FeatureSet features, std::uint32_t visible_globals)
      : module_(module), features_(features), visible_globals_(visible_globals) {}

  void apply(const Instruction& instruction);
  void finish(ValueType expected, std::uint32_t offset) const;

 private:
  void push(ValueType type, std::uint32_t offset) {
    if (operands_.size() == limits::operand_height)
      fail(ErrorKind::Limit, "too many operands in a constant expression", offset);
    operands_.push_back(type);
  }
  void apply_binary(const Instruction& instruction, ValueType type);
  void apply_global_get(const Instruction& instruction);
  void apply_ref_func(const Instruction& instruction);

  Module& module_;
  FeatureSet features_;
  std::uint32_t visible_globals_;
  std::vector<ValueType> operands_;
};

void ConstantValidator::apply(const Instruction& instruction) {
  module_.features_used.add(info(instruction.op).feature);
  switch (instruction.op) {
    case Op::I32Const: return push(ValueKind::I32, instruction.offset);
    case Op::I64Const: return push(ValueKind::I64, instruction.offset);
    case Op::F32Const: return push(ValueKind::F32, instruction.offset);
    case Op::F64Const: return push(ValueKind::F64, instruction.offset);
    case Op::I32Add:
    case Op::I32Sub:
    case Op::I32Mul: return apply_binary(instruction, ValueKind::I32);
    case Op::I64Add:
    case Op::I64Sub:
    case Op::I64Mul: return apply_binary(instruction, ValueKind::I64);
    case Op::RefNull:
      module_.features_used.add(feature_of(instruction.type));
      return push(instruction.type, instruction.offset);
    case Op::RefFunc: return apply_ref_func(instruction);
    case Op::GlobalGet: return apply_global_get(instruction);
    default:
      fail(ErrorKind::Invalid, "constant expression required: found " + std::string(info(instruction.op).spelling),
           instruction.offset);
  }
}

void ConstantValidator::apply_binary(const Instruction& instruction, ValueType type) {
  require_feature(features_, Feature::ExtendedConst, "arithmetic in a constant expression", instruction.offset);
  module_.features_used.add(Feature::ExtendedConst);
  for (std::size_t i = 1; i <= 2; ++i) {
    if (operands_.size() < i)
      fail(ErrorKind::Invalid, "type mismatch: expected " + to_string(type) + ", found nothing", instruction.offset);
    const ValueType found = operands_[operands_.size() - i];
    if (found != type)
      fail(ErrorKind::Invalid, "type mismatch: expected " + to_string(type) + ", found " + to_string(found),
           instruction.offset);
  }
  operands_.pop_back();
}

void ConstantValidator::apply_global_get(const Instruction& instruction) {
  if (instruction.index >= visible_globals_)
    fail(ErrorKind::Invalid, "unknown global " + std::to_string(instruction.index), instruction.offset);
  const GlobalType& type = module_.globals[instruction.index].type;
  if (type.is_mutable)
    fail(ErrorKind::Invalid,
         "constant expression required: global " + std::to_string(instruction.index) + " is mutable",
         instruction.offset);
  push(type.value, instruction.offset);
}

void ConstantValidator::apply_ref_func(const Instruction& instruction) {
  if (instruction.index >= module_.functions.size())
    fail(ErrorKind::Invalid, "unknown function " + std::to_string(instruction.index), instruction.offset);
  Function& function = module_.functions[instruction.index];
  function.is_declared = true;
  push(ValueType::ref(false, HeapKind::Defined, function.type->id), instruction.offset);
}

void ConstantValidator::finish(ValueType expected, std::uint32_t offset) const {
  std::string found;
  if (operands_.size() == 1 && is_subtype(*module_.registry(), operands_[0], expected)) return;
  if (operands_.empty()) found = "nothing";
  if (operands_.size() == 1) found = to_string(operands_[0]);
  if (operands_.size() > 1) found = std::to_string(operands_.size()) + " values";
  fail(ErrorKind::Invalid, "type mismatch: expected " + to_string(expected) + ", found " + found, offset);
}

}  // namespace

ByteRange skip_expression(Reader& reader, const Module& module, FeatureSet features) {
  const std::uint32_t begin = reader.offset();
  std::uint32_t open_blocks = 0;
  Instruction instruction;
  for (;;) {
    read_instruction(reader, module, features, instruction);
    switch (instruction.op) {
      case Op::Block:
      case Op::Loop:
      case Op::If: ++open_blocks; break;
      case Op::End:
        if (open_blocks == 0) return {begin, reader.offset() - begin};
        --open_blocks;
        break;
      default: break;
    }
  }
}

void validate_constant_expression(Reader& reader, Module& module, FeatureSet features, ValueType expected,
                                  std::uint32_t visible_globals) {
  ConstantValidator validator(module, features, visible_globals);
  Instruction instruction;
  for (;;) {
    read_instruction(reader, module, features, instruction);
    if (instruction.op == Op::End) break;
    validator.apply(instruction);
  }
  validator.finish(expected, instruction.offset);
}

}  // namespace tfvm
