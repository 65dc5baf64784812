// The oracle's machine (oracle.hpp): one function per family of instructions, one class for the stacks.
#include "vm/oracle/oracle.hpp"

#include <algorithm>
#include <unordered_map>
#include <vector>

#include "vm/backtrace.hpp"
#include "vm/bulk.hpp"
#include "vm/call_host.hpp"
#include "vm/guest_memory.hpp"
#include "vm/operators.hpp"
#include "vm/oracle/control_map.hpp"
#include "vm/runtime.hpp"

namespace tfvm::oracle {
namespace {

/// An open block: what a branch to it keeps, and where it goes.
struct Label {
  std::uint32_t continuation;  ///< position of the next step
  std::uint32_t kept;          ///< operands that a branch takes along
  std::size_t height;          ///< of the operand stack below them
  bool is_loop;                ///< a branch leaves the label open
};

struct Frame {
  FunctionInstance* function;
  const Code* code;
  std::uint32_t position;   ///< of the next step
  std::size_t locals;       ///< index of local 0 in the stack; operands are behind the locals
  std::size_t first_label;  ///< labels open in this frame start here
};

template <class Number>
Number to_number(Slot slot) {
  if constexpr (std::is_same_v<Number, float>) return slot.as_f32();
  else if constexpr (std::is_same_v<Number, double>) return slot.as_f64();
  else return static_cast<Number>(slot.bits);
}
template <class Number>
Slot to_slot(Number number) {
  if constexpr (std::is_same_v<Number, float>) return Slot::f32(number);
  else if constexpr (std::is_same_v<Number, double>) return Slot::f64(number);
  else return {number};
}

class Machine {
 public:
  explicit Machine(ExecutionContext& context)
      : context_(context), limit_bytes_(static_cast<std::size_t>(context.record_top - context.frame_top)) {}

  TrapKind run(FunctionInstance& function, Slot* slots) {
    const FunctionType& type = function.type->function();
    stack_.assign(slots, slots + type.params.size());
    TrapKind kind = enter(function);
    while (kind == TrapKind::None && !frames_.empty()) kind = step();
    if (kind == TrapKind::None) {
      std::copy_n(stack_.begin(), type.results.size(), slots);
      return kind;
    }
    while (!frames_.empty()) {
      const Frame& frame = frames_.back();
      append_frame(context_, {frame.function->instance, nullptr, frame.function->function_index,
                              frame.code->steps[frame.position - 1].instruction.offset});
      frames_.pop_back();
    }
    return kind;
  }

 private:
  // ---- The stacks ----

  Slot pop() {
    const Slot slot = stack_.back();
    stack_.pop_back();
    return slot;
  }
  void push(Slot slot) { stack_.push_back(slot); }
  std::uint32_t pop_i32() { return pop().as_i32(); }
  /// An address, index or length, of either address type: an i32 is zero-extended in its slot.
  std::uint64_t pop_address() { return pop().bits; }

  /// Moves the top `count` operands down to `height` and drops what lay between.
  void keep(std::size_t count, std::size_t height) {
    std::copy(stack_.end() - static_cast<std::ptrdiff_t>(count), stack_.end(),
              stack_.begin() + static_cast<std::ptrdiff_t>(height));
    stack_.resize(height + count);
  }

  std::size_t bytes_in_use() const {
    return stack_.size() * sizeof(Slot) + frames_.size() * sizeof(Frame) + labels_.size() * sizeof(Label);
  }

  Frame& frame() { return frames_.back(); }
  ModuleInstance& instance() { return *frame().function->instance; }
  const Module& module() { return instance().module->module(); }

  TrapKind pending_interrupt() const {
    return static_cast<TrapKind>(context_.pending_interrupt.load(std::memory_order_relaxed));
  }

  // ---- Calls ----

  /// Starts a wasm function whose arguments are on top of the stack.
  TrapKind enter(FunctionInstance& function) {
    if (const TrapKind kind = pending_interrupt(); kind != TrapKind::None) return kind;
    Code& code = codes_[&function];
    if (code.type == nullptr) code = make_code(function.instance->module->module(), function.function_index);
    const std::size_t locals = stack_.size() - code.type->params.size();
    if (bytes_in_use() + sizeof(Frame) + code.local_count * sizeof(Slot) > limit_bytes_)
      return TrapKind::CallStackExhausted;
    frames_.push_back({&function, &code, 0, locals, labels_.size()});
    stack_.resize(locals + code.local_count);
    return TrapKind::None;
  }

  TrapKind call(FunctionInstance& function, ModuleInstance& caller) {
    return function.host == nullptr ? enter(function) : call_host_function(function, caller);
  }

