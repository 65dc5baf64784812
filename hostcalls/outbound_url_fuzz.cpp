// Whatever a guest asks for and a server redirects to: a URL that parses is one that may stand in a request, and is the
// same when it is written and read again.
#include "hostcalls/outbound_url.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "hostcalls/http.hpp"
#include "hostcalls/outbound_policy.hpp"

using namespace tfvm;
using namespace tfvm::hostcalls;

namespace {

void check(bool promise) {
  if (!promise) std::abort();
}

void check(const Result<OutboundUrl>& url) {
  if (!url) return;
  check(url->port != 0 && url->target.starts_with('/') && is_request_target(url->target));
  check(url->target.find('#') == std::string::npos && is_field_value(url->authority()));
  check(url->literal ? Address::parse(url->host) == url->literal : is_host_name(url->host));
  const Result<OutboundUrl> again =
      OutboundUrl::parse((url->is_tls ? "https://" : "http://") + url->authority() + url->target);
  check(again.ok() && again->has_origin_of(*url) && again->target == url->target && again->literal == url->literal);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  check(OutboundUrl::parse(text));
  const Result<OutboundUrl> base = OutboundUrl::parse("https://a.example:81/b/c?q");
  check(base->resolve(text));
  OutboundPolicy policy;
  if (policy.allow(text)) check(!policy.is_empty());
  if (const std::optional<Address> address = Address::parse(text))
    check(Address::parse(address->to_string()) == address);
  return 0;
}
