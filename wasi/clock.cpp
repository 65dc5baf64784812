// clock_res_get, clock_time_get, random_get: what the host's hardware or the config's stand-ins say.
#include <algorithm>
#include <cerrno>
#include <ctime>
#include <sys/random.h>

#include "wasi/handlers.hpp"

namespace tfvm::wasi {

namespace {

constexpr std::size_t random_chunk_bytes = 64 << 10;

std::optional<clockid_t> host_clock(ClockId clock) {
  switch (static_cast<Clock>(clock)) {
    case Clock::Realtime: return CLOCK_REALTIME;
    case Clock::Monotonic: return CLOCK_MONOTONIC;
    case Clock::ProcessCpuTime: return CLOCK_PROCESS_CPUTIME_ID;
    case Clock::ThreadCpuTime: return CLOCK_THREAD_CPUTIME_ID;
  }
  return std::nullopt;
}

Timestamp nanoseconds(const struct ::timespec& time) {
  if (time.tv_sec < 0) return 0;  // a host that lives before 1970
  return static_cast<Timestamp>(time.tv_sec) * 1'000'000'000 + static_cast<Timestamp>(time.tv_nsec);
}

/// Fills all of `buffer` from the host. Error: the host's.
Errno host_random(std::span<std::uint8_t> buffer) {
  while (!buffer.empty()) {
    const ssize_t count = ::getrandom(buffer.data(), buffer.size(), 0);
    if (count < 0 && errno != EINTR) return last_error();
    if (count > 0) buffer = buffer.subspan(static_cast<std::size_t>(count));
  }
  return Errno::Success;
}

}  // namespace

HostResult<Timestamp> clock_time(const State& state, ClockId clock) {
  const auto host = host_clock(clock);
  if (!host) return Errno::Inval;
  if (state.config.clock) return state.config.clock(static_cast<Clock>(clock));
  struct ::timespec time;
  if (::clock_gettime(*host, &time) != 0) return last_error();
  return nanoseconds(time);
}

namespace handlers {

Errno clock_res_get(Call& call, ClockId clock, Pointer result) {
  const auto host = host_clock(clock);
  if (!host) return Errno::Inval;
  if (call.state.config.clock) return call.store(result, Timestamp{1});
  struct ::timespec resolution;
  if (::clock_getres(*host, &resolution) != 0) return last_error();
  return call.store(result, nanoseconds(resolution));
}

Errno clock_time_get(Call& call, ClockId clock, Timestamp /*precision*/, Pointer result) {
  const HostResult<Timestamp> time = clock_time(call.state, clock);
  return time.ok() ? call.store(result, time.value) : time.error;
}

Errno random_get(Call& call, Pointer address, Size length) {
  const auto bytes = call.memory.bytes(address, length);
  if (!bytes) return Errno::Fault;
  std::span<std::uint8_t> rest = *bytes;
  while (!rest.empty()) {
    const auto chunk = rest.first(std::min(rest.size(), random_chunk_bytes));
    if (!call.charge_bytes(chunk.size()) || call.is_interrupted()) return Errno::Canceled;
    if (call.state.config.random) {
      call.state.config.random(chunk);
    } else if (const Errno error = host_random(chunk); error != Errno::Success) {
      return error;
    }
    rest = rest.subspan(chunk.size());
  }
  return Errno::Success;
}

}  // namespace handlers
}  // namespace tfvm::wasi