  TrapKind call_host_function(FunctionInstance& function, ModuleInstance& caller) {
    const FunctionType& type = function.type->function();
    const std::size_t base = stack_.size() - type.params.size();
    const std::size_t used = bytes_in_use() + type.results.size() * sizeof(Slot);
    if (used > limit_bytes_) return TrapKind::CallStackExhausted;
    stack_.resize(base + std::max({type.params.size(), type.results.size(), std::size_t{1}}));
    context_.frame_top += used;
    HostOutcome outcome = call_host(*context_.store, &caller, function, &stack_[base]);
    context_.frame_top -= used;
    stack_.resize(base + type.results.size());
    if (outcome.kind == TrapKind::None) return pending_interrupt();
    context_.backtrace.clear();  // of an invocation inside of the host function
    context_.omitted_frames = 0;
    append_frame(context_, {nullptr, &function, 0, 0});
    context_.host_message = std::move(outcome.message);
    context_.exit_code = outcome.exit_code;
    return outcome.kind;
  }

  /// A host function runs in front of the return, so that a trap of it still shows who called.
  TrapKind tail_call(FunctionInstance& function) {
    if (function.host == nullptr) {
      leave(function.type->function().params.size());
      return enter(function);
    }
    const TrapKind kind = call_host_function(function, instance());
    if (kind == TrapKind::None) return_from_function();
    return kind;
  }

  /// Ends the frame; its top `count` operands take the place of its arguments.
  void leave(std::size_t count) {
    keep(count, frame().locals);
    labels_.resize(frame().first_label);
    frames_.pop_back();
  }
  void return_from_function() { leave(frame().code->type->results.size()); }

  TrapKind find_indirect(const Instruction& instruction, FunctionInstance*& callee) {
    return bulk::find_callee(instance(), instruction.index2, pop_address(), *module().types[instruction.index], callee);
  }

  TrapKind call_instruction(const Instruction& instruction) {
    FunctionInstance* callee = nullptr;
    TrapKind kind = TrapKind::None;
    switch (instruction.op) {
      case Op::Call:
      case Op::ReturnCall: callee = instance().function(instruction.index); break;
      case Op::CallIndirect:
      case Op::ReturnCallIndirect: kind = find_indirect(instruction, callee); break;
      default:
        callee = pop().as_function();
        if (callee == nullptr) kind = TrapKind::NullFunctionReference;
    }
    if (kind != TrapKind::None) return kind;
    const bool is_tail_call = instruction.op == Op::ReturnCall || instruction.op == Op::ReturnCallIndirect ||
                              instruction.op == Op::ReturnCallRef;
    return is_tail_call ? tail_call(*callee) : call(*callee, instance());
  }

  // ---- Control ----

  TrapKind branch(std::uint32_t depth) {
    const std::size_t open = labels_.size() - frame().first_label;
    if (depth >= open) {
      return_from_function();
      return TrapKind::None;
    }
    const std::size_t index = labels_.size() - 1 - depth;
    const Label label = labels_[index];
    keep(label.kept, label.height);
    labels_.resize(label.is_loop ? index + 1 : index);
    frame().position = label.continuation;
    return label.is_loop ? pending_interrupt() : TrapKind::None;
  }

  void open_block(const Step& step) {
    const bool is_loop = step.instruction.op == Op::Loop;
    labels_.push_back({is_loop ? frame().position : step.end + 1, is_loop ? step.param_count : step.result_count,
                       stack_.size() - step.param_count, is_loop});
  }

  void open_if(const Step& step) {
    if (pop_i32() != 0) return open_block(step);
    frame().position = step.otherwise + 1;
    if (step.otherwise != step.end) open_block(step);
  }

  TrapKind control(const Step& step) {
    const Instruction& instruction = step.instruction;
    switch (instruction.op) {
      case Op::Unreachable: return TrapKind::Unreachable;
      case Op::Block:
      case Op::Loop: open_block(step); return TrapKind::None;
      case Op::If: open_if(step); return TrapKind::None;
      case Op::Else:
        labels_.pop_back();
        frame().position = step.end + 1;
        return TrapKind::None;
      case Op::End:
        if (labels_.size() == frame().first_label) return_from_function();
        else labels_.pop_back();
        return TrapKind::None;
      case Op::Br: return branch(instruction.index);
      case Op::BrIf: return pop_i32() != 0 ? branch(instruction.index) : TrapKind::None;
      case Op::BrTable: {
        const std::uint32_t choice = std::min(pop_i32(), instruction.label_count);
        return branch(frame().code->labels[step.labels + choice]);
      }
      case Op::Return: return_from_function(); return TrapKind::None;
      default: return branch_on_null(instruction);
    }
  }

  TrapKind branch_on_null(const Instruction& instruction) {
    const Slot reference = pop();
    if (!reference.is_null()) push(reference);
    const bool is_taken = reference.is_null() == (instruction.op == Op::BrOnNull);
    return is_taken ? branch(instruction.index) : TrapKind::None;
  }

