// Reading and writing where it may block, for descriptors and sockets alike. The handlers themselves: handlers.hpp.
#pragma once

#include <cerrno>
#include <cstddef>
#include <sys/types.h>

#include "wasi/call.hpp"

namespace tfvm::wasi {

/// Runs `attempt`, a system call that moves bytes, again while signals disturb it.
/// Errors: the host's; Canceled if the guest has ended.
template <class Attempt>
HostResult<std::size_t> undisturbed(Call& call, Attempt attempt) {
  while (true) {
    const ssize_t count = attempt();
    if (count >= 0) return static_cast<std::size_t>(count);
    if (errno != EINTR) return last_error();
    if (call.is_interrupted()) return Errno::Canceled;
  }
}

/// Moves bytes of a file that may block, so that a deadline can end the guest while it waits: attempt(true) must not
/// block (ENOTSUP if this kernel cannot promise that for this file), attempt(false) comes after poll has said that the
/// file is ready for `events`. Errors: the host's; Again only if the guest set NONBLOCK; any if the guest has ended.
template <class Attempt>
HostResult<std::size_t> transfer(Call& call, const Descriptor& descriptor, short events, Attempt attempt) {
  const bool waits = (descriptor.flags & fd_flags::nonblock) == 0;
  struct ::pollfd entry{descriptor.host.number(), events, 0};
  const auto timeout = waits ? std::nullopt : std::optional<std::uint64_t>(0);
  while (true) {
    HostResult<std::size_t> moved = undisturbed(call, [&] { return attempt(true); });
    if (moved.error == Errno::Notsup || moved.error == Errno::Nosys) {
      const HostResult<int> ready = call.wait(std::span(&entry, 1), timeout);
      if (!ready.ok()) return ready.error;
      if (ready.value == 0) return Errno::Again;
      moved = undisturbed(call, [&] { return attempt(false); });
    }
    if (moved.error != Errno::Again || !waits) return moved;
    if (const HostResult<int> ready = call.wait(std::span(&entry, 1), timeout); !ready.ok()) return ready.error;
  }
}

}  // namespace tfvm::wasi
