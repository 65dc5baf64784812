// One call of a WASI function: see call.hpp.
#include "wasi/call.hpp"

#include <cerrno>
#include <climits>
#include <ctime>

#include "vm/fuel.hpp"
#include "vm/interrupt.hpp"

namespace tfvm::wasi {

void IoVectors::append(std::span<std::uint8_t> buffer) {
  const std::size_t length = std::min(buffer.size(), max_bytes - bytes_);
  vectors_[end_++] = {buffer.data(), length};
  bytes_ += length;
}

void IoVectors::consume(std::size_t count) {
  bytes_ -= count;
  while (count > 0 && count >= vectors_[begin_].iov_len) count -= vectors_[begin_++].iov_len;
  if (count == 0) return;
  vectors_[begin_].iov_base = static_cast<std::uint8_t*>(vectors_[begin_].iov_base) + count;
  vectors_[begin_].iov_len -= count;
}

bool Call::charge(std::uint64_t units) {
  if (caller_.consume_fuel(units)) return true;
  end(HostOutcome::trap(TrapKind::OutOfFuel));
  return false;
}

bool Call::charge_bytes(std::uint64_t bytes) { return charge(bytes / bulk_bytes_per_fuel); }

bool Call::is_interrupted() {
  const TrapKind reason = caller_.pending_interrupt();
  if (reason == TrapKind::None) return false;
  end(HostOutcome::trap(reason));
  return true;
}

HostResult<std::string> Call::path(Pointer address, Size length) {
  const auto bytes = memory.bytes(address, length);
  if (!bytes) return Errno::Fault;
  if (length >= PATH_MAX) return Errno::Nametoolong;
  // A byte may be a component, and each component is a system call of the walker.
  if (!charge(length)) return Errno::Canceled;
  return std::string(reinterpret_cast<const char*>(bytes->data()), bytes->size());
}

Errno Call::gather(Pointer address, Size count, IoVectors& vectors) {
  const auto array = memory.bytes(address, std::uint64_t{count} * sizeof(IoVector));
  if (!array) return Errno::Fault;
  Size next = 0;
  for (; next < count && !vectors.is_full(); ++next) {
    IoVector vector;
    std::memcpy(&vector, array->data() + std::size_t{next} * sizeof(IoVector), sizeof(IoVector));
    const auto buffer = memory.bytes(vector.buffer, vector.length);
    if (!buffer) return Errno::Fault;
    if (!buffer->empty()) vectors.append(*buffer);
  }
  return charge_bytes(std::uint64_t{next} * sizeof(IoVector)) ? Errno::Success : Errno::Canceled;
}

HostResult<int> Call::wait(std::span<struct ::pollfd> files, std::optional<std::uint64_t> timeout) {
  constexpr std::uint64_t second = 1'000'000'000;
  const auto now = [] {
    struct ::timespec time;
    ::clock_gettime(CLOCK_MONOTONIC, &time);
    return static_cast<std::uint64_t>(time.tv_sec) * second + static_cast<std::uint64_t>(time.tv_nsec);
  };
  const std::uint64_t begin = timeout ? now() : 0;
  const InterruptGuard guard;
  while (true) {
    if (is_interrupted()) return Errno::Intr;
    struct ::timespec left{};
    if (timeout) {
      const std::uint64_t passed = now() - begin;
      const std::uint64_t rest = passed < *timeout ? *timeout - passed : 0;
      left = {static_cast<time_t>(rest / second), static_cast<long>(rest % second)};
    }
    const int ready = ::ppoll(files.data(), files.size(), timeout ? &left : nullptr, &guard.open_mask());
    if (ready >= 0) return ready;
    if (errno != EINTR) return last_error();
  }
}

}  // namespace tfvm::wasi
