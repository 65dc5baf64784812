// Functions of a connection (connection.hpp): a place in the pool, a run, a response; CGI programs stream both ways.
#include <algorithm>
#include <boost/asio/post.hpp>
#include <charconv>
#include <new>

#include "cli/serve/connection.hpp"
#include "cli/serve/failure_text.hpp"

namespace tfvm::serve {
namespace {

using wasi::Stream;

constexpr std::size_t body_start_bytes = 64u << 10;  ///< a longer body is streamed from there on
constexpr std::size_t held_bytes = 32u << 10;        ///< a shorter response has a length instead of chunks
constexpr std::size_t waiting_output_bytes = 64u << 10;
constexpr std::size_t read_bytes = 64u << 10;

std::uint16_t failure_status(const RunResult& result) {
  return result.trap && result.trap->kind == TrapKind::DeadlineExceeded ? 504 : 500;
}

}  // namespace

/// One run of a CGI program. The guest's thread and the monitor's both touch the connection while it runs.
class CgiExchange final : public CgiSink, public Watched {
 public:
  explicit CgiExchange(Connection& connection, std::uint64_t max_body_bytes)
      : input(*this), connection_(connection), max_body_bytes_(max_body_bytes) {}

  /// The request's body.
  class Input final : public Stream {
   public:
    explicit Input(CgiExchange& exchange) : exchange_(exchange) {}
    Outcome read(std::span<std::uint8_t> buffer) override { return exchange_.read(buffer); }
    bool is_ready() override {
      const std::lock_guard lock(exchange_.mutex_);
      return exchange_.receive() != Status::WouldBlock;
    }
    struct ::pollfd pending() const override { return exchange_.pending(); }

   private:
    CgiExchange& exchange_;
  };
  Input input;

  void begin(std::uint16_t status, hostcalls::Headers headers) override {
    const std::lock_guard lock(mutex_);
    status_ = status;
    headers_ = std::move(headers);
    const std::string& cache_control = connection_.route_.function->settings->cache_control;
    if (!cache_control.empty() && !hostcalls::find_field(headers_, "Cache-Control"))
      headers_.push_back({"Cache-Control", cache_control});
    has_begun_ = true;
  }
  Stream::Outcome body(std::span<const std::uint8_t> bytes) override;
  bool is_ready() override {
    const std::lock_guard lock(mutex_);
    return make_room();
  }
  struct ::pollfd pending() const override {
    return {connection_.transport_.socket(),
            static_cast<short>(connection_.transport_.waits_for_writing() ? POLLOUT : POLLIN), 0};
  }
  // What waits goes out while the program is busy or sleeps.
  void on_slow() override {
    const std::unique_lock lock(mutex_, std::try_to_lock);
    if (!lock || !has_begun_ || is_broken_) return;
    if (!is_committed_) commit();
    if (connection_.has_output()) send();
  }

  bool is_committed() const { return is_committed_; }
  bool is_too_long() const { return is_too_long_; }
  std::uint64_t body_bytes() const { return body_bytes_; }
  std::uint16_t status() const { return status_; }
  bool has_whole_input() const { return is_input_done_; }
  void input_is_done() { is_input_done_ = true; }

  /// The response of a program that wrote little: it has a length.
  hostcalls::HttpResponse take_response() { return {status_, std::move(headers_), std::move(held_)}; }
  void end_body() {
    if (framing_ == Framing::Chunked && !connection_.is_head_request_) connection_.out_ += "0\r\n\r\n";
  }

 private:
  Stream::Outcome read(std::span<std::uint8_t> buffer);
  Stream::Status receive();
  void commit();
  void add(std::string_view bytes);
  bool make_room();
  void send() { is_broken_ = connection_.flush() == Transport::Status::Closed; }

