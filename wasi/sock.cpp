// sock_accept, sock_recv, sock_send, sock_shutdown, on sockets that the guest was given; it cannot make any.
#include <cerrno>
#include <sys/socket.h>

#include "wasi/fd_io.hpp"
#include "wasi/handlers.hpp"

namespace tfvm::wasi::handlers {

namespace {

HostResult<Descriptor*> require_socket(Call& call, Fd fd, Rights needed) {
  const Descriptor* const descriptor = call.state.fds.find(fd);
  if (descriptor == nullptr) return Errno::Badf;
  if (!descriptor->is_socket()) return Errno::Notsock;
  return call.state.fds.require(fd, needed);
}

struct ::msghdr message_of(const IoVectors& vectors) {
  struct ::msghdr message{};
  message.msg_iov = const_cast<struct ::iovec*>(vectors.data());
  message.msg_iovlen = static_cast<std::size_t>(vectors.count());
  return message;
}

Errno store_amount(Call& call, std::size_t amount, Pointer result) {
  return call.charge_bytes(amount) ? call.store(result, static_cast<Size>(amount)) : Errno::Canceled;
}

}  // namespace

Errno sock_accept(Call& call, Fd fd, FdFlags flags, Pointer result) {
  const auto listener = require_socket(call, fd, rights::sock_accept);
  if (!listener.ok()) return listener.error;
  if ((flags & ~fd_flags::nonblock) != 0) return Errno::Inval;
  if (!call.memory.bytes(result, sizeof(Fd))) return Errno::Fault;
  if (call.state.fds.is_full()) return Errno::Mfile;
  const auto accepted = transfer(call, *listener.value, POLLIN, [&](bool is_first) -> ssize_t {
    if (!is_first) return ::accept4(listener.value->host.number(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    errno = ENOTSUP;
    return -1;
  });
  if (!accepted.ok()) return accepted.error;
  Descriptor connection;
  connection.host = HostFile::own(static_cast<int>(accepted.value));
  connection.type = FileType::SocketStream;
  connection.base = rights::of_socket & ~rights::sock_accept;
  connection.flags = flags;
  const HostResult<Fd> number = call.state.fds.add(std::move(connection));
  return number.ok() ? call.store(result, number.value) : number.error;
}

Errno sock_recv(Call& call, Fd fd, Pointer buffers, Size count, SocketFlags flags, Pointer result,
                Pointer result_flags) {
  const auto socket = require_socket(call, fd, rights::fd_read);
  if (!socket.ok()) return socket.error;
  if ((flags & ~(receive_peek | receive_wait_all)) != 0) return Errno::Inval;
  if (!call.memory.bytes(result, sizeof(Size)) || !call.memory.bytes(result_flags, 2)) return Errno::Fault;
  IoVectors vectors;
  if (const Errno error = call.gather(buffers, count, vectors); error != Errno::Success) return error;
  const bool peeks = (flags & receive_peek) != 0;
  const bool waits_for_all = (flags & receive_wait_all) != 0 && !peeks;
  std::size_t received = 0;
  std::uint16_t out_flags = 0;
  do {
    struct ::msghdr message = message_of(vectors);
    const auto moved = transfer(call, *socket.value, POLLIN, [&](bool) {
      return ::recvmsg(socket.value->host.number(), &message, MSG_DONTWAIT | (peeks ? MSG_PEEK : 0));
    });
    if (!moved.ok()) {
      if (received == 0 || call.has_ended()) return moved.error;
      break;
    }
    if ((message.msg_flags & MSG_TRUNC) != 0) out_flags = received_data_truncated;
    received += moved.value;
    if (moved.value == 0) break;
    vectors.consume(moved.value);
  } while (waits_for_all && vectors.bytes() > 0);
  if (const Errno error = call.store(result_flags, out_flags); error != Errno::Success) return error;
  return store_amount(call, received, result);
}

Errno sock_send(Call& call, Fd fd, Pointer buffers, Size count, SocketFlags flags, Pointer result) {
  const auto socket = require_socket(call, fd, rights::fd_write);
  if (!socket.ok()) return socket.error;
  if (flags != 0) return Errno::Inval;
  if (!call.memory.bytes(result, sizeof(Size))) return Errno::Fault;
  IoVectors vectors;
  if (const Errno error = call.gather(buffers, count, vectors); error != Errno::Success) return error;
  const struct ::msghdr message = message_of(vectors);
  const auto moved = transfer(call, *socket.value, POLLOUT, [&](bool) {
    return ::sendmsg(socket.value->host.number(), &message, MSG_DONTWAIT | MSG_NOSIGNAL);
  });
  return moved.ok() ? store_amount(call, moved.value, result) : moved.error;
}

Errno sock_shutdown(Call& call, Fd fd, SocketFlags how) {
  const auto socket = require_socket(call, fd, rights::sock_shutdown);
  if (!socket.ok()) return socket.error;
  constexpr int host_how[] = {-1, SHUT_RD, SHUT_WR, SHUT_RDWR};
  if (how == 0 || how > (shutdown_receive | shutdown_send)) return Errno::Inval;
  return outcome_of(::shutdown(socket.value->host.number(), host_how[how]));
}

}  // namespace tfvm::wasi::handlers
