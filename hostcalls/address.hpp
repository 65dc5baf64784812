// IP addresses as data, and which of them are special (RFC 6890 and the registries that it starts).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tfvm::hostcalls {

/// An IPv4 or IPv6 address in network order. An IPv6 address that embeds an IPv4 one (mapped, compatible, 6to4, NAT64,
/// Teredo) keeps its form; is_public looks through it.
struct Address {
  std::array<std::uint8_t, 16> bytes{};
  bool is_v6 = false;

  /// The usual text forms only: dotted quad of four decimal parts without leading zeros, RFC 4291 for IPv6.
  static std::optional<Address> parse(std::string_view text);
  std::string to_string() const;
  /// False for loopback, private, shared, link-local (metadata services), unique local, multicast, documentation,
  /// benchmark, reserved and unspecified addresses, in every embedding.
  bool is_public() const;
  /// True if the first `bits` bits are those of `network`, which has the same family.
  bool is_in(const Address& network, unsigned bits) const;
  bool operator==(const Address&) const = default;
};

}  // namespace tfvm::hostcalls
