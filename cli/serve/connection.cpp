// The life of a connection (connection.hpp): its phases, reading, writing, waiting, closing.
//
//   Handshake -> Head -> Body -> [Waiting] -> Writing -> Head ... -> Lingering -> Closed
#include "cli/serve/connection.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <boost/asio/post.hpp>
#include <new>
#include <sys/socket.h>

#include "cli/serve/static_file.hpp"

namespace tfvm::serve {
namespace {

namespace asio = boost::asio;

constexpr std::size_t read_bytes = 64u << 10;
constexpr std::size_t gathered_bytes = 64u << 10;    ///< of responses to pipelined requests
constexpr std::size_t kept_buffer_bytes = 8u << 10;  ///< of a connection that waits
constexpr std::uint64_t max_lingering_bytes = 4u << 20;
constexpr auto lingering_time = std::chrono::milliseconds(2'000);
constexpr unsigned steps_at_a_time = 256;

std::int64_t nanoseconds(SteadyTime time) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(time.time_since_epoch()).count();
}

void forget(std::string& buffer) {
  if (buffer.capacity() > kept_buffer_bytes) buffer = {};
  else buffer.clear();
}

}  // namespace

Connection::Connection(ServerContext& server, asio::ip::tcp::socket socket, ListenerKind kind)
    : server_(server), socket_(std::move(socket)), transport_(socket_.native_handle()), kind_(kind) {}

Connection::~Connection() {
  if (phase_ != Phase::Closed) close();
}

void Connection::start() {
  boost::system::error_code ignored;
  socket_.native_non_blocking(true, ignored);
  socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
  auto remote = socket_.remote_endpoint(ignored);
  if (const auto& address = remote.address(); address.is_v6() && address.to_v6().is_v4_mapped())
    remote.address(asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6()));
  if (!ignored) peer_ = remote.address().to_string();
  peer_port_ = remote.port();
  local_port_ = socket_.local_endpoint(ignored).port();
  is_idle_ = true;
  set_expiry(server_.config.timeouts.header);
  if (kind_ == ListenerKind::Tls) {
    transport_.use_tls(server_.parts.certificates->new_connection());
    phase_ = Phase::Handshake;
  }
  advance();
}

void Connection::set_expiry(std::chrono::milliseconds duration, std::uint64_t bytes) {
  const auto began = phase_bytes_ == 0 && bytes == 0 ? std::chrono::steady_clock::now() : phase_began_;
  if (bytes == 0) phase_began_ = began;
  phase_bytes_ = bytes;
  const std::chrono::seconds for_bytes(bytes /
                                       std::max<std::uint64_t>(server_.config.timeouts.min_bytes_per_second, 1));
  expiry_.store(nanoseconds(began + duration + for_bytes), std::memory_order_relaxed);
}

void Connection::look(SteadyTime now, bool drains) {
  if (drains && is_idle_.load(std::memory_order_relaxed)) ::shutdown(transport_.socket(), SHUT_RD);
  const std::int64_t expiry = expiry_.load(std::memory_order_relaxed);
  if (expiry == 0 || nanoseconds(now) < expiry) return;
  expiry_.store(0, std::memory_order_relaxed);
  server_.metrics.timeouts.fetch_add(1, std::memory_order_relaxed);
  is_late_ = true;
  // Whoever waits for the socket wakes up and finds the end of it.
  ::shutdown(transport_.socket(), may_answer_late_ ? SHUT_RD : SHUT_RDWR);
}

void Connection::advance() {
  try {
    for (unsigned steps = 0; step() == Step::Go; ++steps) {
      if (steps < steps_at_a_time) continue;
      asio::post(server_.io, [self = shared_from_this()] {
        self->advance();
        self->server_.workers->leave_if_replaced();
      });
      return;
    }
  } catch (const std::bad_alloc&) {
    server_.parts.log->message("out of memory: a connection was closed");
    close();
  }
}

Connection::Step Connection::step() {
  switch (phase_) {
    case Phase::Handshake: return handshake();
    case Phase::Head: return in_.empty() ? read_more() : parse();
    case Phase::Body: return parse();
    case Phase::Writing: return write();
    case Phase::Lingering: return linger();
    case Phase::Waiting:
    case Phase::Closed: break;
  }
  return Step::Stop;
}

// The last thing that a step does: another thread may go on before it returns.
Connection::Step Connection::wait(bool for_writing) {
  socket_.async_wait(for_writing ? asio::socket_base::wait_write : asio::socket_base::wait_read,
                     [self = shared_from_this()](const boost::system::error_code& error) {
                       ServerContext& server = self->server_;
                       if (error) self->close();
                       else self->advance();
                       server.workers->leave_if_replaced();
                     });
  return Step::Stop;
}

Connection::Step Connection::handshake() {
  const Transport::Outcome outcome = transport_.handshake();
  if (outcome.status == Transport::Status::WouldBlock) return wait(transport_.waits_for_writing());
  if (outcome.status == Transport::Status::Closed) {
    server_.metrics.tls_failures.fetch_add(1, std::memory_order_relaxed);
    close();
    return Step::Stop;
  }
  phase_ = Phase::Head;
  return Step::Go;
}

Transport::Status Connection::flush() {
  while (has_output()) {
    const Transport::Outcome outcome = transport_.write(std::string_view(out_).substr(out_begin_));
    if (outcome.status != Transport::Status::Moved) return outcome.status;
    out_begin_ += outcome.bytes;
  }
  forget(out_);
  out_begin_ = 0;
  return Transport::Status::Moved;
}

