// One connection: requests in, responses out, one after the other. Never blocks but while a guest runs; what it needs
// of the server is ServerContext. Internal to the server.
#pragma once

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "cli/serve/cgi.hpp"
#include "cli/serve/function_pool.hpp"
#include "cli/serve/request_parser.hpp"
#include "cli/serve/response_head.hpp"
#include "cli/serve/server.hpp"
#include "cli/serve/transport.hpp"
#include "cli/serve/workers.hpp"

namespace tfvm::serve {

class Connection;

/// What connections share.
struct ServerContext {
  ServerConfig config;
  ServerParts parts;
  boost::asio::io_context io;
  std::unique_ptr<Workers> workers;
  FunctionPool pool;
  ServerMetrics metrics;
  std::atomic<bool> is_draining{false};
  std::atomic<std::uint64_t> buffered_bytes{0};  ///< of bodies
  std::uint64_t id_seed = 0;                     ///< of request ids
  std::atomic<std::uint64_t> next_id{0};
  std::uint16_t https_port = 0;  ///< where redirects go; 0: no TLS listener

  ServerContext(ServerConfig given_config, ServerParts given_parts);
  virtual ~ServerContext() = default;
  virtual void remove(Connection& connection) = 0;
  /// Answers a request on the admin listener.
  virtual hostcalls::HttpResponse answer_admin(const hostcalls::HttpRequest& request) = 0;
};

class Connection final : public std::enable_shared_from_this<Connection>, public Waiter {
 public:
  Connection(ServerContext& server, boost::asio::ip::tcp::socket socket, ListenerKind kind);
  ~Connection();

  /// Begins; on any thread.
  void start();
  /// Ends it if its time is over, or if it is idle and `drains`. From the monitor's thread, while registered.
  void look(SteadyTime now, bool drains);
  void resume(bool is_admitted) override;
  /// Ends it when no thread runs it any more.
  void abandon() { close(); }

 private:
  friend class CgiExchange;
  enum class Phase : std::uint8_t { Handshake, Head, Body, Waiting, Writing, Lingering, Closed };
  enum class Step : std::uint8_t { Go, Stop };

  void advance();
  Step step();
  Step wait(bool for_writing);
  Step handshake();
  Step read_more();
  Step parse();
  Step on_closed_by_client();
  void close();
  void set_expiry(std::chrono::milliseconds duration, std::uint64_t bytes = 0);

  bool hold(std::uint64_t bytes);
  bool has_output() const { return out_begin_ < out_.size(); }
  Transport::Status flush();
  Step write();
  Step after_response();
  Step linger();

  // From a head to a response: connection_request.cpp
  void begin_request();
  void take_head();
  void choose_request_id();
  void make_request_id();
  void choose_client();
  void describe();
  bool answer_without_route();
  void find_route();
  void expect_body();
  Step dispatch();
  void answer(hostcalls::HttpResponse response);
  void answer_status(std::uint16_t status);
  void answer_error_and_close(std::uint16_t status);
  void answer_redirect();
  bool find_acme_challenge();
  void answer_file();
  void finish_response(std::uint16_t status, std::uint64_t body_bytes);
  ResponseHead response_head(std::uint16_t status) const;

  // Functions: connection_function.cpp
  Step enter_function();
  void go_on(bool is_admitted);
  void resumed(bool is_admitted);
  void run_function();
  void run_hostcall_function(const Sandbox::Limits& limits);
  void run_cgi_function(const Sandbox::Limits& limits);
  void note_run(const RunResult& result);
  void report_failure(const RunResult& result, std::string_view problem);
  bool starts_with_part_of_body() const;

  ServerContext& server_;
  boost::asio::ip::tcp::socket socket_;
  Transport transport_;
  ListenerKind kind_;
  Phase phase_ = Phase::Head;
  bool keeps_alive_ = true;
  bool is_head_request_ = false;
  std::string in_;   ///< received, not used yet
  std::string out_;  ///< to be sent, from out_begin_ on
  std::size_t out_begin_ = 0;
  std::string tail_;              ///< a large body, to be sent after out_
  std::uint64_t held_bytes_ = 0;  ///< counted in buffered_bytes
  std::uint64_t phase_bytes_ = 0;
  SteadyTime phase_began_{};
  std::atomic<std::int64_t> expiry_{0};  ///< steady nanoseconds; 0: none
  std::atomic<bool> is_idle_{false};     ///< no request has begun
  std::atomic<bool> is_late_{false};
  std::atomic<bool> may_answer_late_{false};  ///< 408 is still possible

  std::optional<RequestParser> parser_;
  SteadyTime request_began_{};
  std::string request_id_;
  std::string client_;  ///< address of the client, behind trusted proxies
  std::string peer_;
  std::uint16_t peer_port_ = 0;
  std::uint16_t local_port_ = 0;
  bool is_https_ = false;
  std::uint64_t body_limit_ = 0;
  Route route_;
  std::shared_ptr<const StaticFile> file_;  ///< being sent
  bool may_read_ = true;                    ///< false: the socket will say when there is something
  std::uint64_t file_offset_ = 0;
  std::uint64_t file_left_ = 0;
  FunctionState* function_state_ = nullptr;
  bool holds_place_ = false;  ///< in the pool
  std::unique_ptr<Sandbox> sandbox_;
  struct Described {  ///< for the access log, if there is one
    std::string method;
    std::string target;
    std::string host;
    std::string user_agent;
  } described_;
};

}  // namespace tfvm::serve
