// DNS over UDP and TCP: RFC 1035, section 4.2; against forged answers RFC 5452.
#include "hostcalls/dns_transport.hpp"

#include <cerrno>
#include <poll.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "hostcalls/dns_message.hpp"
#include "hostcalls/socket_address.hpp"
#include "vm/interrupt.hpp"

namespace tfvm::hostcalls::dns {
namespace {

constexpr std::chrono::milliseconds cancel_interval{50};
constexpr std::size_t max_udp_query_bytes = 1'232;  // beyond it datagrams may be cut into fragments, which get lost

/// A socket with the deadline of all that is done with it.
class Socket {
 public:
  Socket(const Server& server, int type, Time deadline, const Resolver::IsCancelled& is_cancelled)
      : deadline_(deadline), is_cancelled_(is_cancelled) {
    const SocketAddress target(server.address, server.port);
    descriptor_ = ::socket(target.family(), type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (descriptor_ < 0) return;
    // A connected UDP socket takes datagrams of this server only, and reports that nobody listens there. The port is
    // the kernel's choice, at random.
    is_connecting_ = ::connect(descriptor_, target.get(), target.size()) == 0 || errno == EINPROGRESS || errno == EINTR;
  }
  ~Socket() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;

  /// Found: something can be done.
  LookupStatus wait(short events) const {
    if (!is_connecting_) return LookupStatus::ServerFailed;
    const InterruptGuard guard;
    while (true) {
      if (is_cancelled_ && is_cancelled_()) return LookupStatus::Cancelled;
      const auto left = std::min<Time::duration>(deadline_ - std::chrono::steady_clock::now(), cancel_interval);
      if (left <= Time::duration::zero()) return LookupStatus::TimedOut;
      const timespec timeout{0, static_cast<long>(std::chrono::nanoseconds(left).count())};
      pollfd waiting{descriptor_, events, 0};
      const int ready = ::ppoll(&waiting, 1, &timeout, &guard.open_mask());
      if (ready > 0) return LookupStatus::Found;
      if (ready < 0 && errno != EINTR) return LookupStatus::ServerFailed;
    }
  }

  /// The bytes that were received, none if the other side is gone; waits. `bytes` is the room and becomes the content.
  LookupStatus receive(std::string& bytes) const {
    while (true) {
      if (const LookupStatus status = wait(POLLIN); status != LookupStatus::Found) return status;
      const ssize_t size = ::recv(descriptor_, bytes.data(), bytes.size(), 0);
      if (size >= 0) {
        bytes.resize(static_cast<std::size_t>(size));
        return LookupStatus::Found;
      }
      if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR) return LookupStatus::ServerFailed;
    }
  }

  LookupStatus receive_exactly(std::string& bytes) const {
    std::string whole;
    while (whole.size() < bytes.size()) {
      std::string part(bytes.size() - whole.size(), '\0');
      if (const LookupStatus status = receive(part); status != LookupStatus::Found) return status;
      if (part.empty()) return LookupStatus::ServerFailed;
      whole += part;
    }
    bytes = std::move(whole);
    return LookupStatus::Found;
  }

  LookupStatus send(std::string_view bytes) const {
    while (!bytes.empty()) {
      if (const LookupStatus status = wait(POLLOUT); status != LookupStatus::Found) return status;
      const ssize_t sent = ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent >= 0) bytes.remove_prefix(static_cast<std::size_t>(sent));
      else if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR) return LookupStatus::ServerFailed;
    }
    return LookupStatus::Found;
  }

 private:
  int descriptor_ = -1;
  bool is_connecting_ = false;
  Time deadline_;
  const Resolver::IsCancelled& is_cancelled_;
};

Resolver::Message by_udp(const Server& server, const std::string& query, Time deadline,
                         const Resolver::IsCancelled& is_cancelled) {
  const Socket socket(server, SOCK_DGRAM, deadline, is_cancelled);
  LookupStatus status = socket.send(query);
  while (status == LookupStatus::Found) {
    std::string message(max_message_bytes, '\0');
    status = socket.receive(message);
    if (status == LookupStatus::Found && is_answer_to(message, query)) return {status, std::move(message)};
  }
  return {status, {}};
}

Resolver::Message by_tcp(const Server& server, const std::string& query, Time deadline,
                         const Resolver::IsCancelled& is_cancelled) {
  const Socket socket(server, SOCK_STREAM, deadline, is_cancelled);
  const char length[] = {static_cast<char>(query.size() >> 8), static_cast<char>(query.size() & 0xff)};
  LookupStatus status = socket.send(std::string(length, 2) + query);
  std::string prefix(2, '\0');
  if (status == LookupStatus::Found) status = socket.receive_exactly(prefix);
  if (status != LookupStatus::Found) return {status, {}};
  std::string message(transaction_id(prefix), '\0');
  status = socket.receive_exactly(message);
  if (status != LookupStatus::Found) return {status, {}};
  if (!is_answer_to(message, query)) return {LookupStatus::ServerFailed, {}};
  return {status, std::move(message)};
}

}  // namespace

Resolver::Message exchange(const Server& server, std::string query, Time deadline,
                           const Resolver::IsCancelled& is_cancelled) {
  const std::uint16_t id = transaction_id(query);
  std::uint16_t random_id = 0;
  if (::getrandom(&random_id, sizeof(random_id), 0) != sizeof(random_id)) return {LookupStatus::ServerFailed, {}};
  set_transaction_id(query, random_id);
  Resolver::Message answer;
  const bool fits = query.size() <= max_udp_query_bytes;
  if (fits) answer = by_udp(server, query, deadline, is_cancelled);
  if (!fits || (answer.status == LookupStatus::Found && is_truncated(answer.bytes))) {
    answer = by_tcp(server, query, deadline, is_cancelled);
  }
  if (answer.status == LookupStatus::Found) set_transaction_id(answer.bytes, id);
  return answer;
}

}  // namespace tfvm::hostcalls::dns
