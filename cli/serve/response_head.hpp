// The head of a response as bytes: status line, the fields that the server itself adds, framing.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "hostcalls/http.hpp"

namespace tfvm::serve {

/// "Not Found"; "Unknown" for a status without a name.
std::string_view reason_phrase(std::uint16_t status);

/// How the end of the body is told.
enum class Framing : std::uint8_t { Length, Chunked, Close, None };

struct ResponseHead {
  std::uint16_t status = 200;
  Framing framing = Framing::Length;
  std::uint64_t content_length = 0;  ///< with Framing::Length
  bool keeps_alive = true;
  bool is_http_1_0 = false;  ///< of the request: keep-alive must then be said
  std::string_view request_id;
};

/// True for a status that has no body, ever: 1xx, 204, 304.
bool has_no_body(std::uint16_t status);

/// Appends the head; `headers` and `more` without framing fields, which are skipped, and without what is no field.
void append_head(std::string& out, const ResponseHead& head, const hostcalls::Headers& headers,
                 const hostcalls::Headers& more);

/// A response of the server's own: a line of text that says what the status says, and the request's id.
hostcalls::HttpResponse plain_response(std::uint16_t status, std::string_view request_id);

}  // namespace tfvm::serve
