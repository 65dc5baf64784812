// Differential execution: modules are run by the tree interpreter, with guarded and with checked memory, and by the
// oracle; whatever a host could see must be the same.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "decoder/test_module.hpp"
#include "vm/trap.hpp"

namespace tfvm::fuzz {

/// Modules to run together. They are instantiated in order, the last one twice; the exports of the first are known to
/// the others as module "a". They may import the functions of host_functions() (random_module.hpp).
struct Program {
  std::vector<test::Bytes> modules;
  /// They end by themselves, so that they can also run without fuel: each exports an i32 global "steps" that counts
  /// down.
  bool counts_steps = false;
};

/// How the calls of executed programs ended, by TrapKind (None: they returned), as the oracle saw it.
struct Statistics {
  std::array<std::uint64_t, 32> outcomes{};
  std::uint64_t nan_differences = 0;  ///< programs of find_random_difference that ran differently because of NaNs
};

/// Loads and runs a program with every executor and compares results, traps, where they happened, fuel, what host
/// functions saw, and in the end all memories, tables and globals. None if everything is the same; else a description.
/// A module that does not load is a difference too. `seed` chooses the arguments of the calls.
std::optional<std::string> find_difference(const Program& program, std::uint64_t seed,
                                           Statistics* statistics = nullptr);

/// The random modules of these bytes as a program.
Program random_program(std::span<const std::uint8_t> bytes);

/// find_difference of a random program. Which of two NaNs an addition gives is not determined (section 4.3.3): a
/// difference counts only if it stays when all NaNs are made canonical.
std::optional<std::string> find_random_difference(std::span<const std::uint8_t> bytes, std::uint64_t seed,
                                                  Statistics* statistics = nullptr);

}  // namespace tfvm::fuzz
