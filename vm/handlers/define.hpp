// The definition of handler<P>. Included by the files that instantiate handlers; the table only needs the declaration.
#pragma once

#include "vm/handlers/pattern.hpp"

namespace tfvm::interpreter {

template <class P>
TFVM_HANDLER void handler(TFVM_PARAMETERS) {
  TFVM_MACHINE(m);
  if constexpr (P::next == Next::Following) {
    P::template run<0>(m);
    // A fault reports the pc: it must not have moved on before the accesses of the body.
    if constexpr (P::hazard != no_hazard) asm volatile("" : "+r"(m.pc)::"memory");
    m.pc += instruction_bytes(P::size);
    TFVM_DISPATCH(m);
  } else if constexpr (P::next == Next::Branching) {
    if constexpr (P::always) {
      P::template run<0>(m);
      m.pc = operand<const Byte*>(m, P::target_offset);
      if constexpr (Charges<P, Word::ChargedTarget>) run_charge_fuel(m);
      TFVM_DISPATCH(m);
    } else {
      if (P::template run<0>(m)) {
        m.pc = operand<const Byte*>(m, P::target_offset);
        if constexpr (Charges<P, Word::ChargedTarget>) run_charge_fuel(m);
        TFVM_DISPATCH(m);
      }
      m.pc += instruction_bytes(P::size);
      if constexpr (Charges<P, Word::ChargedNext>) run_charge_fuel(m);
      TFVM_DISPATCH(m);
    }
  } else {
    P::template run<0>(m);
    return_to_caller(m);
    TFVM_DISPATCH(m);
  }
}

}  // namespace tfvm::interpreter
