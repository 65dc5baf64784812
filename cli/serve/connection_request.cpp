// Requests of a connection (connection.hpp): from a head to a route, from a route to a response.
#include <algorithm>
#include <fcntl.h>
#include <unistd.h>

#include "cli/serve/connection.hpp"
#include "cli/serve/file_response.hpp"

namespace tfvm::serve {
namespace {

using hostcalls::HttpResponse;

constexpr std::uint64_t max_ignored_body_bytes = 1u << 20;  ///< of requests that no function takes
constexpr std::uint64_t small_file_bytes = 32u << 10;
constexpr std::size_t large_body_bytes = 64u << 10;
constexpr std::string_view acme_prefix = "/.well-known/acme-challenge/";

bool is_sane_id(std::string_view id) {
  return !id.empty() && id.size() <= 64 && std::all_of(id.begin(), id.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
           c == '.';
  });
}

// Spreads a counter over all 64 bits (the finaliser of SplitMix64).
std::uint64_t mixed(std::uint64_t number) {
  number = (number ^ (number >> 30)) * 0xbf58476d1ce4e5b9u;
  number = (number ^ (number >> 27)) * 0x94d049bb133111ebu;
  return number ^ (number >> 31);
}

bool is_trusted(const ServerConfig& config, std::string_view text) {
  const auto address = hostcalls::Address::parse(text);
  return address &&
         std::any_of(config.trusted_proxies.begin(), config.trusted_proxies.end(), [&](const TrustedProxy& proxy) {
           return address->is_v6 == proxy.network.is_v6 && address->is_in(proxy.network, proxy.bits);
         });
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

std::string_view without_port(std::string_view host) {
  const std::size_t colon = host.rfind(':');
  if (colon == std::string_view::npos || host.find(']', colon) != std::string_view::npos) return host;
  return host.substr(0, colon);
}

}  // namespace

void Connection::begin_request() {
  request_began_ = std::chrono::steady_clock::now();
  is_idle_ = false;
  may_answer_late_ = true;
  phase_bytes_ = 0;
  phase_began_ = request_began_;
  const auto expiry = request_began_ + server_.config.timeouts.header;
  expiry_.store(std::chrono::duration_cast<std::chrono::nanoseconds>(expiry.time_since_epoch()).count(),
                std::memory_order_relaxed);
  parser_.emplace(server_.config.request);
}

void Connection::take_head() {
  const hostcalls::HttpRequest& request = parser_->request();
  keeps_alive_ = parser_->keeps_alive() && !server_.is_draining.load(std::memory_order_relaxed);
  is_head_request_ = request.method == "HEAD";
  is_https_ = transport_.is_tls();
  choose_request_id();
  choose_client();
  if (server_.parts.log->wants_access()) describe();
  phase_ = Phase::Body;
  phase_bytes_ = 0;
  if (answer_without_route()) return;
  if (kind_ != ListenerKind::Admin && kind_ != ListenerKind::Redirect) find_route();
  expect_body();
}

void Connection::choose_request_id() {
  const auto given = hostcalls::find_field(parser_->request().headers, "X-Request-Id");
  if (given && is_sane_id(*given)) {
    request_id_ = *given;
    return;
  }
  make_request_id();
}

void Connection::make_request_id() {
  const std::uint64_t number = mixed(server_.id_seed + server_.next_id.fetch_add(1, std::memory_order_relaxed));
  request_id_.resize(16);
  for (unsigned i = 0; i < 16; ++i) request_id_[i] = "0123456789abcdef"[number >> (60 - 4 * i) & 15];
}

// The last address before those of trusted proxies.
void Connection::choose_client() {
  if (server_.config.trusted_proxies.empty() || !is_trusted(server_.config, peer_)) {
    if (client_.empty() || client_ != peer_) client_ = peer_;
    return;
  }
  client_ = peer_;
  std::string chain;
  for (const hostcalls::HeaderField& field : parser_->request().headers)
    if (hostcalls::equal_without_case(field.name, "X-Forwarded-For"))
      chain.append(chain.empty() ? "" : ",").append(field.value);
  std::string_view rest = chain;
  while (!rest.empty()) {
    const std::size_t comma = rest.rfind(',');
    const std::string_view address = trimmed(comma == std::string_view::npos ? rest : rest.substr(comma + 1));
    if (!hostcalls::Address::parse(address)) break;
    client_ = address;
    if (!is_trusted(server_.config, address) || comma == std::string_view::npos) break;
    rest = rest.substr(0, comma);
  }
  if (const auto scheme = hostcalls::find_field(parser_->request().headers, "X-Forwarded-Proto"))
    is_https_ = hostcalls::equal_without_case(*scheme, "https");
}

void Connection::describe() {
  const hostcalls::HttpRequest& request = parser_->request();
  described_ = {request.method, request.target, parser_->host(), {}};
  if (const auto agent = hostcalls::find_field(request.headers, "User-Agent")) described_.user_agent = *agent;
}

// What is answered alike for all hosts and paths.
bool Connection::answer_without_route() {
  const hostcalls::HttpRequest& request = parser_->request();
  if (request.method == "CONNECT" || request.method == "TRACE") {
    answer_error_and_close(501);
    return true;
  }
  if (request.target != "*") return false;
  HttpResponse response;
  response.status = 204;
  response.headers.push_back({"Allow", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"});
  if (parser_->has_body()) keeps_alive_ = false;
  answer(std::move(response));
  return true;
}

void Connection::find_route() {
  if (!server_.config.acme_webroot.empty() && find_acme_challenge()) return;
  const hostcalls::HttpRequest& request = parser_->request();
  Sites& sites = *server_.parts.sites;
  if (sites.route_quickly(request, parser_->host(), route_)) return;
  const SteadyTime now = std::chrono::steady_clock::now();
  const Workers::Section section(*server_.workers, now, SteadyTime::max(), nullptr);
  route_ = sites.route_slowly(request, parser_->host());
}

bool Connection::find_acme_challenge() {
  const std::string_view target = parser_->request().target;
  if (!target.starts_with(acme_prefix)) return false;
  const std::string_view token = target.substr(acme_prefix.size());
  const bool is_token = is_sane_id(token) && token.find('.') == std::string_view::npos;
  const std::string path = server_.config.acme_webroot + std::string(acme_prefix) + std::string(token);
  const int file = is_token ? ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | O_NOFOLLOW) : -1;
  route_ = {};
  if (file >= 0) route_.file = StaticFile::adopt(file, "challenge.txt");
  route_.kind = route_.file ? Route::Kind::File : Route::Kind::Answer;
  if (!route_.file) route_.answer = plain_response(404, request_id_);
  return true;
}

// Says how much of a body may come, or answers at once if it is too much.
void Connection::expect_body() {
  const bool has_function = route_.kind == Route::Kind::Function && route_.function != nullptr;
  body_limit_ = has_function ? route_.function->settings->max_request_body_bytes : max_ignored_body_bytes;
  parser_->set_body_limit(body_limit_);
  if (parser_->content_length().value_or(0) > body_limit_) return answer_error_and_close(413);
  if (!parser_->has_body()) return;
  set_expiry(server_.config.timeouts.body);
  if (!parser_->wants_continue() || parser_->is_http_1_0() || !in_.empty()) return;
  if (!has_function) {  // the body would be for nothing
    keeps_alive_ = false;
    dispatch();
    return;
  }
  out_ += "HTTP/1.1 100 Continue\r\n\r\n";
}

// The request is there, or all of it that is waited for.
Connection::Step Connection::dispatch() {
  expiry_.store(0, std::memory_order_relaxed);
  may_answer_late_ = false;
  if (kind_ == ListenerKind::Admin) {
    answer(server_.answer_admin(parser_->request()));
    return Step::Go;
  }
  if (kind_ == ListenerKind::Redirect) {
    const bool is_challenge = !server_.config.acme_webroot.empty() && find_acme_challenge();
    if (!is_challenge) {
      answer_redirect();
      return Step::Go;
    }
  }
  switch (route_.kind) {
    case Route::Kind::Function: return enter_function();
    case Route::Kind::File: answer_file(); break;
    case Route::Kind::Answer: {
      HttpResponse response = std::move(route_.answer);
      if (response.body.empty() && response.headers.empty() && response.status >= 400)
        response = plain_response(response.status, request_id_);
      answer(std::move(response));
      break;
    }
  }
  return Step::Go;
}

void Connection::answer_redirect() {
  HttpResponse response;
  response.status = 308;
  std::string location = "https://" + std::string(without_port(parser_->host()));
  if (server_.https_port != 443 && server_.https_port != 0) location += ':' + std::to_string(server_.https_port);
  response.headers.push_back({"Location", location + parser_->request().target});
  if (parser_->host().empty()) response = plain_response(400, request_id_);
  answer(std::move(response));
}

ResponseHead Connection::response_head(std::uint16_t status) const {
  ResponseHead head;
  head.status = status;
  head.keeps_alive = keeps_alive_;
  head.is_http_1_0 = parser_ && parser_->is_http_1_0();
  head.request_id = request_id_;
  return head;
}

void Connection::answer(HttpResponse response) {
  if (response.body.size() >= large_body_bytes && !is_head_request_ && !hold(response.body.size()))
    response = plain_response(503, request_id_);
  ResponseHead head = response_head(response.status);
  head.content_length = response.body.size();
  if (has_no_body(response.status)) {
    head.framing = Framing::None;
    response.body.clear();
  }
  append_head(out_, head, response.headers, route_.headers);
  const std::uint64_t body_bytes = is_head_request_ ? 0 : response.body.size();
  if (body_bytes >= large_body_bytes) tail_ = std::move(response.body);
  else if (body_bytes > 0) out_ += response.body;
  finish_response(response.status, body_bytes);
}

void Connection::answer_status(std::uint16_t status) { answer(plain_response(status, request_id_)); }

void Connection::answer_error_and_close(std::uint16_t status) {
  keeps_alive_ = false;
  is_head_request_ = parser_ && parser_->request().method == "HEAD";
  if (!parser_ || !parser_->has_head()) make_request_id();
  answer_status(status);
}

void Connection::answer_file() {
  const std::shared_ptr<const StaticFile> file = route_.file;
  FilePart part = select_file_part(parser_->request(), *file);
  ResponseHead head = response_head(part.status);
  head.content_length = part.bytes;
  if (part.status == 304) head.framing = Framing::None;
  append_head(out_, head, part.headers, route_.headers);
  const std::uint64_t bytes = is_head_request_ ? 0 : part.bytes;
  if (bytes <= small_file_bytes) {
    const std::size_t before = out_.size();
    out_.resize(before + bytes);
    std::size_t done = 0;
    while (done < bytes) {
      const ssize_t count =
          ::pread(file->fd(), out_.data() + before + done, bytes - done, static_cast<off_t>(part.offset + done));
      if (count <= 0) break;
      done += static_cast<std::size_t>(count);
    }
    if (done < bytes) return close();  // shorter than it was: its length is promised already
  } else {
    file_ = file;
    file_offset_ = part.offset;
    file_left_ = bytes;
  }
  finish_response(part.status, bytes);
}

// Counts and logs; what is to be sent is in out_, tail_ and file_.
void Connection::finish_response(std::uint16_t status, std::uint64_t body_bytes) {
  const auto duration = std::chrono::steady_clock::now() - request_began_;
  server_.metrics.count_response(status);
  if (function_state_ != nullptr) {
    function_state_->metrics.count_response(status);
    function_state_->metrics.duration.add(duration);
    function_state_->metrics.response_bytes.fetch_add(body_bytes, std::memory_order_relaxed);
  }
  if (server_.parts.log->wants_access() && kind_ != ListenerKind::Admin) {
    AccessEntry entry;
    entry.client = client_.empty() ? peer_ : client_;
    entry.method = described_.method;
    entry.host = described_.host;
    entry.target = described_.target;
    if (function_state_ != nullptr) entry.function = function_state_->name;
    entry.request_id = request_id_;
    entry.user_agent = described_.user_agent;
    entry.status = status;
    entry.bytes = body_bytes;
    entry.duration = duration;
    server_.parts.log->access(entry);
  }
  function_state_ = nullptr;
  phase_ = Phase::Writing;
  phase_bytes_ = 0;
  expiry_.store(0, std::memory_order_relaxed);
}

}  // namespace tfvm::serve