  // ---- Variables, references, parametric instructions ----

  TrapKind variable(const Instruction& instruction) {
    switch (instruction.op) {
      case Op::LocalGet: push(stack_[frame().locals + instruction.index]); break;
      case Op::LocalSet:
        stack_[frame().locals + instruction.index] = stack_.back();
        pop();
        break;
      case Op::LocalTee: stack_[frame().locals + instruction.index] = stack_.back(); break;
      case Op::GlobalGet: push(*instance().globals[instruction.index].cell); break;
      default: *instance().globals[instruction.index].cell = pop(); break;
    }
    return TrapKind::None;
  }

  TrapKind reference(const Instruction& instruction) {
    switch (instruction.op) {
      case Op::RefNull: push(Slot::null()); break;
      case Op::RefIsNull: push(Slot::i32(pop().is_null() ? 1 : 0)); break;
      case Op::RefFunc: push(Slot::function(instance().function(instruction.index))); break;
      case Op::RefEq: push(Slot::i32(pop().bits == pop().bits ? 1 : 0)); break;
      default: return stack_.back().is_null() ? TrapKind::NullReference : TrapKind::None;  // ref.as_non_null
    }
    return TrapKind::None;
  }

  TrapKind select() {
    const bool takes_first = pop_i32() != 0;
    const Slot second = pop();
    if (!takes_first) stack_.back() = second;
    return TrapKind::None;
  }

  // ---- Memories, tables, segments ----

  TrapKind memory(const Instruction& instruction) {
    const std::uint32_t index = instruction.index;
    switch (instruction.op) {
      case Op::MemorySize: push({instance().memories[index]->pages()}); return TrapKind::None;
      case Op::MemoryGrow: {
        const std::uint64_t delta = pop_address();
        return bulk::memory_grow(instance(), index, delta, push_new());
      }
      case Op::MemoryFill: {
        const std::uint64_t length = pop_address();
        const std::uint32_t value = pop_i32();
        return bulk::memory_fill(instance(), index, pop_address(), value, length);
      }
      case Op::DataDrop: bulk::data_drop(instance(), index); return TrapKind::None;
      default: break;
    }
    const std::uint64_t length = pop_address();
    const std::uint64_t source = pop_address();
    const std::uint64_t destination = pop_address();
    if (instruction.op == Op::MemoryInit)
      return bulk::memory_init(instance(), instruction.index2, index, destination, source, length);
    return bulk::memory_copy(instance(), index, instruction.index2, destination, source, length);
  }

  TrapKind table(const Instruction& instruction) {
    const std::uint32_t index = instruction.index;
    switch (instruction.op) {
      case Op::TableSize: push({instance().tables[index]->size}); return TrapKind::None;
      case Op::TableGet: {
        Slot element;
        const TrapKind kind = bulk::table_get(instance(), index, pop_address(), element);
        push(element);
        return kind;
      }
      case Op::TableSet: {
        const Slot element = pop();
        return bulk::table_set(instance(), index, pop_address(), element);
      }
      case Op::TableGrow: {
        const std::uint64_t delta = pop_address();
        const Slot element = pop();
        return bulk::table_grow(instance(), index, delta, element, push_new());
      }
      case Op::TableFill: {
        const std::uint64_t length = pop_address();
        const Slot element = pop();
        return bulk::table_fill(instance(), index, pop_address(), element, length);
      }
      case Op::ElemDrop: bulk::element_drop(instance(), index); return TrapKind::None;
      default: break;
    }
    const std::uint64_t length = pop_address();
    const std::uint64_t source = pop_address();
    const std::uint64_t destination = pop_address();
    if (instruction.op == Op::TableInit)
      return bulk::table_init(instance(), instruction.index2, index, destination, source, length);
    return bulk::table_copy(instance(), index, instruction.index2, destination, source, length);
  }

  /// A new operand for an operation that writes its result through a reference.
  std::uint64_t& push_new() {
    push({0});
    return stack_.back().bits;
  }

  // ---- Numbers, loads and stores: operators.def ----

  template <Op op>
  TrapKind apply_unary() {
    using Row = Operator<op>;
    const auto a = to_number<typename Row::Operand>(pop());
    const TrapKind kind = Row::check(a);
    if (kind == TrapKind::None) push(to_slot(Row::compute(a)));
    return kind;
  }

  template <Op op>
  TrapKind apply_binary() {
    using Row = Operator<op>;
    const auto b = to_number<typename Row::Operand>(pop());
    const auto a = to_number<typename Row::Operand>(pop());
    const TrapKind kind = Row::check(a, b);
    if (kind == TrapKind::None) push(to_slot(Row::compute(a, b)));
    return kind;
  }

