// Absolute http and https URLs of outbound requests, and what a redirect makes of them (RFC 3986, RFC 9110
// section 15.4).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "decoder/error.hpp"
#include "hostcalls/address.hpp"

namespace tfvm::hostcalls {

/// Value type. Made by parse and resolve only, so that everything in it is legal where it is going to stand.
struct OutboundUrl {
  bool is_tls = false;
  std::string host;                ///< lower case, without brackets and final dot: a name, or `literal` as written
  std::optional<Address> literal;  ///< what the host is, if it is no name
  std::uint16_t port = 80;
  std::string target;  ///< path and query, "/" at least; a request-target

  /// Error: Host: another scheme, user information, a host that is neither name nor address in its usual form
  /// ("127.1", "0x7f000001" and the like among them), a wrong port, illegal characters. A fragment is left out.
  static Result<OutboundUrl> parse(std::string_view text);
  /// What a Location field at this URL leads to. Bytes that no URL may hold are percent-encoded. Error: Host.
  Result<OutboundUrl> resolve(std::string_view reference) const;
  /// Host, and port unless it is the scheme's own; for a Host field.
  std::string authority() const;
  bool has_origin_of(const OutboundUrl& other) const {
    return is_tls == other.is_tls && host == other.host && port == other.port;
  }
};

}  // namespace tfvm::hostcalls
