// RedisConnection: commands as arrays of bulk strings; replies, bounded.
#include "hostcalls/redis_connection.hpp"

#include <cerrno>
#include <charconv>
#include <cstring>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "hostcalls/socket_address.hpp"

namespace tfvm::hostcalls {
namespace {

constexpr std::size_t max_line_bytes = 64u << 10;
constexpr std::size_t max_reply_bytes = 512u << 20;  // Redis's own bound of a string

Error failure(std::string what) { return Error{ErrorKind::Host, "redis: " + std::move(what)}; }
Error system_failure(const char* doing, int error) { return failure(std::string(doing) + ": " + std::strerror(error)); }

std::string encode(std::span<const std::string_view> arguments) {
  std::string command = "*" + std::to_string(arguments.size()) + "\r\n";
  for (const std::string_view argument : arguments) {
    command += "$" + std::to_string(argument.size()) + "\r\n";
    command.append(argument);
    command += "\r\n";
  }
  return command;
}

}  // namespace

Result<std::unique_ptr<RedisConnection>> RedisConnection::connect(const Address& address, std::uint16_t port,
                                                                  std::chrono::milliseconds timeout) {
  const Time deadline = std::chrono::steady_clock::now() + timeout;
  const SocketAddress target(address, port);
  const int descriptor = ::socket(target.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (descriptor < 0) return system_failure("socket", errno);
  std::unique_ptr<RedisConnection> connection(new RedisConnection(descriptor));
  if (::connect(descriptor, target.get(), target.size()) != 0) {
    if (errno != EINPROGRESS && errno != EINTR) return system_failure("connecting", errno);
    if (const Result<Done> connected = connection->wait(POLLOUT, deadline); !connected) return connected.error();
    int error = 0;
    socklen_t size = sizeof(error);
    ::getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error != 0) return system_failure("connecting", error);
  }
  const int on = 1;
  ::setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  return connection;
}

RedisConnection::~RedisConnection() { ::close(descriptor_); }

bool RedisConnection::is_usable() const {
  char byte;
  return received_.empty() && ::recv(descriptor_, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 &&
         (errno == EAGAIN || errno == EWOULDBLOCK);
}

Result<RedisReply> RedisConnection::call(std::span<const std::string_view> arguments,
                                         std::chrono::milliseconds timeout) {
  const Time deadline = std::chrono::steady_clock::now() + timeout;
  if (const Result<Done> sent = send(encode(arguments), deadline); !sent) return sent.error();
  return reply(deadline);
}

Result<Done> RedisConnection::wait(short events, Time deadline) const {
  while (true) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now()).count();
    if (left <= 0) return failure("no answer in time");
    pollfd waiting{descriptor_, events, 0};
    const int ready = ::poll(&waiting, 1, static_cast<int>(left));
    if (ready > 0) return Done{};
    if (ready < 0 && errno != EINTR) return system_failure("poll", errno);
  }
}

Result<Done> RedisConnection::send(std::string_view bytes, Time deadline) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      if (const Result<Done> ready = wait(POLLOUT, deadline); !ready) return ready.error();
    } else if (errno != EINTR) {
      return system_failure("sending", errno);
    }
  }
  return Done{};
}

Result<Done> RedisConnection::receive(Time deadline) {
  while (true) {
    if (const Result<Done> ready = wait(POLLIN, deadline); !ready) return ready.error();
    char buffer[16 << 10];
    const ssize_t size = ::recv(descriptor_, buffer, sizeof(buffer), 0);
    if (size > 0) {
      received_.append(buffer, static_cast<std::size_t>(size));
      return Done{};
    }
    if (size == 0) return failure("the server closed the connection");
    if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR) return system_failure("receiving", errno);
  }
}

/// Up to "\r\n", which is taken and not returned.
Result<std::string> RedisConnection::line(Time deadline) {
  std::size_t searched = 0;
  while (true) {
    const std::size_t end = received_.find("\r\n", searched);
    if (end != std::string::npos) {
      std::string text = received_.substr(0, end);
      received_.erase(0, end + 2);
      return text;
    }
    if (received_.size() > max_line_bytes) return failure("a reply has a line without end");
    searched = received_.empty() ? 0 : received_.size() - 1;  // "\r" may be there
    if (const Result<Done> more = receive(deadline); !more) return more.error();
  }
}

Result<std::string> RedisConnection::bytes(std::size_t size, Time deadline) {
  while (received_.size() < size + 2) {
    if (const Result<Done> more = receive(deadline); !more) return more.error();
  }
  if (std::string_view(received_).substr(size, 2) != "\r\n") return failure("a reply has another length than it says");
  std::string text = received_.substr(0, size);
  received_.erase(0, size + 2);
  return text;
}

Result<RedisReply> RedisConnection::reply(Time deadline) {
  using Kind = RedisReply::Kind;
  Result<std::string> head = line(deadline);
  if (!head) return head.error();
  if (head->empty()) return failure("an empty reply");
  const std::string_view rest = std::string_view(*head).substr(1);
  if ((*head)[0] == '+') return RedisReply{Kind::Status, std::string(rest)};
  if ((*head)[0] == '-') return RedisReply{Kind::Error, std::string(rest)};
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), number);
  if (error != std::errc{} || end != rest.data() + rest.size()) return failure("a reply that is no number");
  if ((*head)[0] == ':') return RedisReply{Kind::Integer, {}, number};
  if ((*head)[0] != '$') return failure("a reply of an unknown kind");
  if (number == -1) return RedisReply{};
  if (number < 0 || static_cast<std::uint64_t>(number) > max_reply_bytes) return failure("a reply that is too large");
  Result<std::string> text = bytes(static_cast<std::size_t>(number), deadline);
  if (!text) return text.error();
  return RedisReply{Kind::Bytes, std::move(*text)};
}

}  // namespace tfvm::hostcalls
