// One outbound request from its URL to its response: look up, check, connect, send, read, follow redirects; within its
// limits of time and size.
#pragma once

#include <atomic>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "hostcalls/http_client.hpp"
#include "hostcalls/http_client_core.hpp"
#include "hostcalls/outbound_url.hpp"

namespace tfvm::hostcalls {

/// On the client's thread, but for cancel(). Keeps itself alive by its pending operations.
class HttpExchange : public std::enable_shared_from_this<HttpExchange> {
 public:
  using OnResult = std::function<void(Result<HttpResponse>)>;

  HttpExchange(HttpClientCore& core, HttpRequest request, OutboundPolicy policy, const OutboundLimits& limits,
               OnResult on_result);
  ~HttpExchange();
  HttpExchange(const HttpExchange&) = delete;
  HttpExchange& operator=(const HttpExchange&) = delete;

  void start();
  /// Nobody waits for the result any more. Any thread; then abandon() on the client's.
  void cancel() { is_cancelled_ = true; }
  void abandon();

 private:
  using Parser = boost::beast::http::response_parser<boost::beast::http::string_body>;
  enum class After : std::uint8_t { Reuse, Close };

  Result<Done> check_request();
  void begin_hop();
  void look_up(bool v6);
  void choose(const std::vector<Address>& found, bool v6);
  void connect_next();
  void shake_hands();
  void send();
  void expect_response();
  void read_more();
  void on_bytes(boost::system::error_code error, std::size_t count);
  void parse();
  void on_response();
  void finish_response(After after);
  bool redirect(std::string_view location);
  Headers response_headers() const;
  void release_connection(After after);

  std::string serialized() const;
  bool can_repeat() const;
  /// Calls `on_late` unless end_phase() or another phase comes first.
  void limit_phase(std::chrono::steady_clock::duration timeout, std::function<void()> on_late);
  void end_phase();
  void fail(std::string what, ErrorKind kind = ErrorKind::Host);
  void fail_by(const char* doing, boost::system::error_code error);
  void end(Result<HttpResponse> result);

  HttpClientCore& core_;
  HttpRequest request_;
  const OutboundPolicy policy_;
  const OutboundLimits limits_;
  OnResult on_result_;  ///< empty: ended
  std::atomic<bool> is_cancelled_{false};

  OutboundUrl url_;
  bool is_counted_ = false;  ///< among the core's
  unsigned redirects_ = 0;
  std::vector<Address> addresses_;  ///< allowed ones that were not tried, the next one last
  bool was_refused_ = false;        ///< an address of the host was not allowed
  std::chrono::steady_clock::time_point connect_deadline_;
  std::shared_ptr<HttpConnection> connection_;
  bool is_reused_ = false;
  std::string sent_;  ///< the request on the wire
  std::optional<Parser> parser_;
  boost::beast::flat_buffer received_;
  std::uint64_t header_bytes_ = 0;  ///< of the response, and of interim ones
  boost::asio::steady_timer total_timer_, phase_timer_;
  unsigned phase_ = 0;  ///< of phase_timer_: one that was late may have been called already
};

}  // namespace tfvm::hostcalls
