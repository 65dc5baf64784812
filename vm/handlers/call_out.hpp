// How handlers leave for ordinary C++ code and come back: the bookkeeping that deadlines, nested invocations and moved
// memories need, and the services that outcall handlers use.
#pragma once

#include <cstddef>

#include "vm/code_cache.hpp"
#include "vm/execution_context.hpp"
#include "vm/handlers/machine.hpp"

namespace tfvm::interpreter {

/// Marks the time between leaving and returning: signals only take note. REQUIRES: no trap is raised meanwhile.
class CallOut {
 public:
  [[gnu::always_inline]] explicit CallOut(const Machine& m) : context_(*instance_of(m)->context) {
    context_.record_top = m.records;
    context_.in_handlers = false;
    asm volatile("" ::: "memory");
  }
  [[gnu::always_inline]] ~CallOut() {
    asm volatile("" ::: "memory");
    context_.in_handlers = true;
  }
  CallOut(const CallOut&) = delete;
  CallOut& operator=(const CallOut&) = delete;
  ExecutionContext& context() const { return context_; }

 private:
  ExecutionContext& context_;
};

// The machine is passed by value: a handler whose machine has an address would keep it in memory.

/// Base of memory 0 as it is now; null without one.
TFVM_INLINE Byte* memory_base(const InstanceBlock* instance) {
  return instance->memories != nullptr ? instance->memories[0]->base : nullptr;
}

/// Raises what an interrupt left while handlers were not running.
void raise_pending_interrupt(Machine m);
TFVM_INLINE void after_call_out(const Machine& m) {
  if (instance_of(m)->context->pending_interrupt.load(std::memory_order_relaxed) != 0) [[unlikely]]
    raise_pending_interrupt(m);
}

/// Calls a host function with arguments and results at `slots`; raises its trap. Gives the base of memory 0 as it is
/// then.
Byte* call_host_function(Machine m, FunctionInstance& function, Byte* slots);
/// Bytes of slots that a host function's arguments and results need.
std::uint32_t host_frame_bytes(const FunctionInstance& function);
/// The code of a wasm function in the variant of its instance, set at its first use.
FunctionCode& code_of(FunctionInstance& function);
/// bulk::find_callee, raising its trap.
FunctionInstance* find_callee(Machine m, std::uint32_t table, std::uint64_t index, const DefinedType& type);
/// Translates, or raises OutOfMemory.
void translate_function(Machine m, FunctionCode& code);

TFVM_INLINE FunctionCode& function_of_lazy_code(const Byte* pc) {
  return *reinterpret_cast<FunctionCode*>(const_cast<Byte*>(pc) - offsetof(FunctionCode, lazy_code));
}

}  // namespace tfvm::interpreter
