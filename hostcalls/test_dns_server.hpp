// For tests: a DNS server on loopback that says whatever the test wants, over UDP and TCP; and messages for it to say.
#pragma once

#include <fcntl.h>
#include <functional>
#include <gtest/gtest.h>
#include <initializer_list>
#include <mutex>
#include <poll.h>
#include <string>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <vector>

#include "hostcalls/dns_message.hpp"
#include "hostcalls/outbound_policy.hpp"
#include "hostcalls/socket_address.hpp"

namespace tfvm::hostcalls::test {

inline std::string u16(unsigned value) {
  return {static_cast<char>(value >> 8 & 0xff), static_cast<char>(value & 0xff)};
}

struct DnsRecord {
  std::string name;  ///< as text, or in wire format if it begins with a byte below '-'
  unsigned type;
  std::string data;
  unsigned time_to_live = 60;
};

inline std::string wire_name(const std::string& name) {
  return !name.empty() && is_host_name(name) ? dns::encode_name(name) : name;
}
inline std::string a_data(const std::string& text) {
  const std::optional<Address> address = Address::parse(text);
  return std::string(address->bytes.begin(), address->bytes.begin() + (address->is_v6 ? 16 : 4));
}
inline DnsRecord a(const std::string& name, const std::string& address, unsigned time_to_live = 60) {
  return {name, address.find(':') == std::string::npos ? 1u : 28u, a_data(address), time_to_live};
}
inline DnsRecord cname(const std::string& name, const std::string& target, unsigned time_to_live = 60) {
  return {name, 5, wire_name(target), time_to_live};
}

/// An answer to `query`: its id and question, then the records.
inline std::string answer_to(const std::string& query, const std::vector<DnsRecord>& records, unsigned flags = 0x8180) {
  const std::size_t question_end = query.find('\0', 12) + 5;
  std::string message = query.substr(0, 2) + u16(flags) + u16(1) + u16(static_cast<unsigned>(records.size())) + u16(0) +
                        u16(0) + query.substr(12, question_end - 12);
  for (const DnsRecord& record : records) {
    message += wire_name(record.name) + u16(record.type) + u16(1) + u16(record.time_to_live >> 16) +
               u16(record.time_to_live) + u16(static_cast<unsigned>(record.data.size())) + record.data;
  }
  return message;
}

class FakeDnsServer {
 public:
  /// The datagrams that answer one.
  using ByUdp = std::function<std::vector<std::string>(const std::string& query)>;
  /// The bytes that answer one connection's query (without its length); then the connection is closed.
  using ByTcp = std::function<std::string(const std::string& query)>;

  explicit FakeDnsServer(ByUdp by_udp, ByTcp by_tcp = {}) : by_udp_(std::move(by_udp)), by_tcp_(std::move(by_tcp)) {
    for (int attempt = 0; attempt < 100 && !open_sockets(); ++attempt) {
    }
    EXPECT_EQ(::pipe2(stop_, O_CLOEXEC), 0);
    thread_ = std::thread([this] { serve(); });
  }
  ~FakeDnsServer() {
    ::close(stop_[1]);
    thread_.join();
    for (const int descriptor : {udp_, tcp_, stop_[0]}) ::close(descriptor);
  }
  FakeDnsServer(const FakeDnsServer&) = delete;
  FakeDnsServer& operator=(const FakeDnsServer&) = delete;

  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }
  /// What was asked, by UDP and TCP, and from which ports (UDP).
  std::vector<std::string> queries() const {
    const std::lock_guard lock(mutex_);
    return queries_;
  }
  std::vector<std::uint16_t> ports() const {
    const std::lock_guard lock(mutex_);
    return ports_;
  }
  std::size_t query_count() const { return queries().size(); }

 private:
  bool open_sockets() {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    if (udp_ >= 0) ::close(udp_);
    if (tcp_ >= 0) ::close(tcp_);
    udp_ = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    tcp_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ::bind(udp_, reinterpret_cast<const sockaddr*>(&address), sizeof(address));
    ::getsockname(udp_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    return ::bind(tcp_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0 && ::listen(tcp_, 16) == 0;
  }

  void serve() {
    while (true) {
      pollfd waiting[] = {{udp_, POLLIN, 0}, {tcp_, POLLIN, 0}, {stop_[0], POLLIN, 0}};
      if (::poll(waiting, 3, -1) < 0) continue;
      if (waiting[2].revents != 0) return;
      if (waiting[0].revents != 0) answer_datagram();
      if (waiting[1].revents != 0) answer_connection();
    }
  }

  void answer_datagram() {
    char buffer[65'536];
    sockaddr_in from{};
    socklen_t from_size = sizeof(from);
    const ssize_t size = ::recvfrom(udp_, buffer, sizeof(buffer), 0, reinterpret_cast<sockaddr*>(&from), &from_size);
    if (size < 0) return;
    const std::string query(buffer, static_cast<std::size_t>(size));
    {
      const std::lock_guard lock(mutex_);
      queries_.push_back(query);
      ports_.push_back(ntohs(from.sin_port));
    }
    for (const std::string& datagram : by_udp_(query)) {
      ::sendto(udp_, datagram.data(), datagram.size(), 0, reinterpret_cast<const sockaddr*>(&from), from_size);
    }
  }

  void answer_connection() {
    const int connection = ::accept(tcp_, nullptr, nullptr);
    if (connection < 0) return;
    std::string received;
    char buffer[65'536];
    while (received.size() < 2 || received.size() < 2u + dns::transaction_id(received)) {
      const ssize_t size = ::recv(connection, buffer, sizeof(buffer), 0);
      if (size <= 0) break;
      received.append(buffer, static_cast<std::size_t>(size));
    }
    if (received.size() > 2 && by_tcp_) {
      const std::string query = received.substr(2);
      {
        const std::lock_guard lock(mutex_);
        queries_.push_back(query);
      }
      const std::string bytes = by_tcp_(query);
      static_cast<void>(::send(connection, bytes.data(), bytes.size(), MSG_NOSIGNAL));
    }
    ::close(connection);
  }

  ByUdp by_udp_;
  ByTcp by_tcp_;
  int udp_ = -1, tcp_ = -1, stop_[2] = {-1, -1};
  std::uint16_t port_ = 0;
  mutable std::mutex mutex_;
  std::vector<std::string> queries_;
  std::vector<std::uint16_t> ports_;
  std::thread thread_;
};

}  // namespace tfvm::hostcalls::test