  /// Address plus offset, or the end of all addresses if the sum does not exist.
  std::uint64_t pop_effective_address(const Instruction& instruction) {
    const std::uint64_t address = pop_address();
    return address > UINT64_MAX - instruction.value ? UINT64_MAX : address + instruction.value;
  }

  template <Op op>
  TrapKind apply_load(const Instruction& instruction) {
    const GuestMemory memory(*instance().memories[instruction.index]);
    const auto value = memory.load<typename Operator<op>::Memory>(pop_effective_address(instruction));
    if (!value) return TrapKind::OutOfBoundsMemoryAccess;
    push(to_slot(static_cast<typename Operator<op>::Result>(*value)));
    return TrapKind::None;
  }

  template <Op op>
  TrapKind apply_store(const Instruction& instruction) {
    const auto operand = to_number<typename Operator<op>::Operand>(pop());
    const auto value = static_cast<typename Operator<op>::Memory>(operand);
    const GuestMemory memory(*instance().memories[instruction.index]);
    return memory.store(pop_effective_address(instruction), value) ? TrapKind::None : TrapKind::OutOfBoundsMemoryAccess;
  }

  TrapKind numeric(const Instruction& instruction) {
    switch (instruction.op) {
#define UNARY(op, operand, result, expression) \
  case Op::op: return apply_unary<Op::op>();
#define BINARY(op, operand, result, expression) \
  case Op::op: return apply_binary<Op::op>();
#define UNARY_TRAPPING(op, operand, result, check, expression) UNARY(op, operand, result, expression)
#define BINARY_TRAPPING(op, operand, result, check, expression) BINARY(op, operand, result, expression)
#define LOAD(op, memory, result) \
  case Op::op: return apply_load<Op::op>(instruction);
#define STORE(op, memory, operand) \
  case Op::op: return apply_store<Op::op>(instruction);
#include "vm/operators.def"
#undef UNARY
#undef BINARY
#undef UNARY_TRAPPING
#undef BINARY_TRAPPING
#undef LOAD
#undef STORE
      default: return TrapKind::Unreachable;  // validation lets no other instruction in
    }
  }

  // ---- One step ----

  TrapKind step() {
    const Step& next = frame().code->steps[frame().position++];
    if (next.fuel != 0 && context_.fuel_enabled) {
      context_.fuel -= next.fuel;
      if (context_.fuel < 0) return TrapKind::OutOfFuel;
    }
    const Instruction& instruction = next.instruction;
    switch (instruction.op) {
      case Op::Nop: return TrapKind::None;
      case Op::Drop: pop(); return TrapKind::None;
      case Op::Select:
      case Op::SelectTyped: return select();
      case Op::I32Const:
      case Op::I64Const:
      case Op::F32Const:
      case Op::F64Const: push({instruction.value}); return TrapKind::None;
      case Op::Unreachable:
      case Op::Block:
      case Op::Loop:
      case Op::If:
      case Op::Else:
      case Op::End:
      case Op::Br:
      case Op::BrIf:
      case Op::BrTable:
      case Op::Return:
      case Op::BrOnNull:
      case Op::BrOnNonNull: return control(next);
      case Op::Call:
      case Op::CallIndirect:
      case Op::CallRef:
      case Op::ReturnCall:
      case Op::ReturnCallIndirect:
      case Op::ReturnCallRef: return call_instruction(instruction);
      case Op::LocalGet:
      case Op::LocalSet:
      case Op::LocalTee:
      case Op::GlobalGet:
      case Op::GlobalSet: return variable(instruction);
      case Op::RefNull:
      case Op::RefIsNull:
      case Op::RefFunc:
      case Op::RefEq:
      case Op::RefAsNonNull: return reference(instruction);
      case Op::MemorySize:
      case Op::MemoryGrow:
      case Op::MemoryInit:
      case Op::DataDrop:
      case Op::MemoryCopy:
      case Op::MemoryFill: return memory(instruction);
      case Op::TableGet:
      case Op::TableSet:
      case Op::TableInit:
      case Op::ElemDrop:
      case Op::TableCopy:
      case Op::TableGrow:
      case Op::TableSize:
      case Op::TableFill: return table(instruction);
      default: return numeric(instruction);
    }
  }

  ExecutionContext& context_;
  std::size_t limit_bytes_;
  std::vector<Slot> stack_;
  std::vector<Label> labels_;
  std::vector<Frame> frames_;
  std::unordered_map<const FunctionInstance*, Code> codes_;
};

}  // namespace

TrapKind execute(ExecutionContext& context, FunctionInstance& function, Slot* slots) {
  return Machine(context).run(function, slots);
}

}  // namespace tfvm::oracle
