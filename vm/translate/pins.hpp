// Which locals of a function live in registers: a scan that weighs uses by loop depth against calls.
#pragma once

#include <cstdint>
#include <vector>

#include "decoder/module.hpp"
#include "vm/handlers/control.hpp"

namespace tfvm::interpreter {

struct Pins {
  std::uint32_t integers[integer_pins];  ///< local in register n + 1, or no_local
  std::uint32_t floats[float_pins];
  PinMask integer_mask = 0;
  PinMask float_mask = 0;
  PinMask written_integers = 0;  ///< pins that the body assigns
  PinMask written_floats = 0;
};
inline constexpr std::uint32_t no_local = UINT32_MAX;

/// Chooses the pins of a validated function. Linear in the body.
Pins choose_pins(const Module& module, std::uint32_t function_index, const std::vector<ValueKind>& locals,
                 std::uint32_t body_offset);

}  // namespace tfvm::interpreter
