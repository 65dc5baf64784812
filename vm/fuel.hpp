// Fuel: what a guest's work costs, the same for every executor, compiler and pattern list.
// One unit an instruction, charged for a whole region at its entry; bulk operations and host work by the tariff below.
// A region that cannot be paid traps (OutOfFuel) before its first effect.
#pragma once

#include <cstdint>
#include <vector>

#include "decoder/module.hpp"

namespace tfvm {

/// Bytes that memory.fill/copy/init move for one unit beside the instruction's own; elements of tables likewise.
inline constexpr std::uint64_t bulk_bytes_per_fuel = 16;
inline constexpr std::uint64_t bulk_elements_per_fuel = 2;
/// memory.grow and table.grow: a page, or bulk_elements_per_fuel elements, cost one unit each.
inline constexpr std::uint64_t pages_per_fuel = 1;

/// A region: instructions of which all run when the first does, unless the guest ends on the way. It starts in front of
/// the instruction at `offset` and costs `cost` units, never 0.
///
/// Regions start with a body, behind loop, if, else and conditional branches. The region that was left for the body of
/// a block, loop or if goes on behind its end, unless a branch or a return leads from inside past that end; then a new
/// one starts there. Instructions that nothing reaches cost nothing. A branch to a loop lands on the region behind
/// `loop`.
struct FuelRegion {
  std::uint32_t offset;
  std::uint32_t cost;
};

/// The regions of a validated function by offset. Linear time.
/// REQUIRES: the function has a body.
std::vector<FuelRegion> fuel_regions(const Module& module, std::uint32_t function_index);

}  // namespace tfvm
