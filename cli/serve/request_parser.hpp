// Requests from bytes (RFC 9112): Boost.Beast's parser, with all that could be read in two ways refused: a length given
// twice, both framings, folded lines, other codings than "chunked", a missing or doubled Host.
#pragma once

#include <boost/beast/http/basic_parser.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "hostcalls/http.hpp"

namespace tfvm::serve {

/// Bounds of a request's head.
struct RequestLimits {
  std::size_t max_target_bytes = 8u << 10;   ///< beyond: 414
  std::size_t max_header_bytes = 32u << 10;  ///< request line and fields together; beyond: 431
  std::size_t max_headers = 100;             ///< field lines; beyond: 431
};

/// One request. Made anew for the next one of a connection.
class RequestParser : private boost::beast::http::basic_parser<true> {
 public:
  explicit RequestParser(const RequestLimits& limits);

  enum class Progress : std::uint8_t {
    NeedMore,  ///< all that could be used was
    HeadDone,  ///< once; the body may follow
    Done,      ///< the message is complete
    Bad,       ///< answer status() and close
  };
  /// Takes what it can use of `bytes`; how much is added to `used`. Bytes of the body are appended to request().body.
  Progress parse(std::string_view bytes, std::size_t& used);

  /// The body may have so many bytes; beyond: 413. None so far.
  void set_body_limit(std::uint64_t bytes) { body_limit_ = bytes; }

  /// What was parsed. A target in absolute form has become one in origin form, its authority host().
  hostcalls::HttpRequest& request() { return request_; }
  const std::string& host() const { return host_; }  ///< with its port, as sent; "" only in HTTP/1.0
  std::optional<std::uint64_t> content_length() const { return content_length_; }
  bool is_chunked() const { return is_chunked_; }
  bool has_body() const { return is_chunked_ || content_length_.value_or(0) > 0; }
  std::uint64_t body_bytes() const { return body_bytes_; }  ///< that were parsed, taken or not
  bool is_http_1_0() const { return is_http_1_0_; }
  bool wants_continue() const { return wants_continue_; }
  bool keeps_alive() const { return keeps_alive_; }
  bool has_started() const { return has_started_; }
  bool has_head() const { return has_head_; }
  bool is_complete() const { return is_done(); }
  std::uint16_t status() const { return status_; }

 private:
  using Base = boost::beast::http::basic_parser<true>;
  using Code = boost::beast::error_code;
  using Text = boost::beast::string_view;

  Progress bad(std::uint16_t status);
  Progress finish_head();
  bool take_authority_of_target();
  void refuse(Code& code, std::uint16_t status);
  void take_framing_field(boost::beast::http::field field, std::string_view value, Code& code);

  void on_request_impl(boost::beast::http::verb, Text method, Text target, int version, Code& code) override;
  void on_response_impl(int, Text, int, Code&) override {}
  void on_field_impl(boost::beast::http::field field, Text name, Text value, Code& code) override;
  void on_header_impl(Code&) override {}
  void on_body_init_impl(const boost::optional<std::uint64_t>&, Code&) override {}
  std::size_t on_body_impl(Text body, Code& code) override;
  void on_chunk_header_impl(std::uint64_t, Text extensions, Code& code) override;
  std::size_t on_chunk_body_impl(std::uint64_t, Text body, Code& code) override { return on_body_impl(body, code); }
  void on_finish_impl(Code&) override {}

  RequestLimits limits_;
  hostcalls::HttpRequest request_;
  std::string host_;
  std::string_view window_;  ///< the bytes that Beast sees now
  std::size_t head_bytes_ = 0;
  std::size_t headers_ = 0;
  std::size_t hosts_ = 0;
  std::size_t chunk_overhead_ = 0;
  std::uint64_t body_limit_ = UINT64_MAX;
  std::uint64_t body_bytes_ = 0;
  std::optional<std::uint64_t> content_length_;
  std::uint16_t status_ = 0;
  bool has_started_ = false;
  bool has_line_ = false;
  bool has_head_ = false;
  bool is_chunked_ = false;
  bool is_http_1_0_ = false;
  bool wants_continue_ = false;
  bool keeps_alive_ = true;
};

}  // namespace tfvm::serve
