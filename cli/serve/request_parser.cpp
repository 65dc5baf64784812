// Requests from bytes (request_parser.hpp).
#include "cli/serve/request_parser.hpp"

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/beast/http/error.hpp>

namespace tfvm::serve {
namespace {

namespace http = boost::beast::http;

std::string_view view(boost::beast::string_view text) { return {text.data(), text.size()}; }

bool is_digits(std::string_view text) {
  return !text.empty() && text.size() <= 19 &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// reg-name, IPv4 or [IPv6], and a port: what a Host field may hold.
bool is_authority(std::string_view text) {
  return !text.empty() && text.size() <= 300 && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-' ||
           c == '_' || c == ':' || c == '[' || c == ']';
  });
}

// "HTTP/2.0" and the like, as opposed to nonsense.
bool names_other_version(std::string_view bytes) {
  const std::size_t end = bytes.find("\r\n");
  const std::string_view line = bytes.substr(0, end);
  constexpr std::string_view mark = " HTTP/";
  const std::size_t at = line.rfind(mark);
  if (at == std::string_view::npos) return false;
  const std::string_view version = line.substr(at + mark.size());
  return version.size() == 3 && version[0] >= '0' && version[0] <= '9' && version[1] == '.' && version[2] >= '0' &&
         version[2] <= '9';
}

constexpr std::size_t max_method_bytes = 32;
// A chunk's line and the trailers carry nothing for us.
constexpr std::size_t max_chunk_extension_bytes = 4096;

}  // namespace

RequestParser::RequestParser(const RequestLimits& limits) : limits_(limits) {
  header_limit(static_cast<std::uint32_t>(limits.max_header_bytes + limits.max_target_bytes));
  Base::body_limit(UINT64_MAX);  // ours comes with the route; "none" would be less than any length
}

RequestParser::Progress RequestParser::bad(std::uint16_t status) {
  if (status_ == 0) status_ = status;
  return Progress::Bad;
}

RequestParser::Progress RequestParser::parse(std::string_view bytes, std::size_t& used) {
  if (status_ != 0) return Progress::Bad;
  // Empty lines before a request are to be ignored (RFC 9112, 2.2).
  while (!has_started_ && bytes.starts_with("\r\n")) {
    bytes.remove_prefix(2);
    used += 2;
  }
  if (!has_started_ && bytes == "\r") return Progress::NeedMore;
  while (!is_done()) {
    if (bytes.empty()) return Progress::NeedMore;
    has_started_ = true;
    window_ = bytes;
    Code code;
    const std::size_t count = put(boost::asio::const_buffer(bytes.data(), bytes.size()), code);
    bytes.remove_prefix(count);
    used += count;
    if (!has_head_) {
      head_bytes_ += count;
      const bool is_waiting = code == http::error::need_more || code == http::error::header_limit;
      const std::size_t seen = head_bytes_ + (is_waiting ? bytes.size() : 0);
      if (!has_line_ && seen > limits_.max_target_bytes + max_method_bytes) return bad(414);
      if (seen > limits_.max_header_bytes) return bad(431);
    }
    if (code == http::error::need_more) {
      if (has_head_ && bytes.size() > max_chunk_extension_bytes) return bad(400);
      return Progress::NeedMore;
    }
    if (code == http::error::header_limit) return bad(!has_line_ ? 414 : 431);
    if (code == http::error::bad_version && names_other_version(window_)) return bad(505);
    if (code) return bad(400);
    if (!has_head_ && is_header_done()) return finish_head();
  }
  return Progress::Done;
}

RequestParser::Progress RequestParser::finish_head() {
  has_head_ = true;
  keeps_alive_ = keep_alive();
  if (hosts_ > 1 || (hosts_ == 0 && !is_http_1_0_)) return bad(400);
  if (is_chunked_ && is_http_1_0_) return bad(400);
  if (!take_authority_of_target()) return bad(400);
  if (!host_.empty() && !is_authority(host_)) return bad(400);
  return Progress::HeadDone;
}

// "http://host/path" means the host in it, whatever Host says (RFC 9112, 3.2.2).
bool RequestParser::take_authority_of_target() {
  std::string& target = request_.target;
  if (target.starts_with('/')) return true;
  if (target == "*") return request_.method == "OPTIONS";
  const std::size_t scheme_end = target.find("://");
  if (scheme_end == std::string::npos) return request_.method == "CONNECT";
  const std::string_view scheme = std::string_view(target).substr(0, scheme_end);
  if (!hostcalls::equal_without_case(scheme, "http") && !hostcalls::equal_without_case(scheme, "https")) return false;
  const std::size_t begin = scheme_end + 3;
  const std::size_t end = std::min(target.find_first_of("/?#", begin), target.size());
  host_ = target.substr(begin, end - begin);
  target.erase(0, end);
  if (!target.starts_with('/')) target.insert(0, "/");
  hostcalls::set_field(request_.headers, "Host", {host_});
  return !host_.empty();
}

void RequestParser::refuse(Code& code, std::uint16_t status) {
  if (status_ == 0) status_ = status;
  code = http::error::bad_value;
}

void RequestParser::on_request_impl(http::verb, Text method, Text target, int version, Code& code) {
  is_http_1_0_ = version == 10;
  if (target.size() > limits_.max_target_bytes) return refuse(code, 414);
  if (method.size() > max_method_bytes) return refuse(code, 501);
  if (!hostcalls::is_token(view(method)) || !hostcalls::is_request_target(view(target))) return refuse(code, 400);
  has_line_ = true;
  request_.method.assign(method.data(), method.size());
  request_.target.assign(target.data(), target.size());
}

void RequestParser::on_field_impl(http::field field, Text name, Text value, Code& code) {
  if (++headers_ > limits_.max_headers) return refuse(code, 431);
  // What Beast joined from a folded line lies in a buffer of its own.
  const bool is_folded = !value.empty() && (value.data() < window_.data() || value.data() >= window_.end());
  if (is_folded || !hostcalls::is_field_value(view(value))) return refuse(code, 400);
  if (has_head_) return;  // a trailer
  take_framing_field(field, view(value), code);
  if (code) return;
  request_.headers.push_back({std::string(name.data(), name.size()), std::string(value.data(), value.size())});
}

void RequestParser::take_framing_field(http::field field, std::string_view value, Code& code) {
  switch (field) {
    case http::field::content_length: {
      // Beast lets equal lengths pass, also as a list.
      if (content_length_ || !is_digits(value)) return refuse(code, 400);
      content_length_ = 0;
      for (const char digit : value) content_length_ = *content_length_ * 10 + static_cast<unsigned>(digit - '0');
      return;
    }
    case http::field::transfer_encoding:
      if (is_chunked_) return refuse(code, 400);
      if (!hostcalls::equal_without_case(value, "chunked")) return refuse(code, 501);
      is_chunked_ = true;
      return;
    case http::field::host:
      ++hosts_;
      host_ = value;
      return;
    case http::field::expect:
      if (!hostcalls::equal_without_case(value, "100-continue")) return refuse(code, 417);
      wants_continue_ = true;
      return;
    default: return;
  }
}

std::size_t RequestParser::on_body_impl(Text body, Code& code) {
  body_bytes_ += body.size();
  if (body_bytes_ > body_limit_) {
    refuse(code, 413);
    return 0;
  }
  request_.body.append(body.data(), body.size());
  return body.size();
}

void RequestParser::on_chunk_header_impl(std::uint64_t, Text extensions, Code& code) {
  chunk_overhead_ += extensions.size();
  if (chunk_overhead_ > max_chunk_extension_bytes) refuse(code, 400);
}

}  // namespace tfvm::serve