  Connection& connection_;
  std::uint64_t max_body_bytes_;
  std::mutex mutex_;
  std::uint16_t status_ = 0;
  hostcalls::Headers headers_;
  std::string held_;
  Framing framing_ = Framing::Chunked;
  std::uint64_t body_bytes_ = 0;
  std::size_t input_begin_ = 0;
  bool has_begun_ = false;
  bool is_committed_ = false;
  bool is_broken_ = false;
  bool is_too_long_ = false;
  bool is_input_done_ = false;
};

// Moved: there is something in the request's body, or it is at its end.
Stream::Status CgiExchange::receive() {
  RequestParser& parser = *connection_.parser_;
  while (input_begin_ == parser.request().body.size() && !is_input_done_) {
    parser.request().body.clear();
    input_begin_ = 0;
    std::size_t used = 0;
    const RequestParser::Progress progress = parser.parse(connection_.in_, used);
    connection_.in_.erase(0, used);
    if (progress == RequestParser::Progress::Bad) return Stream::Status::Failed;
    is_input_done_ = progress == RequestParser::Progress::Done;
    if (is_input_done_ || !parser.request().body.empty()) break;
    if (connection_.has_output()) send();  // "100 Continue" may be among it
    char buffer[read_bytes];
    const Transport::Outcome outcome = connection_.transport_.read(buffer, sizeof(buffer));
    if (outcome.status == Transport::Status::WouldBlock) return Stream::Status::WouldBlock;
    if (outcome.status == Transport::Status::Closed) return Stream::Status::Failed;
    connection_.in_.append(buffer, outcome.bytes);
  }
  return Stream::Status::Moved;
}

Stream::Outcome CgiExchange::read(std::span<std::uint8_t> buffer) {
  const std::lock_guard lock(mutex_);
  if (const Stream::Status status = receive(); status != Stream::Status::Moved) return {status};
  const std::string_view rest = std::string_view(connection_.parser_->request().body).substr(input_begin_);
  const std::size_t count = std::min(rest.size(), buffer.size());
  std::copy_n(rest.begin(), count, buffer.begin());
  input_begin_ += count;
  return {Stream::Status::Moved, count};
}

// The head goes out; the body's length is not known.
void CgiExchange::commit() {
  is_committed_ = true;
  ResponseHead head = connection_.response_head(status_);
  if (has_no_body(status_)) {
    framing_ = Framing::None;
  } else if (head.is_http_1_0) {
    framing_ = Framing::Close;
    connection_.keeps_alive_ = head.keeps_alive = false;
  }
  head.framing = framing_;
  append_head(connection_.out_, head, headers_, connection_.route_.headers);
  add(held_);
  held_ = {};
}

void CgiExchange::add(std::string_view bytes) {
  if (bytes.empty() || connection_.is_head_request_ || framing_ == Framing::None) return;
  std::string& out = connection_.out_;
  if (framing_ == Framing::Chunked) {
    char digits[16];
    const auto end = std::to_chars(digits, digits + sizeof(digits), bytes.size(), 16).ptr;
    out.append(digits, static_cast<std::size_t>(end - digits)).append("\r\n");
  }
  out.append(bytes);
  if (framing_ == Framing::Chunked) out.append("\r\n");
}

bool CgiExchange::make_room() {
  const auto waiting = [this] { return connection_.out_.size() - connection_.out_begin_; };
  if (waiting() >= waiting_output_bytes) send();
  return is_broken_ || waiting() < waiting_output_bytes;
}

Stream::Outcome CgiExchange::body(std::span<const std::uint8_t> bytes) {
  const std::lock_guard lock(mutex_);
  if (!make_room()) return {Stream::Status::WouldBlock};
  is_too_long_ = is_too_long_ || body_bytes_ + bytes.size() > max_body_bytes_;
  if (is_broken_ || is_too_long_) return {Stream::Status::Failed};
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()),
                              std::min(bytes.size(), waiting_output_bytes));
  body_bytes_ += text.size();
  if (is_committed_) {
    add(text);
  } else {
    held_ += text;
    if (held_.size() > held_bytes) commit();
  }
  return {Stream::Status::Moved, text.size()};
}

bool Connection::starts_with_part_of_body() const {
  return route_.kind == Route::Kind::Function && phase_ == Phase::Body && route_.function->kind == FunctionKind::Cgi &&
         parser_->body_bytes() >= body_start_bytes;
}

Connection::Step Connection::enter_function() {
  phase_ = Phase::Waiting;  // before it can be resumed by another thread
  switch (server_.pool.enter(route_.function, shared_from_this(), function_state_, sandbox_)) {
    case FunctionPool::Verdict::Wait: return Step::Stop;
    case FunctionPool::Verdict::Run: run_function(); return Step::Go;
    case FunctionPool::Verdict::Refused: break;
  }
  resumed(false);
  return Step::Go;
}

void Connection::resume(bool is_admitted) {
  boost::asio::post(server_.io, [self = shared_from_this(), is_admitted] {
    self->go_on(is_admitted);
    self->server_.workers->leave_if_replaced();
  });
}

void Connection::go_on(bool is_admitted) {
  try {
    resumed(is_admitted);
  } catch (const std::bad_alloc&) {
    server_.parts.log->message("out of memory: a connection was closed");
    return close();
  }
  advance();
}

