// Whom a guest may reach: checked on the address that is connected to, after names are resolved, on every hop.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "decoder/error.hpp"
#include "hostcalls/address.hpp"

namespace tfvm::hostcalls {

/// Nothing may be reached by default. Value type.
class OutboundPolicy {
 public:
  /// Adds a rule: "*" (every public address), "host", "*.host", "host:port", an address, a network "10.0.0.0/8", or
  /// "[v6]:port". Private, loopback, link-local, metadata and other special addresses are reached only by a rule that
  /// names the address or a network that holds it, never through a name. Error: Host, with what is wrong.
  Result<Done> allow(std::string_view rule);

  /// True if nothing can be allowed: a request fails without being resolved.
  bool is_empty() const { return rules_.empty(); }
  /// True if a connection to `address`, which `host` (as written in the URL, lower case) resolved to, may be made.
  bool allows(std::string_view host, const Address& address, std::uint16_t port) const;

 private:
  struct Rule {
    std::string host;  ///< lower case; empty: by network; "*": all
    bool with_subdomains = false;
    Address network;
    unsigned prefix_bits = 0;
    std::uint16_t port = 0;  ///< 0: all
  };
  std::vector<Rule> rules_;
};

}  // namespace tfvm::hostcalls