// What was answered goes out before more is waited for.
Connection::Step Connection::read_more() {
  if (has_output()) {
    const Transport::Status status = flush();
    if (status == Transport::Status::WouldBlock) return wait(transport_.waits_for_writing());
    if (status == Transport::Status::Closed) {
      close();
      return Step::Stop;
    }
  }
  if (!may_read_ && !transport_.has_pending_input()) {
    may_read_ = true;
    return wait(false);
  }
  thread_local char buffer[read_bytes];
  const Transport::Outcome outcome = transport_.read(buffer, sizeof(buffer));
  switch (outcome.status) {
    case Transport::Status::Closed: return on_closed_by_client();
    case Transport::Status::Moved: in_.append(buffer, outcome.bytes); return Step::Go;
    case Transport::Status::WouldBlock: break;
  }
  if (phase_ == Phase::Body) set_expiry(server_.config.timeouts.body, parser_->body_bytes());
  return wait(transport_.waits_for_writing());
}

Connection::Step Connection::on_closed_by_client() {
  if (is_late_ && parser_ && parser_->has_started()) {
    answer_error_and_close(408);
    return Step::Go;
  }
  close();
  return Step::Stop;
}

Connection::Step Connection::parse() {
  if (!parser_) begin_request();
  std::size_t used = 0;
  const RequestParser::Progress progress = parser_->parse(in_, used);
  if (used == in_.size()) forget(in_);
  else in_.erase(0, used);
  switch (progress) {
    case RequestParser::Progress::NeedMore:
      if (starts_with_part_of_body()) return dispatch();
      if (hold(parser_->request().body.size())) return read_more();
      answer_error_and_close(503);
      return Step::Go;
    case RequestParser::Progress::HeadDone: take_head(); return Step::Go;
    case RequestParser::Progress::Done: return dispatch();
    case RequestParser::Progress::Bad: break;
  }
  answer_error_and_close(parser_->status());
  return Step::Go;
}

// Counts what this connection keeps in memory. False: all connections together keep too much.
bool Connection::hold(std::uint64_t bytes) {
  if (bytes == held_bytes_) return true;
  const std::uint64_t change = bytes - held_bytes_;  // may wrap, which adds up all the same
  held_bytes_ = bytes;
  const std::uint64_t all = server_.buffered_bytes.fetch_add(change, std::memory_order_relaxed) + change;
  return bytes == 0 || all <= server_.config.max_buffered_bytes;
}

Connection::Step Connection::write() {
  const bool may_gather = keeps_alive_ && !in_.empty() && tail_.empty() && file_left_ == 0;
  if (may_gather && out_.size() < gathered_bytes) return after_response();
  while (true) {
    Transport::Status status = flush();
    if (status == Transport::Status::Moved && !tail_.empty()) {
      out_ = std::exchange(tail_, {});
      continue;
    }
    while (status == Transport::Status::Moved && file_left_ > 0) {
      const Transport::Outcome sent = transport_.send_file(file_->fd(), file_offset_, file_left_);
      status = sent.status;
      file_offset_ += sent.bytes;
      file_left_ -= sent.bytes;
      phase_bytes_ += sent.bytes;
    }
    if (status == Transport::Status::Moved) return after_response();
    if (status == Transport::Status::Closed) {
      close();
      return Step::Stop;
    }
    if (expiry_.load(std::memory_order_relaxed) == 0) set_expiry(server_.config.timeouts.write);
    else set_expiry(server_.config.timeouts.write, std::max<std::uint64_t>(phase_bytes_ + out_begin_, 1));
    return wait(transport_.waits_for_writing());
  }
}

Connection::Step Connection::after_response() {
  parser_.reset();
  route_ = {};
  file_.reset();
  described_ = {};
  hold(0);
  phase_bytes_ = 0;
  may_answer_late_ = false;
  if (!keeps_alive_) {
    transport_.finish();
    phase_ = Phase::Lingering;
    set_expiry(lingering_time);
    return Step::Go;
  }
  phase_ = Phase::Head;
  may_read_ = false;
  is_idle_ = true;
  set_expiry(server_.config.timeouts.idle);
  // A drain that began in between has looked at this connection already.
  if (server_.is_draining) ::shutdown(transport_.socket(), SHUT_RD);
  return Step::Go;
}

// A close with unread input would make the client's side drop what it has not read of the response.
Connection::Step Connection::linger() {
  thread_local char buffer[read_bytes];
  while (phase_bytes_ <= max_lingering_bytes) {
    const Transport::Outcome outcome = transport_.read(buffer, sizeof(buffer));
    if (outcome.status == Transport::Status::WouldBlock) return wait(transport_.waits_for_writing());
    if (outcome.status == Transport::Status::Closed) break;
    phase_bytes_ += outcome.bytes;
  }
  close();
  return Step::Stop;
}

void Connection::close() {
  if (phase_ == Phase::Closed) return;
  phase_ = Phase::Closed;
  hold(0);
  server_.remove(*this);  // from here on nobody looks at the socket
  if (holds_place_) {
    holds_place_ = false;
    server_.pool.leave(*function_state_, nullptr);
  }
  boost::system::error_code ignored;
  socket_.close(ignored);
}

}  // namespace tfvm::serve
