// OutboundUrl: parsing (RFC 3986, section 3) and resolution of references (section 5.2).
#include "hostcalls/outbound_url.hpp"

#include <algorithm>
#include <charconv>

#include "hostcalls/http.hpp"
#include "hostcalls/outbound_policy.hpp"

namespace tfvm::hostcalls {
namespace {

Error wrong(const char* what) { return Error{ErrorKind::Host, std::string("outbound URL: ") + what}; }

std::string_view until(std::string_view text, std::string_view ends) {
  return text.substr(0, text.find_first_of(ends));
}

/// RFC 3986, section 5.2.4, for a path that begins with '/'.
std::string without_dot_segments(std::string_view path) {
  std::string result;
  while (!path.empty()) {
    path.remove_prefix(1);  // '/'
    const std::string_view segment = until(path, "/");
    path.remove_prefix(segment.size());
    if (segment == "..") result.erase(std::min(result.rfind('/'), result.size()));
    else if (segment != ".") result.append("/").append(segment);
    if (path.empty() && (segment == "." || segment == "..")) result += '/';
  }
  return result;
}

std::string percent_encoded(std::string_view text) {
  constexpr std::string_view digits = "0123456789ABCDEF", never = "\"<>\\^`{|}";
  std::string encoded;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte > 0x20 && byte < 0x7f && never.find(c) == std::string_view::npos) encoded += c;
    else encoded.append({'%', digits[byte >> 4], digits[byte & 15]});
  }
  return encoded;
}

/// "http" or "https" before the first ':', if that is a scheme's; otherwise what stands there; empty: no scheme.
std::string scheme_of(std::string_view reference) {
  const std::string_view before = until(reference, ":/?#");
  if (before.size() == reference.size() || reference[before.size()] != ':') return {};
  return lower_case(before);
}

Result<Done> read_authority(std::string_view authority, OutboundUrl& url) {
  if (authority.find('@') != std::string_view::npos) return wrong("user information");
  std::string_view host = authority, port;
  if (authority.starts_with('[')) {
    const std::size_t end = authority.find(']');
    if (end == std::string_view::npos) return wrong("a bracket without end");
    host = authority.substr(1, end - 1);
    port = authority.substr(end + 1);
    url.literal = Address::parse(host);
    if (!url.literal || !url.literal->is_v6) return wrong("no IPv6 address in brackets");
  } else {
    host = until(authority, ":");
    port = authority.substr(host.size());
    url.literal = Address::parse(host);
    if (!url.literal && !is_host_name(host)) return wrong("the host is neither a name nor an address");
    if (host.ends_with('.')) host.remove_suffix(1);
  }
  url.host = lower_case(host);
  if (port.empty() || port == ":") return Done{};
  const char* const end = port.data() + port.size();
  const auto [stopped, error] = std::from_chars(port.data() + 1, end, url.port);
  if (port[0] != ':' || error != std::errc{} || stopped != end || url.port == 0) return wrong("the port");
  return Done{};
}

}  // namespace

Result<OutboundUrl> OutboundUrl::parse(std::string_view text) {
  OutboundUrl url;
  const std::string scheme = scheme_of(text);
  if (scheme != "http" && scheme != "https") return wrong("neither http nor https");
  url.is_tls = scheme == "https";
  url.port = url.is_tls ? 443 : 80;
  text = until(text.substr(scheme.size() + 1), "#");
  if (!text.starts_with("//")) return wrong("no host");
  text.remove_prefix(2);
  const std::string_view authority = until(text, "/?");
  if (const Result<Done> done = read_authority(authority, url); !done) return done.error();
  text.remove_prefix(authority.size());
  url.target = text.starts_with('/') ? std::string(text) : "/" + std::string(text);
  if (!is_request_target(url.target)) return wrong("illegal characters");
  return url;
}

Result<OutboundUrl> OutboundUrl::resolve(std::string_view reference) const {
  const std::string encoded = percent_encoded(until(reference, "#"));
  const std::string_view text = encoded;
  const std::string origin = (is_tls ? "https://" : "http://") + authority();
  if (!scheme_of(text).empty()) return parse(text);
  if (text.starts_with("//")) return parse((is_tls ? "https:" : "http:") + encoded);
  const std::string_view path = until(text, "?"), query = text.substr(path.size());
  const std::string_view base_path = until(target, "?"), base_query = std::string_view(target).substr(base_path.size());
  if (path.empty()) return parse(origin + std::string(base_path) + std::string(query.empty() ? base_query : query));
  std::string whole_path(path);
  if (!path.starts_with('/')) whole_path = std::string(base_path.substr(0, base_path.rfind('/') + 1)) + whole_path;
  return parse(origin + without_dot_segments(whole_path) + std::string(query));
}

std::string OutboundUrl::authority() const {
  const std::string name = literal && literal->is_v6 ? "[" + host + "]" : host;
  return port == (is_tls ? 443 : 80) ? name : name + ":" + std::to_string(port);
}

}  // namespace tfvm::hostcalls
