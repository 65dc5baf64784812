// Bytes through descriptors: fd_read, fd_write, fd_pread, fd_pwrite, and what they share with sockets: the guest's
// buffers go to the host as they lie in memory; what may block waits where a deadline can end it.
#include "wasi/fd_io.hpp"

#include <algorithm>
#include <array>
#include <climits>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "wasi/handlers.hpp"

namespace tfvm::wasi {

namespace {

/// What a blocking write may be given when poll says that there is room.
constexpr std::size_t safe_write_bytes = PIPE_BUF;
/// Between two looks at deadline and fuel.
constexpr std::size_t max_piece_bytes = 1 << 20;

HostResult<std::size_t> read_stream(Call& call, const Descriptor& descriptor, const IoVectors& vectors) {
  const int file = descriptor.host.number();
  return transfer(call, descriptor, POLLIN, [&](bool is_first) {
    return is_first ? ::preadv2(file, vectors.data(), vectors.count(), -1, RWF_NOWAIT)
                    : ::readv(file, vectors.data(), vectors.count());
  });
}

/// As pwritev2 with RWF_NOWAIT, without the signal that ends a process whose peer has hung up.
ssize_t send_to_socket(int file, const IoVectors& vectors) {
  struct ::msghdr message{};
  message.msg_iov = const_cast<struct ::iovec*>(vectors.data());
  message.msg_iovlen = static_cast<std::size_t>(vectors.count());
  return ::sendmsg(file, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
}

/// Writes all, unless an error or the guest's NONBLOCK stops it in between.
HostResult<std::size_t> write_stream(Call& call, const Descriptor& descriptor, IoVectors& vectors) {
  const int file = descriptor.host.number();
  std::size_t written = 0;
  while (vectors.bytes() > 0) {
    const HostResult<std::size_t> moved = transfer(call, descriptor, POLLOUT, [&](bool is_first) -> ssize_t {
      if (descriptor.is_socket()) return send_to_socket(file, vectors);
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

/// True for control codes that do more than move on in the text; of C1 codes in UTF-8 (c2 80 to c2 9f) for the second
/// byte.
bool is_control(std::uint8_t byte, std::uint8_t before) {
  if (byte >= 0x80 && byte < 0xa0) return before == 0xc2;
  return byte == 0x7f || (byte < 0x20 && byte != '\n' && byte != '\r' && byte != '\t' && byte != '\b');
}

/// Same as write_stream for a terminal that must not be controlled: codes become '?', byte for byte.
HostResult<std::size_t> write_filtered(Call& call, Descriptor& descriptor, IoVectors& vectors) {
  std::size_t written = 0;
  while (vectors.bytes() > 0) {
    std::array<std::uint8_t, safe_write_bytes> text;
    const struct ::iovec first = *vectors.data();
    const std::span given(static_cast<const std::uint8_t*>(first.iov_base), std::min(first.iov_len, text.size()));
    std::uint8_t before = descriptor.last_written;
    for (std::size_t i = 0; i < given.size(); ++i) {
      text[i] = is_control(given[i], before) ? '?' : given[i];
      before = given[i];
    }
    const HostResult<std::size_t> moved = transfer(call, descriptor, POLLOUT, [&](bool is_first) -> ssize_t {
      if (!is_first) return ::write(descriptor.host.number(), text.data(), given.size());
      errno = ENOTSUP;
      return -1;
    });
    if (!moved.ok()) return written > 0 && !call.has_ended() ? HostResult<std::size_t>(written) : moved;
    if (moved.value == 0) break;
    descriptor.last_written = given[moved.value - 1];
    written += moved.value;
    vectors.consume(moved.value);
    if ((descriptor.flags & fd_flags::nonblock) != 0) break;
  }
  return written;
}

/// Moves bytes through a stream of the host's process: at least one, unless it is at its end.
template <class Move>
HostResult<std::size_t> move_through(Call& call, const Descriptor& descriptor, Move move) {
  while (true) {
    const Stream::Outcome moved = move();
    if (moved.status == Stream::Status::Failed) return Errno::Io;
    if (moved.status == Stream::Status::Moved) return moved.bytes;
    if ((descriptor.flags & fd_flags::nonblock) != 0) return Errno::Again;
    struct ::pollfd pending = descriptor.stream->pending();
    if (const auto ready = call.wait(std::span(&pending, 1), std::nullopt); !ready.ok()) return ready.error;
  }
}

HostResult<std::size_t> read_in_process(Call& call, const Descriptor& descriptor, const IoVectors& vectors) {
  if (vectors.bytes() == 0) return std::size_t{0};
  const std::span buffer(static_cast<std::uint8_t*>(vectors.data()->iov_base), vectors.data()->iov_len);
  return move_through(call, descriptor, [&] { return descriptor.stream->read(buffer); });
}

HostResult<std::size_t> write_in_process(Call& call, const Descriptor& descriptor, IoVectors& vectors) {
  std::size_t written = 0;
  while (vectors.bytes() > 0) {
    const std::span bytes(static_cast<const std::uint8_t*>(vectors.data()->iov_base), vectors.data()->iov_len);
    const auto moved = move_through(call, descriptor, [&] { return descriptor.stream->write(bytes); });
    if (!moved.ok()) return written > 0 && !call.has_ended() ? HostResult<std::size_t>(written) : moved;
    if (moved.value == 0) break;
    written += moved.value;
    vectors.consume(moved.value);
  }
  return written;
}

/// Stores how much was moved and has it paid.
Errno finish(Call& call, const HostResult<std::size_t>& moved, Pointer result) {
  if (!moved.ok()) return moved.error;
  if (!call.charge_bytes(moved.value)) return Errno::Canceled;
  return call.store(result, static_cast<Size>(moved.value));
}

/// Moves bytes of a file that does not block, in pieces, so that fuel and deadlines end a guest that moves gigabytes:
/// attempt(buffers, count, bytes moved so far) is the system call.
template <class Attempt>
Errno move_in_pieces(Call& call, IoVectors& vectors, Pointer result, Attempt attempt) {
  std::size_t total = 0;
  bool is_whole = false;
  do {
    const bool is_last = vectors.bytes() <= max_piece_bytes;
    struct ::iovec piece = *vectors.data();
    if (!is_last) piece.iov_len = std::min(piece.iov_len, max_piece_bytes);
    const std::size_t wanted = is_last ? vectors.bytes() : piece.iov_len;
    const HostResult<std::size_t> moved = undisturbed(
        call, [&] { return is_last ? attempt(vectors.data(), vectors.count(), total) : attempt(&piece, 1, total); });
    if (!moved.ok()) {
      if (total == 0 || call.has_ended()) return moved.error;
      break;
    }
    if (!call.charge_bytes(moved.value) || call.is_interrupted()) return Errno::Canceled;
    total += moved.value;
    is_whole = moved.value == wanted && !is_last;
    if (moved.value > 0) vectors.consume(moved.value);
  } while (is_whole);
  return call.store(result, static_cast<Size>(total));
}

enum class Direction : std::uint8_t { Read, Write };

Errno read_or_write(Call& call, Direction direction, Fd fd, Pointer buffers, Size count, Pointer result) {
  const auto required = call.state.fds.require(fd, direction == Direction::Read ? rights::fd_read : rights::fd_write);
  if (!required.ok()) return required.error;
  if (!call.memory.bytes(result, sizeof(Size))) return Errno::Fault;
  IoVectors vectors;
  if (const Errno error = call.gather(buffers, count, vectors); error != Errno::Success) return error;
  Descriptor& descriptor = *required.value;
  if (descriptor.filters_terminal && direction == Direction::Write && vectors.bytes() > 0)
    return finish(call, write_filtered(call, descriptor, vectors), result);
  if (descriptor.stream != nullptr)
    return finish(call,
                  direction == Direction::Read ? read_in_process(call, descriptor, vectors)
                                               : write_in_process(call, descriptor, vectors),
                  result);
  if (descriptor.may_block() && vectors.bytes() > 0)
    return finish(
        call,
        direction == Direction::Read ? read_stream(call, descriptor, vectors) : write_stream(call, descriptor, vectors),
        result);
  return move_in_pieces(
      call, vectors, result,
      [direction, file = descriptor.host.number()](const struct ::iovec* pieces, int piece_count, std::size_t) {
        return direction == Direction::Read ? ::readv(file, pieces, piece_count) : ::writev(file, pieces, piece_count);
      });
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
  return move_in_pieces(
      call, vectors, result,
      [=, file = required.value->host.number()](const struct ::iovec* pieces, int piece_count, std::size_t moved) {
        const auto position = static_cast<off_t>(offset + moved);
        return direction == Direction::Read ? ::preadv(file, pieces, piece_count, position)
                                            : ::pwritev(file, pieces, piece_count, position);
      });
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
