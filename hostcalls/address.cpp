// IP addresses: text forms and the special-purpose registries (iana.org: iana-ipv4-special-registry and
// iana-ipv6-special-registry) as tables.
#include "hostcalls/address.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <cstring>

namespace tfvm::hostcalls {
namespace {

struct Network {
  std::array<std::uint8_t, 8> bytes;  ///< the first ones of the address
  unsigned bits;
};

// What no registry calls globally reachable, and what clouds use for their own services.
constexpr Network special_v4[] = {
    {{0}, 8},                  // this network; 0.0.0.0 is the local host on Linux
    {{10}, 8},                 // private
    {{100, 64}, 10},           // shared by a provider's customers; 100.100.100.200 is a metadata service
    {{127}, 8},                // loopback
    {{168, 63, 129, 16}, 32},  // Azure's services for the machine itself, in a public network
    {{169, 254}, 16},          // link-local; 169.254.169.254 is the metadata service
    {{172, 16}, 12},           // private
    {{192, 0, 0}, 24},         // protocol assignments; 192.0.0.192 is a metadata service
    {{192, 0, 2}, 24},         // documentation
    {{192, 88, 99}, 24},       // 6to4 relays
    {{192, 168}, 16},          // private
    {{198, 18}, 15},           // benchmarks
    {{198, 51, 100}, 24},      // documentation
    {{203, 0, 113}, 24},       // documentation
    {{224}, 4},                // multicast
    {{240}, 4},                // reserved, and broadcast
};

constexpr Network global_unicast_v6 = {{0x20}, 3};  // all else is special or not assigned
constexpr Network special_v6[] = {
    {{0x20, 0x01}, 23},              // protocol assignments: Teredo, ORCHID, benchmarks
    {{0x20, 0x01, 0x0d, 0xb8}, 32},  // documentation
    {{0x20, 0x02}, 16},              // 6to4
    {{0x3f, 0xff}, 20},              // documentation
};

constexpr std::array<std::uint8_t, 12> mapped_prefix = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
constexpr std::array<std::uint8_t, 12> nat64_prefix = {0, 0x64, 0xff, 0x9b};

bool has_prefix(const std::uint8_t* bytes, const std::uint8_t* prefix, unsigned bits) {
  const unsigned whole = bits / 8;
  if (std::memcmp(bytes, prefix, whole) != 0) return false;
  const unsigned rest = bits % 8;
  return rest == 0 || ((bytes[whole] ^ prefix[whole]) >> (8 - rest)) == 0;
}

bool has_prefix(const Address& address, const Network& network) {
  return has_prefix(address.bytes.data(), network.bytes.data(), network.bits);
}

/// The IPv4 address in the last four bytes of an IPv6 one.
Address embedded_v4(const Address& address) {
  Address v4;
  std::copy_n(address.bytes.begin() + 12, 4, v4.bytes.begin());
  return v4;
}

}  // namespace

std::optional<Address> Address::parse(std::string_view text) {
  char terminated[INET6_ADDRSTRLEN];
  if (text.size() >= sizeof(terminated) || text.find('\0') != std::string_view::npos) return std::nullopt;
  std::copy(text.begin(), text.end(), terminated);
  terminated[text.size()] = '\0';
  Address address;
  address.is_v6 = text.find(':') != std::string_view::npos;
  // inet_pton takes nothing but these forms, unlike inet_aton: no parts left out, no octal, no hexadecimal.
  if (::inet_pton(address.is_v6 ? AF_INET6 : AF_INET, terminated, address.bytes.data()) != 1) return std::nullopt;
  return address;
}

std::string Address::to_string() const {
  char text[INET6_ADDRSTRLEN];
  ::inet_ntop(is_v6 ? AF_INET6 : AF_INET, bytes.data(), text, sizeof(text));
  return text;
}

bool Address::is_public() const {
  if (!is_v6) {
    return std::none_of(std::begin(special_v4), std::end(special_v4),
                        [&](const Network& network) { return has_prefix(*this, network); });
  }
  if (has_prefix(bytes.data(), mapped_prefix.data(), 96) || has_prefix(bytes.data(), nat64_prefix.data(), 96)) {
    return embedded_v4(*this).is_public();
  }
  return has_prefix(*this, global_unicast_v6) &&
         std::none_of(std::begin(special_v6), std::end(special_v6),
                      [&](const Network& network) { return has_prefix(*this, network); });
}

Address Address::unmapped() const {
  return is_v6 && has_prefix(bytes.data(), mapped_prefix.data(), 96) ? embedded_v4(*this) : *this;
}

bool Address::is_in(const Address& network, unsigned bits) const {
  return is_v6 == network.is_v6 && bits <= (is_v6 ? 128u : 32u) && has_prefix(bytes.data(), network.bytes.data(), bits);
}

}  // namespace tfvm::hostcalls
