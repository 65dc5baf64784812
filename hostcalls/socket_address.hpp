// An Address and a port as the socket calls take them.
#pragma once

#include <algorithm>
#include <cstdint>
#include <netinet/in.h>
#include <sys/socket.h>

#include "hostcalls/address.hpp"

namespace tfvm::hostcalls {

/// Value type; get() points into it.
class SocketAddress {
 public:
  SocketAddress(const Address& address, std::uint16_t port) {
    if (address.is_v6) {
      in6_.sin6_family = AF_INET6;
      in6_.sin6_port = htons(port);
      std::copy(address.bytes.begin(), address.bytes.end(), in6_.sin6_addr.s6_addr);
    } else {
      in4_.sin_family = AF_INET;
      in4_.sin_port = htons(port);
      std::copy_n(address.bytes.begin(), 4, reinterpret_cast<std::uint8_t*>(&in4_.sin_addr));
    }
    is_v6_ = address.is_v6;
  }

  int family() const { return is_v6_ ? AF_INET6 : AF_INET; }
  const sockaddr* get() const {
    return is_v6_ ? reinterpret_cast<const sockaddr*>(&in6_) : reinterpret_cast<const sockaddr*>(&in4_);
  }
  socklen_t size() const { return is_v6_ ? sizeof(in6_) : sizeof(in4_); }

 private:
  sockaddr_in in4_{};
  sockaddr_in6 in6_{};
  bool is_v6_ = false;
};

}  // namespace tfvm::hostcalls
