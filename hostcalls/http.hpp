// HTTP as the hostcalls and the server see it: fields in order of arrival, whole messages. No bytes on the wire here.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tfvm::hostcalls {

/// One field line. Names compare without case (RFC 9110, 5.1); kept as they came.
struct HeaderField {
  std::string name;
  std::string value;
};

/// The field lines of a message in order.
using Headers = std::vector<HeaderField>;

/// ASCII only.
bool equal_without_case(std::string_view a, std::string_view b);
/// ASCII only.
std::string lower_case(std::string_view text);

/// RFC 9110's token: a method or a field name; not empty.
bool is_token(std::string_view text);
/// A field value without control characters (TAB is legal, bytes from 0x80 are), so that it cannot end its line.
bool is_field_value(std::string_view text);
/// A request-target that guests' URI parsers take: not empty, no space, control character, byte from 0x80 or any of
/// "<>\^` and, in the path, {|}.
bool is_request_target(std::string_view text);
/// Fields that frame a message or belong to one connection: not for guests to set.
bool is_framing_field(std::string_view name);

/// The first value of a field, or none.
std::optional<std::string_view> find_field(const Headers& headers, std::string_view name);
/// Replaces all lines of `name` by `values`, in the place of the first; no values removes the field.
void set_field(Headers& headers, std::string_view name, const std::vector<std::string_view>& values);

struct HttpRequest {
  std::string method = "GET";
  std::string target = "/";  ///< as sent, still encoded, with its query; absolute (http://...) for outbound requests
  Headers headers;
  std::string body;
};

struct HttpResponse {
  std::uint16_t status = 200;
  Headers headers;
  std::string body;
};

}  // namespace tfvm::hostcalls
