// OutboundPolicy: its rules' grammar and what they allow.
#include "hostcalls/outbound_policy.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

namespace tfvm::hostcalls {
namespace {

constexpr std::size_t max_name_bytes = 253, max_label_bytes = 63;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

std::string lower_case(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

std::string_view without_final_dot(std::string_view name) {
  if (name.ends_with('.')) name.remove_suffix(1);
  return name;
}

/// A decimal number without sign and leading zeros, at most `max`.
std::optional<unsigned> parse_number(std::string_view text, unsigned max) {
  if (text.empty() || !std::all_of(text.begin(), text.end(), is_digit)) return std::nullopt;
  if (text.size() > 1 && text[0] == '0') return std::nullopt;
  unsigned value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || value > max) return std::nullopt;
  return value;
}

/// "a", or "a:port" split into both. None if the port is wrong. Text with two colons and no brackets is an address.
struct Endpoint {
  std::string_view subject;
  std::uint16_t port = 0;
};
std::optional<Endpoint> split_port(std::string_view text) {
  std::string_view subject = text, rest;
  if (text.starts_with('[')) {
    const std::size_t end = text.find(']');
    if (end == std::string_view::npos) return std::nullopt;
    subject = text.substr(1, end - 1);
    rest = text.substr(end + 1);
    if (subject.find(':') == std::string_view::npos) return std::nullopt;  // brackets are for IPv6
  } else if (std::count(text.begin(), text.end(), ':') == 1) {
    subject = text.substr(0, text.find(':'));
    rest = text.substr(subject.size());
  }
  if (rest.empty()) return Endpoint{subject, 0};
  const std::optional<unsigned> port = rest[0] == ':' ? parse_number(rest.substr(1), 65'535) : std::nullopt;
  if (!port || *port == 0) return std::nullopt;
  return Endpoint{subject, static_cast<std::uint16_t>(*port)};
}

bool is_zero_after(const Address& network, unsigned bits) {
  for (unsigned bit = bits; bit < (network.is_v6 ? 128u : 32u); ++bit) {
    if ((network.bytes[bit / 8] >> (7 - bit % 8)) & 1) return false;
  }
  return true;
}

/// True if `name` ends in '.' and `domain`.
bool is_below(std::string_view name, std::string_view domain) {
  return name.size() > domain.size() + 1 && name.ends_with(domain) && name[name.size() - domain.size() - 1] == '.';
}

}  // namespace

bool is_host_name(std::string_view text) {
  std::string_view name = without_final_dot(text);
  if (name.empty() || name.size() > max_name_bytes) return false;
  std::string_view label;
  for (bool is_last = false; !is_last;) {
    label = name.substr(0, name.find('.'));
    is_last = label.size() == name.size();
    if (!is_last) name.remove_prefix(label.size() + 1);
    if (label.empty() || label.size() > max_label_bytes) return false;
    if (!std::all_of(label.begin(), label.end(),
                     [](char c) { return is_letter(c) || is_digit(c) || c == '-' || c == '_'; })) {
      return false;
    }
  }
  const bool is_hexadecimal = label.starts_with("0x") || label.starts_with("0X");
  return !is_hexadecimal && !std::all_of(label.begin(), label.end(), is_digit);
}

Result<Done> OutboundPolicy::allow(std::string_view rule) {
  Result<Rule> parsed = parse(rule);
  if (!parsed) return parsed.error();
  rules_.push_back(std::move(*parsed));
  return Done{};
}

Result<OutboundPolicy::Rule> OutboundPolicy::parse(std::string_view text) {
  const auto wrong = [&](const char* what) {
    return Error{ErrorKind::Host, "outbound rule '" + printable(text) + "': " + what};
  };
  const std::optional<Endpoint> endpoint = split_port(text);
  if (!endpoint) return wrong("the part after the host is no port");
  std::string_view subject = endpoint->subject;
  Rule rule;
  rule.port = endpoint->port;
  const std::size_t slash = subject.find('/');
  if (const std::optional<Address> address = Address::parse(subject.substr(0, slash))) {
    // A mapped address would never be compared: what is connected to is IPv4.
    if (*address != address->unmapped()) return wrong("write it as an IPv4 address");
    const unsigned all_bits = address->is_v6 ? 128 : 32;
    const std::optional<unsigned> bits = slash == std::string_view::npos
                                             ? std::optional<unsigned>(all_bits)
                                             : parse_number(subject.substr(slash + 1), all_bits);
    if (!bits) return wrong("the part after '/' is no length of a prefix");
    if (!is_zero_after(*address, *bits)) return wrong("the network has bits after its prefix");
    rule.network = *address;
    rule.prefix_bits = *bits;
    return rule;
  }
  if (subject == "*") {
    rule.host = "*";
    return rule;
  }
  if (subject.starts_with("*.")) {
    rule.with_subdomains = true;
    subject.remove_prefix(2);
  }
  if (!is_host_name(subject)) return wrong("neither a host name nor an address nor a network");
  rule.host = lower_case(without_final_dot(subject));
  return rule;
}

bool OutboundPolicy::matches(const Rule& rule, std::string_view host, const Address& address) {
  if (rule.host.empty()) return address.is_in(rule.network, rule.prefix_bits);
  if (!address.is_public()) return false;
  if (rule.host == "*") return true;
  const std::string_view name = without_final_dot(host);
  return rule.with_subdomains ? is_below(name, rule.host) : name == rule.host;
}

bool OutboundPolicy::allows(std::string_view host, const Address& address, std::uint16_t port) const {
  const Address target = address.unmapped();
  return std::any_of(rules_.begin(), rules_.end(), [&](const Rule& rule) {
    return (rule.port == 0 || rule.port == port) && matches(rule, host, target);
  });
}

bool OutboundPolicy::covers(const OutboundPolicy& other) const {
  return std::all_of(other.rules_.begin(), other.rules_.end(), [&](const Rule& narrow) {
    return std::any_of(rules_.begin(), rules_.end(), [&](const Rule& wide) { return covers(wide, narrow); });
  });
}

bool OutboundPolicy::covers(const Rule& wide, const Rule& narrow) {
  if (wide.port != 0 && wide.port != narrow.port) return false;
  if (narrow.host.empty()) {
    const bool is_one_address = narrow.prefix_bits == (narrow.network.is_v6 ? 128u : 32u);
    if (wide.host == "*") return is_one_address && narrow.network.is_public();
    return wide.host.empty() && wide.network.is_v6 == narrow.network.is_v6 && wide.prefix_bits <= narrow.prefix_bits &&
           narrow.network.is_in(wide.network, wide.prefix_bits);
  }
  if (wide.host.empty() || wide.host == "*") return wide.host == "*";
  if (narrow.host == "*") return false;
  if (!wide.with_subdomains) return !narrow.with_subdomains && narrow.host == wide.host;
  return is_below(narrow.host, wide.host) || (narrow.with_subdomains && narrow.host == wide.host);
}

}  // namespace tfvm::hostcalls
