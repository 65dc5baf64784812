// --tcp-listen: sockets that the guest accepts connections on. It cannot make any itself.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tfvm::cli {

/// An address to listen on, of IPv4 or IPv6, in numbers.
struct ListenAddress {
  std::string host;  ///< "127.0.0.1", "::1"
  std::uint16_t port = 0;
  bool operator==(const ListenAddress&) const = default;
};

/// "127.0.0.1:8080", "[::1]:8080", "localhost:8080" (127.0.0.1); port 0: the system chooses one.
std::optional<ListenAddress> parse_listen_address(std::string_view text);

/// A listening TCP socket that never blocks; the caller's. Throws Failure, which names the address.
int listen_on(const ListenAddress& address);

/// "127.0.0.1:8080", as the system has it.
std::string address_of(int socket);

}  // namespace tfvm::cli
