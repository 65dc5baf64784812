// Fuel: what a guest's work costs, the same for every executor, compiler and pattern list.
// One unit an instruction, charged for a whole basic block at its entry; bulk operations and host work by the tariff
// below. A block that cannot be paid traps (OutOfFuel) before its first effect.
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

/// A basic block: it starts in front of the instruction at `offset` and costs `cost` units.
/// Blocks start with a body, and behind loop, if, else, end, br_if, br_on_null and br_on_non_null; they end with these,
/// with br, br_table, return, unreachable and tail calls. Code that no block reaches has none. A branch to a loop lands
/// on the block behind `loop`, all others on the one behind `end`; the end of the function costs with its block.
struct FuelBlock {
  std::uint32_t offset;
  std::uint32_t cost;
};

/// The blocks of a validated function by offset. Linear time. REQUIRES: the function has a body.
std::vector<FuelBlock> fuel_blocks(const Module& module, std::uint32_t function_index);

}  // namespace tfvm
