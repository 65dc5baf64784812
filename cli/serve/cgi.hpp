// CGI/1.1 (RFC 3875) between a request and a WASI program: its environment, and its standard output as a response.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hostcalls/http.hpp"
#include "wasi/stream.hpp"

namespace tfvm::serve {

/// What the meta-variables are made of. Views live for the call.
struct CgiRequest {
  const hostcalls::HttpRequest& request;
  std::string_view script_name;
  std::string_view path_info;
  std::string_view host;  ///< with its port
  std::string_view client_address;
  std::uint16_t client_port = 0;
  std::uint16_t server_port = 0;
  std::string_view user;  ///< empty: not authenticated
  std::string_view request_id;
  std::optional<std::uint64_t> content_length;
  bool is_tls = false;
  bool is_http_1_0 = false;
};

/// The environment: meta-variables, then `configured` ones ("NAME=value") that are none of them. Fields whose names
/// could be taken for others (with "_"), that belong to the connection, or that attack programs (Proxy) are left out.
std::vector<std::string> cgi_environment(const CgiRequest& request, const std::vector<std::string>& configured);

/// Takes a response as the program writes it.
class CgiSink {
 public:
  /// The head, once, before any body.
  virtual void begin(std::uint16_t status, hostcalls::Headers headers) = 0;
  virtual wasi::Stream::Outcome body(std::span<const std::uint8_t> bytes) = 0;
  virtual bool is_ready() = 0;
  virtual struct ::pollfd pending() const = 0;

 protected:
  ~CgiSink() = default;
};

/// The program's standard output: fields up to an empty line, then the body.
class CgiOutput final : public wasi::Stream {
 public:
  CgiOutput(CgiSink& sink, std::size_t max_head_bytes, std::size_t max_fields)
      : sink_(sink), max_head_bytes_(max_head_bytes), max_fields_(max_fields) {}
  Outcome write(std::span<const std::uint8_t> bytes) override;
  bool is_ready() override { return !has_head_ || sink_.is_ready(); }
  struct ::pollfd pending() const override { return sink_.pending(); }

  bool has_head() const { return has_head_; }
  /// Why there is no response: empty while nothing is wrong.
  const std::string& problem() const { return problem_; }

 private:
  bool take_head(std::string_view head);
  bool take_line(std::string_view line);

  CgiSink& sink_;
  std::size_t max_head_bytes_;
  std::size_t max_fields_;
  std::string head_;
  std::uint16_t status_ = 0;
  hostcalls::Headers headers_;
  bool has_head_ = false;
  std::string problem_;
};

}  // namespace tfvm::serve
