// A guest that runs the same way twice: its clocks stand still but for what it does itself, its random bytes follow
// from a seed. What comes from outside (files, their times and order, standard input, sockets) is as the host has it.
#pragma once

#include <cstdint>

#include "wasi/wasi.hpp"

namespace tfvm::wasi {

/// 2000-01-01T00:00:00Z, where the realtime clock starts; the others start at 0.
inline constexpr std::uint64_t deterministic_epoch_ns = 946'684'800'000'000'000;
/// What a clock moves on each time that the guest reads one, so that loops that wait for time end.
inline constexpr std::uint64_t deterministic_step_ns = 1'000;

/// Sets the clock, sleep and random of `config`. Sleeping takes no time but moves the clocks.
void make_deterministic(WasiConfig& config, std::uint64_t seed);

}  // namespace tfvm::wasi
