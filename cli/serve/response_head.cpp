// Heads of responses (response_head.hpp).
#include "cli/serve/response_head.hpp"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <utility>

#include "cli/serve/http_date.hpp"

namespace tfvm::serve {
namespace {

struct Reason {
  std::uint16_t status;
  std::string_view phrase;
};

constexpr Reason reasons[] = {
    {100, "Continue"},
    {200, "OK"},
    {201, "Created"},
    {202, "Accepted"},
    {203, "Non-Authoritative Information"},
    {204, "No Content"},
    {205, "Reset Content"},
    {206, "Partial Content"},
    {300, "Multiple Choices"},
    {301, "Moved Permanently"},
    {302, "Found"},
    {303, "See Other"},
    {304, "Not Modified"},
    {307, "Temporary Redirect"},
    {308, "Permanent Redirect"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {402, "Payment Required"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {406, "Not Acceptable"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {410, "Gone"},
    {411, "Length Required"},
    {412, "Precondition Failed"},
    {413, "Content Too Large"},
    {414, "URI Too Long"},
    {415, "Unsupported Media Type"},
    {416, "Range Not Satisfiable"},
    {417, "Expectation Failed"},
    {418, "I'm a teapot"},
    {421, "Misdirected Request"},
    {422, "Unprocessable Content"},
    {425, "Too Early"},
    {426, "Upgrade Required"},
    {428, "Precondition Required"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {451, "Unavailable For Legal Reasons"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {502, "Bad Gateway"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
    {505, "HTTP Version Not Supported"},
    {507, "Insufficient Storage"},
};
static_assert(std::is_sorted(std::begin(reasons), std::end(reasons),
                             [](const Reason& a, const Reason& b) { return a.status < b.status; }));

void append_number(std::string& out, std::uint64_t number) {
  char digits[20];
  const auto end = std::to_chars(digits, digits + sizeof(digits), number).ptr;
  out.append(digits, static_cast<std::size_t>(end - digits));
}

bool is_ours(std::string_view name) {
  // Most names that guests set are none of these: their lengths tell.
  if (name.size() != 4 && name.size() != 12) return false;
  return hostcalls::equal_without_case(name, "date") || hostcalls::equal_without_case(name, "x-request-id");
}

void append_fields(std::string& out, const hostcalls::Headers& headers) {
  for (const hostcalls::HeaderField& field : headers) {
    if (hostcalls::is_framing_field(field.name) || is_ours(field.name)) continue;
    if (!hostcalls::is_token(field.name) || !hostcalls::is_field_value(field.value)) continue;
    out.append(field.name).append(": ").append(field.value).append("\r\n");
  }
}

}  // namespace

std::string_view reason_phrase(std::uint16_t status) {
  const auto* const found =
      std::lower_bound(std::begin(reasons), std::end(reasons), status,
                       [](const Reason& each, std::uint16_t wanted) { return each.status < wanted; });
  return found != std::end(reasons) && found->status == status ? found->phrase : std::string_view("Unknown");
}

bool has_no_body(std::uint16_t status) { return status < 200 || status == 204 || status == 304; }

void append_head(std::string& out, const ResponseHead& head, const hostcalls::Headers& headers,
                 const hostcalls::Headers& more) {
  out.append("HTTP/1.1 ");
  append_number(out, head.status);
  out.append(" ").append(reason_phrase(head.status)).append("\r\n");
  append_fields(out, headers);
  append_fields(out, more);
  if (head.framing == Framing::Length) {
    out.append("Content-Length: ");
    append_number(out, head.content_length);
    out.append("\r\n");
  } else if (head.framing == Framing::Chunked) {
    out.append("Transfer-Encoding: chunked\r\n");
  }
  out.append("Date: ").append(http_date_now());
  if (!head.request_id.empty()) out.append("\r\nX-Request-Id: ").append(head.request_id);
  if (!head.keeps_alive) out.append("\r\nConnection: close");
  else if (head.is_http_1_0) out.append("\r\nConnection: keep-alive");
  out.append("\r\n\r\n");
}

hostcalls::HttpResponse plain_response(std::uint16_t status, std::string_view request_id) {
  hostcalls::HttpResponse response;
  response.status = status;
  if (has_no_body(status)) return response;
  response.headers.push_back({"Content-Type", "text/plain; charset=utf-8"});
  response.body = std::to_string(status) + ' ' + std::string(reason_phrase(status)) + '\n';
  if (!request_id.empty()) response.body += "request id: " + std::string(request_id) + '\n';
  return response;
}

}  // namespace tfvm::serve
