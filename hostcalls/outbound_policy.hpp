// Whom a guest may reach: checked on the address that is connected to, after names are resolved, on every hop.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "decoder/error.hpp"
#include "hostcalls/address.hpp"

namespace tfvm::hostcalls {

/// A name that may be looked up: labels of letters, digits, '-' and '_' up to 63 bytes, 253 bytes together, a dot at
/// the end or not. Not what some programs read as an IPv4 address: a name whose last label is a number ("127.1",
/// "0x7f000001", "1.2.3.4").
bool is_host_name(std::string_view text);

/// Nothing may be reached by default. Value type.
class OutboundPolicy {
 public:
  /// Adds a rule: "*" (every public address), "host", "*.host" (the names below it), an address, a network "10.0.0.0/8"
  /// whose bits after the prefix are 0. All take ":port" at the end, IPv6 ones then in brackets: "[fd00::1]:80",
  /// "[fd00::/8]:80". Private, loopback, link-local, metadata and other special addresses are reached only by a rule
  /// that names the address or a network that holds it, never through a name. Error: Host, with what is wrong.
  Result<Done> allow(std::string_view rule);

  /// True if nothing can be allowed: a request fails without being resolved.
  bool is_empty() const { return rules_.empty(); }
  /// True if a connection to `address`, which `host` (as written in the URL, lower case) resolved to, may be made.
  bool allows(std::string_view host, const Address& address, std::uint16_t port) const;
  /// True if each rule of `other` is within one rule of this: then nothing is reached through `other` alone.
  bool covers(const OutboundPolicy& other) const;

 private:
  struct Rule {
    std::string host;  ///< lower case; empty: by network; "*": all
    bool with_subdomains = false;
    Address network;
    unsigned prefix_bits = 0;
    std::uint16_t port = 0;  ///< 0: all
  };
  static Result<Rule> parse(std::string_view text);
  static bool matches(const Rule& rule, std::string_view host, const Address& address);
  static bool covers(const Rule& wide, const Rule& narrow);
  std::vector<Rule> rules_;
};

}  // namespace tfvm::hostcalls
