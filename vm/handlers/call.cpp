// Calls, returns and tail calls (WebAssembly 3.0, sections 4.6.8 to 4.6.10).
// A call record is 16 bytes, {return pc, caller's frame}. A call into another instance pushes two more units on top of
// it: {caller's instance, -} and {restore_code, -}, so that a return runs `restore` before it reaches the caller.
#include "vm/handlers/call_out.hpp"
#include "vm/handlers/control.hpp"
#include "vm/handlers/pattern.hpp"

namespace tfvm::interpreter {
namespace {

constexpr std::ptrdiff_t record_bytes = 16;

TFVM_INLINE void push_record(Machine& m, const void* first, const void* second) {
  m.records -= record_bytes;
  write(m.records, first);
  write(m.records + 8, second);
}

/// Frames and records must not meet: the callee's frame and `units` more records need room.
TFVM_INLINE void check_stack(const Machine& m, const Byte* frame, std::uint32_t frame_bytes, unsigned units) {
  if (frame + frame_bytes > m.records - record_bytes * static_cast<std::ptrdiff_t>(units)) [[unlikely]]
    raise_trap(m.pc, m.records, TrapKind::CallStackExhausted);
}

/// Continues in `code` of the running instance.
TFVM_INLINE void enter_same_instance(Machine& m, FunctionCode& code, Byte* frame, const Byte* return_pc) {
  // entry before frame_bytes: a translation on another thread publishes them in the other order
  const Byte* entry = code.entry.load(std::memory_order_acquire);
  check_stack(m, frame, code.frame_bytes, 1);
  push_record(m, return_pc, m.frame);
  m.frame = frame;
  m.pc = entry;
}

/// Continues in a function of another instance, below whose record lies one that brings this one back.
TFVM_INLINE void change_instance(Machine& m, const FunctionInstance& callee) {
  set_instance(m, callee.instance->block);
  m.memory = memory_base(instance_of(m));
  m.pc = callee.code->entry.load(std::memory_order_acquire);
}

/// The single result of a host function to the accumulator; who has none or several does not look there.
TFVM_INLINE void result_to_accumulator(Machine& m, const Byte* slots) {
  m.integers[0] = read<std::uint64_t>(slots);
  m.floats[0] = read<double>(slots);
}

/// Calls any function: r0 holds the FunctionInstance, r1 the return pc, operand 0 the frame offset. Pinned registers
/// are free at calls: the translator has spilled them.
TFVM_HANDLER void outcall_enter_reference(TFVM_PARAMETERS) {
  TFVM_MACHINE(m);
  auto* callee = reinterpret_cast<FunctionInstance*>(m.integers[0]);
  const auto* return_pc = reinterpret_cast<const Byte*>(m.integers[1]);
  Byte* callee_frame = m.frame + operand<std::uint32_t>(m, 0);
  if (callee == nullptr) raise_trap(m.pc, m.records, TrapKind::NullFunctionReference);
  if (callee->host != nullptr) {
    check_stack(m, callee_frame, host_frame_bytes(*callee), 0);
    m.memory = call_host_function(m, *callee, callee_frame);
    result_to_accumulator(m, callee_frame);
    m.pc = return_pc;
    TFVM_DISPATCH(m);
  }
  FunctionCode& code = code_of(*callee);
  if (callee->instance->block == instance_of(m)) {
    enter_same_instance(m, code, callee_frame, return_pc);
    TFVM_DISPATCH(m);
  }
  check_stack(m, callee_frame, code.frame_bytes, 3);
  push_record(m, return_pc, m.frame);
  push_record(m, instance_of(m), nullptr);
  push_record(m, restore_code(), nullptr);
  m.frame = callee_frame;
  change_instance(m, *callee);
  TFVM_DISPATCH(m);
}

/// A callee whose type or instance differs, or that traps; or that was never called.
template <bool index_in_accumulator>
TFVM_HANDLER void outcall_call_indirect_slowly(TFVM_PARAMETERS) {
  TFVM_MACHINE(m);
  const std::uint64_t index =
      index_in_accumulator ? m.integers[0] : read<std::uint64_t>(m.frame + operand<std::uint32_t>(m, 12));
  m.integers[0] = reinterpret_cast<std::uint64_t>(
      find_callee(m, operand<std::uint32_t>(m, 4), index, *operand<const DefinedType*>(m, 16)));
  m.integers[1] = reinterpret_cast<std::uint64_t>(m.pc + instruction_bytes(24));
  TFVM_MUSTTAIL return outcall_enter_reference(TFVM_ARGUMENTS(m));
}

template <bool index_in_accumulator>
TFVM_HANDLER void call_indirect(TFVM_PARAMETERS) {
  TFVM_MACHINE(m);
  const std::uint64_t index =
      index_in_accumulator ? m.integers[0] : read<std::uint64_t>(m.frame + operand<std::uint32_t>(m, 12));
  const TableInstance* table = instance_of(m)->tables[operand<std::uint32_t>(m, 4)];
  if (index < table->size) [[likely]] {
    const FunctionInstance* callee = table->elements[index].as_function();
    if (callee != nullptr && callee->type_id == operand<std::uint32_t>(m, 8) && callee->code != nullptr &&
        callee->instance->block == instance_of(m)) [[likely]] {
      enter_same_instance(m, *callee->code, m.frame + operand<std::uint32_t>(m, 0), m.pc + instruction_bytes(24));
      TFVM_DISPATCH(m);
    }
  }
  TFVM_MUSTTAIL return outcall_call_indirect_slowly<index_in_accumulator>(TFVM_ARGUMENTS(m));
}

/// Arguments of a tail call move down to where the frame starts, lowest first.
TFVM_INLINE void move_arguments(Machine& m) {
  const Byte* from = m.frame + operand<std::uint32_t>(m, 0);
  Byte* to = m.frame;
  for (std::uint32_t left = operand<std::uint32_t>(m, 4); left != 0; --left) {
    write(to, read<std::uint64_t>(from));
    asm volatile("" ::: "memory");  // keeps the loop from becoming a call of memmove
    from += 8;
    to += 8;
  }
}

/// Tail call of any function: r0 holds the FunctionInstance; operands 0 and 4 say where the arguments are.
TFVM_HANDLER void outcall_return_call(TFVM_PARAMETERS) {
  TFVM_MACHINE(m);
  auto* callee = reinterpret_cast<FunctionInstance*>(m.integers[0]);
  if (callee == nullptr) raise_trap(m.pc, m.records, TrapKind::NullFunctionReference);
  if (callee->host != nullptr) {
    check_stack(m, m.frame, host_frame_bytes(*callee), 0);
    move_arguments(m);
    m.memory = call_host_function(m, *callee, m.frame);
    result_to_accumulator(m, m.frame);
    return_to_caller(m);
    TFVM_DISPATCH(m);
  }
  FunctionCode& code = code_of(*callee);
  const bool same_instance = callee->instance->block == instance_of(m);
  // Whoever called this function gets its instance back already if the top record does so: the stack stays bounded.
  const bool must_restore = !same_instance && read<const Byte*>(m.records) != restore_code();
  check_stack(m, m.frame, code.frame_bytes, must_restore ? 2 : 0);
  move_arguments(m);
  if (same_instance) {
    m.pc = code.entry.load(std::memory_order_acquire);
    TFVM_DISPATCH(m);
  }
  if (must_restore) {
    push_record(m, instance_of(m), nullptr);
    push_record(m, restore_code(), nullptr);
  }
  change_instance(m, *callee);
  TFVM_DISPATCH(m);
}

/// A function of another instance has returned: its caller's instance comes back, then its caller.
TFVM_HANDLER void outcall_restore(TFVM_PARAMETERS) {
  TFVM_MACHINE(m);
  set_instance(m, read<InstanceBlock*>(m.records));
  m.records += record_bytes;
  m.memory = memory_base(instance_of(m));
  return_to_caller(m);
  TFVM_DISPATCH(m);
}

/// The end of an invocation: the only handlers that return.
template <ResultClass result>
TFVM_HANDLER void exit_invocation([[maybe_unused]] const Byte* pc, [[maybe_unused]] Byte* frame,
                                  [[maybe_unused]] Byte* memory, [[maybe_unused]] Byte* records,
#if defined(TFVM_PRESERVE_NONE)
                                  [[maybe_unused]] InstanceBlock* instance, [[maybe_unused]] std::uint64_t r0,
                                  [[maybe_unused]] std::uint64_t r1, [[maybe_unused]] std::uint64_t r2,
#else
                                  [[maybe_unused]] std::uint64_t r0, [[maybe_unused]] std::uint64_t r1,
#endif
                                  [[maybe_unused]] double f0, [[maybe_unused]] double f1, [[maybe_unused]] double f2) {
  if constexpr (result == ResultClass::Integer) write(frame, r0);
  if constexpr (result == ResultClass::Float) write(frame, f0);
}

constexpr Handler restore_instruction[] = {&outcall_restore};
constexpr Handler exit_instructions[] = {&exit_invocation<ResultClass::None>, &exit_invocation<ResultClass::Integer>,
                                         &exit_invocation<ResultClass::Float>};

}  // namespace

const Byte* restore_code() { return reinterpret_cast<const Byte*>(restore_instruction); }
const Byte* exit_code(ResultClass result) {
  return reinterpret_cast<const Byte*>(&exit_instructions[static_cast<std::size_t>(result)]);
}

TFVM_HANDLER void call_function(TFVM_PARAMETERS) {
  TFVM_MACHINE(m);
  enter_same_instance(m, *operand<FunctionCode*>(m, 8), m.frame + operand<std::uint32_t>(m, 0),
                      m.pc + instruction_bytes(16));
  TFVM_DISPATCH(m);
}

TFVM_HANDLER void call_import(TFVM_PARAMETERS) {
  TFVM_MACHINE(m);
  m.integers[0] = reinterpret_cast<std::uint64_t>(instance_of(m)->imported_functions[operand<std::uint32_t>(m, 4)]);
  m.integers[1] = reinterpret_cast<std::uint64_t>(m.pc + instruction_bytes(8));
  TFVM_MUSTTAIL return outcall_enter_reference(TFVM_ARGUMENTS(m));
}

TFVM_HANDLER void call_reference(TFVM_PARAMETERS) {
  TFVM_MACHINE(m);
  m.integers[0] = read<std::uint64_t>(m.frame + operand<std::uint32_t>(m, 4));
  m.integers[1] = reinterpret_cast<std::uint64_t>(m.pc + instruction_bytes(8));
  TFVM_MUSTTAIL return outcall_enter_reference(TFVM_ARGUMENTS(m));
}

TFVM_HANDLER void call_indirect_slot(TFVM_PARAMETERS) { TFVM_MUSTTAIL return call_indirect<false>(TFVM_FORWARD); }
TFVM_HANDLER void call_indirect_accumulator(TFVM_PARAMETERS) { TFVM_MUSTTAIL return call_indirect<true>(TFVM_FORWARD); }

TFVM_HANDLER void return_call_function(TFVM_PARAMETERS) {
  TFVM_MACHINE(m);
  FunctionCode& code = *operand<FunctionCode*>(m, 8);
  const Byte* entry = code.entry.load(std::memory_order_acquire);
  check_stack(m, m.frame, code.frame_bytes, 0);
  move_arguments(m);
  m.pc = entry;
  TFVM_DISPATCH(m);
}

TFVM_HANDLER void return_call_import(TFVM_PARAMETERS) {
  TFVM_MACHINE(m);
  m.integers[0] = reinterpret_cast<std::uint64_t>(instance_of(m)->imported_functions[operand<std::uint32_t>(m, 8)]);
  TFVM_MUSTTAIL return outcall_return_call(TFVM_ARGUMENTS(m));
}

TFVM_HANDLER void return_call_reference(TFVM_PARAMETERS) {
  TFVM_MACHINE(m);
  m.integers[0] = read<std::uint64_t>(m.frame + operand<std::uint32_t>(m, 8));
  TFVM_MUSTTAIL return outcall_return_call(TFVM_ARGUMENTS(m));
}

TFVM_HANDLER void outcall_return_call_indirect(TFVM_PARAMETERS) {
  TFVM_MACHINE(m);
  const std::uint64_t index = read<std::uint64_t>(m.frame + operand<std::uint32_t>(m, 12));
  m.integers[0] = reinterpret_cast<std::uint64_t>(
      find_callee(m, operand<std::uint32_t>(m, 8), index, *operand<const DefinedType*>(m, 16)));
  TFVM_MUSTTAIL return outcall_return_call(TFVM_ARGUMENTS(m));
}

TFVM_HANDLER void return_slots(TFVM_PARAMETERS) {
  TFVM_MACHINE(m);
  move_arguments(m);
  return_to_caller(m);
  TFVM_DISPATCH(m);
}

TFVM_HANDLER void outcall_translate(TFVM_PARAMETERS) {
  TFVM_MACHINE(m);
  // pc is the address of FunctionCode::lazy_code, and the frame is the callee's
  FunctionCode& code = function_of_lazy_code(m.pc);
  translate_function(m, code);
  check_stack(m, m.frame, code.frame_bytes, 0);
  m.pc = code.entry.load(std::memory_order_acquire);
  TFVM_DISPATCH(m);
}

}  // namespace tfvm::interpreter
