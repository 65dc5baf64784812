// IP addresses as data, and which of them are special (RFC 6890 and the registries that it starts).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tfvm::hostcalls {

/// An IPv4 or IPv6 address in network order. An IPv6 address that embeds an IPv4 one keeps its form.
struct Address {
  std::array<std::uint8_t, 16> bytes{};  ///< IPv4: the first four, the others 0
  bool is_v6 = false;

  /// The usual text forms only: dotted quad of four decimal parts without leading zeros, RFC 4291 for IPv6 without
  /// zone.
  static std::optional<Address> parse(std::string_view text);
  /// The form that parse reads; RFC 5952 for IPv6.
  std::string to_string() const;
  /// False for loopback, private, shared, link-local (metadata services), unique local, multicast, documentation,
  /// benchmark, reserved and unspecified addresses. Looks through IPv4-mapped and NAT64 addresses; those of tunnels
  /// (6to4, Teredo, IPv4-compatible) lead to an IPv4 address too, are used no more, and are never public.
  bool is_public() const;
  /// The IPv4 address that a socket connects to when it is given this IPv4-mapped one; otherwise the address itself.
  Address unmapped() const;
  /// True if the first `bits` bits are those of `network`, which has the same family.
  bool is_in(const Address& network, unsigned bits) const;
  bool operator==(const Address&) const = default;
};

}  // namespace tfvm::hostcalls
