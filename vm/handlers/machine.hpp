// The machine that handlers run on: what lies in which register, how a handler reads operands and goes to the next one.
// Threaded code: an internal instruction is the address of its handler and operands; every handler ends in a jump to
// the handler of the next instruction, never in a call (the build checks the object code, .ci/check_handlers.py).
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "vm/instance.hpp"
#include "vm/patterns.hpp"
#include "vm/trap.hpp"

namespace tfvm::interpreter {

#if defined(TFVM_PRESERVE_NONE)
#define TFVM_HANDLER [[gnu::noinline]] __attribute__((preserve_none))
#define TFVM_MUSTTAIL [[clang::musttail]]
#else
#define TFVM_HANDLER [[gnu::noinline]]
#if defined(__clang__)
#define TFVM_MUSTTAIL [[clang::musttail]]
#else
#define TFVM_MUSTTAIL  // g++ 12 makes sibling calls at -O2; the build proves it
#endif
#endif

using Byte = std::uint8_t;

/// The registers of the machine as a value. The optimiser dissolves it; what is live stays in processor registers.
struct Machine {
  const Byte* pc;  ///< the instruction that runs
  Byte* frame;     ///< its function's frame: parameters, locals, temporaries, operand stack; 8-byte slots
  Byte* memory;    ///< base of memory 0
  Byte* records;   ///< the newest call record; they grow down: {return pc, caller's frame}
#if defined(TFVM_PRESERVE_NONE)
  InstanceBlock* instance;
#endif
  std::uint64_t integers[integer_registers];
  double floats[float_registers];
  std::uint64_t previous_integer;  ///< Leaf::Previous
  double previous_float;
};

// The parameter list of every handler, the arguments that continue with `m`, and the way from one to the other.
#if defined(TFVM_PRESERVE_NONE)
#define TFVM_PARAMETERS                                                                                \
  const Byte *pc, Byte *frame, Byte *memory, Byte *records, InstanceBlock *instance, std::uint64_t r0, \
      std::uint64_t r1, std::uint64_t r2, double f0, double f1, double f2
#define TFVM_ARGUMENTS(m)                                                                                   \
  m.pc, m.frame, m.memory, m.records, m.instance, m.integers[0], m.integers[1], m.integers[2], m.floats[0], \
      m.floats[1], m.floats[2]
#define TFVM_MACHINE(m) Machine m{pc, frame, memory, records, instance, {r0, r1, r2}, {f0, f1, f2}, 0, 0}
#define TFVM_FORWARD pc, frame, memory, records, instance, r0, r1, r2, f0, f1, f2
#else
#define TFVM_PARAMETERS                                                                                               \
  const Byte *pc, Byte *frame, Byte *memory, Byte *records, std::uint64_t r0, std::uint64_t r1, double f0, double f1, \
      double f2
#define TFVM_ARGUMENTS(m) \
  m.pc, m.frame, m.memory, m.records, m.integers[0], m.integers[1], m.floats[0], m.floats[1], m.floats[2]
#define TFVM_MACHINE(m) Machine m{pc, frame, memory, records, {r0, r1}, {f0, f1, f2}, 0, 0}
#define TFVM_FORWARD pc, frame, memory, records, r0, r1, f0, f1, f2
/// Without a register for it the instance of the running code lies here.
inline thread_local InstanceBlock* running_instance = nullptr;
#endif

#if defined(TFVM_PRESERVE_NONE)
using Handler = __attribute__((preserve_none)) void (*)(TFVM_PARAMETERS);
#else
using Handler = void (*)(TFVM_PARAMETERS);
#endif

#define TFVM_INLINE [[gnu::always_inline]] static inline

TFVM_INLINE InstanceBlock* instance_of([[maybe_unused]] const Machine& m) {
#if defined(TFVM_PRESERVE_NONE)
  return m.instance;
#else
  return running_instance;
#endif
}
TFVM_INLINE void set_instance([[maybe_unused]] Machine& m, InstanceBlock* instance) {
#if defined(TFVM_PRESERVE_NONE)
  m.instance = instance;
#else
  running_instance = instance;
#endif
}

template <class T>
TFVM_INLINE T read(const Byte* at) {
  T value;
  std::memcpy(&value, at, sizeof value);
  return value;
}
template <class T>
TFVM_INLINE void write(Byte* at, T value) {
  std::memcpy(at, &value, sizeof value);
}

/// The operand of type T at `offset` behind the handler address.
template <class T>
TFVM_INLINE T operand(const Machine& m, unsigned offset) {
  return read<T>(m.pc + handler_bytes + offset);
}

/// Goes to the instruction at m.pc. The last statement of every handler.
#define TFVM_DISPATCH(m) TFVM_MUSTTAIL return read<Handler>(m.pc)(TFVM_ARGUMENTS(m))

/// Leaves the handlers with a trap of the instruction at `pc`. Never returns; frames no destructor.
[[noreturn, gnu::cold, gnu::noinline]] void raise_trap(const Byte* pc, Byte* records, TrapKind kind);

/// Makes sure that what `value` was computed from has happened, in order: a faulting load must not sink below a later
/// check, nor vanish from a select.
template <class T>
TFVM_INLINE void settle(T& value) {
  if constexpr (std::is_floating_point_v<T>) asm volatile("" : "+x"(value));
  else asm volatile("" : "+r"(value));
}
/// A fault reports pc and records from the registers that they were passed in: around an access to linear memory they
/// must still be there. preserve_none leaves them alone; under the C convention the compiler has to be told.
#if defined(TFVM_PRESERVE_NONE)
TFVM_INLINE void pin_for_fault(Machine&) {}
template <class T>
TFVM_INLINE void pin_for_fault(Machine&, T&) {}
#else
template <class T>
TFVM_INLINE void pin_for_fault(Machine& m, T& value) {
  if constexpr (std::is_floating_point_v<T>) asm volatile("" : "+D"(m.pc), "+c"(m.records), "+x"(value));
  else asm volatile("" : "+D"(m.pc), "+c"(m.records), "+r"(value));
}
TFVM_INLINE void pin_for_fault(Machine& m) { asm volatile("" : "+D"(m.pc), "+c"(m.records)::"memory"); }
#endif
TFVM_INLINE void memory_barrier() { asm volatile("" ::: "memory"); }

}  // namespace tfvm::interpreter
