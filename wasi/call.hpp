// What a handler works with: State, the system of one guest, and Call, one call of a function by it, with the guest's
// memory, fuel, and waiting that a deadline can end.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <poll.h>
#include <span>
#include <string>
#include <sys/uio.h>

#include "vm/host_function.hpp"
#include "wasi/fd_table.hpp"
#include "wasi/path_resolve.hpp"
#include "wasi/wasi.hpp"

namespace tfvm::wasi {

struct State {
  WasiConfig config;
  FdTable fds;
  PathResolver paths;
};

/// The buffers of a vector read or write in the form of the host. No more than the host takes at once.
class IoVectors {
 public:
  /// The limits of Linux: buffers a call, bytes a call.
  static constexpr std::size_t max_count = 1024;
  static constexpr std::size_t max_bytes = 0x7fff'f000;

  const struct ::iovec* data() const { return vectors_.data() + begin_; }
  int count() const { return static_cast<int>(end_ - begin_); }
  std::size_t bytes() const { return bytes_; }
  bool is_full() const { return end_ == max_count || bytes_ == max_bytes; }
  /// Appends a buffer, cut to the limits. REQUIRES: !is_full().
  void append(std::span<std::uint8_t> buffer);
  /// Drops `count` bytes at the front, at least 1 and not more than bytes().
  void consume(std::size_t count);

 private:
  std::array<struct ::iovec, max_count> vectors_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  std::size_t bytes_ = 0;
};

class Call {
 public:
  Call(State& call_state, Caller& caller) : state(call_state), memory(caller.memory()), caller_(caller) {}

  State& state;
  const GuestMemory memory;

  /// Ends the guest with this call; what the handler returns then is not looked at.
  void end(HostOutcome outcome) { outcome_ = std::move(outcome); }
  HostOutcome take_outcome() { return std::move(outcome_); }
  bool has_ended() const { return outcome_.kind != TrapKind::None; }

  /// Pays for work of the host: by pieces (table entries, files) or by bytes. False: the guest has ended.
  bool charge(std::uint64_t units);
  bool charge_bytes(std::uint64_t bytes);
  /// True if a deadline or the host wants the guest to end: it has, then.
  bool is_interrupted();

  /// The bytes of a path or name that the guest passes, without a copy of more than a path can have.
  /// Errors: Fault, Nametoolong.
  HostResult<std::string> path(Pointer address, Size length);
  /// The non-empty buffers of `count` IoVectors at `address`, as many as the host takes. Error: Fault.
  Errno gather(Pointer address, Size count, IoVectors& vectors);
  /// Writes a result. Error: Fault.
  template <class T>
  [[nodiscard]] Errno store(Pointer address, const T& value) {
    return memory.store(address, value) ? Errno::Success : Errno::Fault;
  }

  /// Waits until one of `files` has something (ppoll(2)'s revents) or `timeout` nanoseconds have passed (none: for
  /// ever). The number of files with something; Intr if the guest has ended.
  HostResult<int> wait(std::span<struct ::pollfd> files, std::optional<std::uint64_t> timeout);

 private:
  Caller& caller_;
  HostOutcome outcome_;
};

/// The time of a clock, of the config or the host. Error: Inval for numbers that are no clock.
HostResult<Timestamp> clock_time(const State& state, ClockId clock);

}  // namespace tfvm::wasi