void Connection::resumed(bool is_admitted) {
  if (is_admitted) {
    sandbox_ = server_.pool.take(route_.function);
    return run_function();
  }
  server_.metrics.refused_requests.fetch_add(1, std::memory_order_relaxed);
  if (!parser_->is_complete()) keeps_alive_ = false;
  hostcalls::HttpResponse response = plain_response(503, request_id_);
  response.headers.push_back({"Retry-After", "1"});
  answer(std::move(response));
}

void Connection::run_function() {
  holds_place_ = true;
  if (!sandbox_) sandbox_ = std::make_unique<Sandbox>(route_.function, server_.parts.sandbox);
  Sandbox::Limits limits;
  limits.workers = server_.workers.get();
  limits.deadline = std::chrono::steady_clock::now() + route_.function->settings->timeout;
  if (route_.function->kind == FunctionKind::Hostcall) run_hostcall_function(limits);
  else run_cgi_function(limits);
}

// The run is over: what it cost, and its place for others.
void Connection::note_run(const RunResult& result) {
  FunctionMetrics& metrics = function_state_->metrics;
  metrics.instantiation.add(result.instantiation);
  if (result.first_instruction != SteadyTime()) metrics.time_to_guest.add(result.first_instruction - request_began_);
  if (result.fuel != 0) metrics.fuel.fetch_add(result.fuel, std::memory_order_relaxed);
  metrics.saw_memory(result.memory_bytes);
  holds_place_ = false;
  server_.pool.leave(*function_state_, std::move(sandbox_));
}

void Connection::report_failure(const RunResult& result, std::string_view problem) {
  FunctionMetrics& metrics = function_state_->metrics;
  if (result.trap && result.trap->kind != TrapKind::Exit)
    (result.trap->kind == TrapKind::DeadlineExceeded ? metrics.deadlines : metrics.traps)
        .fetch_add(1, std::memory_order_relaxed);
  const std::string text = failure_text(result, problem, function_state_->name);
  function_state_->set_error(text.substr(0, text.find('\n')) + " (request " + request_id_ + ')');
  server_.parts.log->message("request " + request_id_ + ": " + text);
}

void Connection::run_hostcall_function(const Sandbox::Limits& limits) {
  hostcalls::HttpResponse response;
  const RunResult result = sandbox_->run(std::move(parser_->request()), response, limits);
  note_run(result);
  if (!result.ok()) {
    report_failure(result, {});
    return answer_status(failure_status(result));
  }
  const std::string& cache_control = route_.function->settings->cache_control;
  if (!cache_control.empty() && !hostcalls::find_field(response.headers, "Cache-Control"))
    response.headers.push_back({"Cache-Control", cache_control});
  answer(std::move(response));
}

void Connection::run_cgi_function(const Sandbox::Limits& limits) {
  const FunctionSettings& settings = *route_.function->settings;
  CgiExchange exchange(*this, settings.hostcall_limits.max_response_bytes);
  if (parser_->is_complete()) exchange.input_is_done();
  CgiOutput output(exchange, settings.hostcall_limits.max_header_bytes, settings.hostcall_limits.max_headers);
  const CgiRequest described{.request = parser_->request(),
                             .script_name = route_.script_name,
                             .path_info = route_.path_info,
                             .host = parser_->host(),
                             .client_address = client_,
                             .client_port = peer_port_,
                             .server_port = local_port_,
                             .user = route_.user,
                             .request_id = request_id_,
                             .content_length = parser_->content_length(),
                             .is_tls = is_https_,
                             .is_http_1_0 = parser_->is_http_1_0()};
  Sandbox::Limits watched = limits;
  watched.watched = &exchange;
  const RunResult result =
      sandbox_->run(Sandbox::Cgi{&exchange.input, &output, cgi_environment(described, settings.environment)},
                    parser_->request(), watched);
  note_run(result);
  std::string problem = output.problem();
  if (exchange.is_too_long()) problem = "the response is longer than the limit";
  const bool has_left = result.trap && result.trap->kind == TrapKind::Exit;
  const bool is_good = (result.ok() || (has_left && output.has_head())) && problem.empty() && output.has_head();
  if (problem.empty() && result.ok() && !output.has_head()) problem = "the program wrote no header";
  if (!is_good || !result.ok()) report_failure(result, problem);
  if (!exchange.has_whole_input()) keeps_alive_ = false;
  if (!is_good && exchange.is_committed()) return close();  // an end would say that it was whole
  if (!is_good) return answer_status(failure_status(result));
  if (!exchange.is_committed()) return answer(exchange.take_response());
  exchange.end_body();
  finish_response(exchange.status(), exchange.body_bytes());
}

}  // namespace tfvm::serve
