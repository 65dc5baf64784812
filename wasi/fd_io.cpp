// Bytes through descriptors: fd_read, fd_write, fd_pread, fd_pwrite, and what they share with sockets: the guest's
// buffers go to the host as they lie in memory; what may block waits where a deadline can end it.
#include "wasi/fd_io.hpp"

#include <algorithm>
#include <climits>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include "wasi/handlers.hpp"

namespace tfvm::wasi {

namespace {

/// What a blocking write may be given when poll says that there is room.
constexpr std::size_t safe_write_bytes = PIPE_BUF;

HostResult<std::size_t> read_stream(Call& call, const Descriptor& descriptor, const IoVectors& vectors) {
  const int file = descriptor.host.number();
  return transfer(call, descriptor, POLLIN, [&](bool is_first) {
    return is_first ? ::preadv2(file, vectors.data(), vectors.count(), -1, RWF_NOWAIT)
                    : ::readv(file, vectors.data(), vectors.count());
  });
}

/// Writes all, unless an error or the guest's NONBLOCK stops it in between.
HostResult<std::size_t> write_stream(Call& call, const Descriptor& descriptor, IoVectors& vectors) {
  const int file = descriptor.host.number();
  std::size_t written = 0;
  while (vectors.bytes() > 0) {
    const HostResult<std::size_t> moved = transfer(call, descriptor, POLLOUT, [&](bool is_first) -> ssize_t {
      if (is_first) return ::pwritev2(file, vectors.data(), vectors.count(), -1, RWF_NOWAIT);
      const struct ::iovec& first = *vectors.data();
      return ::write(file, first.iov_base, std::min(first.iov_len, safe_write_bytes));
    });
    if (!moved.ok()) return written > 0 && !call.has_ended() ? HostResult<std::size_t>(written) : moved;
    if (moved.value == 0) break;
    written += moved.value;
    vectors.consume(moved.value);
    if ((descriptor.flags & fd_flags::nonblock) != 0) break;
  }
  return written;
}

/// Stores how much was moved and has it paid.
Errno finish(Call& call, const HostResult<std::size_t>& moved, Pointer result) {
  if (!moved.ok()) return moved.error;
  if (!call.charge_bytes(moved.value)) return Errno::Canceled;
  return call.store(result, static_cast<Size>(moved.value));
}

enum class Direction : std::uint8_t { Read, Write };

Errno read_or_write(Call& call, Direction direction, Fd fd, Pointer buffers, Size count, Pointer result) {
  const auto required = call.state.fds.require(fd, direction == Direction::Read ? rights::fd_read : rights::fd_write);
  if (!required.ok()) return required.error;
  if (!call.memory.bytes(result, sizeof(Size))) return Errno::Fault;
  IoVectors vectors;
  if (const Errno error = call.gather(buffers, count, vectors); error != Errno::Success) return error;
  const Descriptor& descriptor = *required.value;
  const int file = descriptor.host.number();
  if (descriptor.may_block() && vectors.bytes() > 0)
    return finish(
        call,
        direction == Direction::Read ? read_stream(call, descriptor, vectors) : write_stream(call, descriptor, vectors),
        result);
  return finish(call,
                undisturbed(call,
                            [&] {
                              return direction == Direction::Read ? ::readv(file, vectors.data(), vectors.count())
                                                                  : ::writev(file, vectors.data(), vectors.count());
                            }),
                result);
}

Errno read_or_write_at(Call& call, Direction direction, Fd fd, Pointer buffers, Size count, FileSize offset,
                       Pointer result) {
  const Rights needed = (direction == Direction::Read ? rights::fd_read : rights::fd_write) | rights::fd_seek;
  const auto required = call.state.fds.require(fd, needed);
  if (!required.ok()) return required.error;
  if (offset > INT64_MAX) return Errno::Inval;
  if (!call.memory.bytes(result, sizeof(Size))) return Errno::Fault;
  IoVectors vectors;
  if (const Errno error = call.gather(buffers, count, vectors); error != Errno::Success) return error;
  const int file = required.value->host.number();
  const auto position = static_cast<off_t>(offset);
  return finish(call,
                undisturbed(call,
                            [&] {
                              return direction == Direction::Read
                                         ? ::preadv(file, vectors.data(), vectors.count(), position)
                                         : ::pwritev(file, vectors.data(), vectors.count(), position);
                            }),
                result);
}

}  // namespace

namespace handlers {

Errno fd_read(Call& call, Fd fd, Pointer buffers, Size count, Pointer result) {
  return read_or_write(call, Direction::Read, fd, buffers, count, result);
}

Errno fd_write(Call& call, Fd fd, Pointer buffers, Size count, Pointer result) {
  return read_or_write(call, Direction::Write, fd, buffers, count, result);
}

Errno fd_pread(Call& call, Fd fd, Pointer buffers, Size count, FileSize offset, Pointer result) {
  return read_or_write_at(call, Direction::Read, fd, buffers, count, offset, result);
}

Errno fd_pwrite(Call& call, Fd fd, Pointer buffers, Size count, FileSize offset, Pointer result) {
  return read_or_write_at(call, Direction::Write, fd, buffers, count, offset, result);
}

}  // namespace handlers
}  // namespace tfvm::wasi
