// HttpExchange: HTTP/1.1 (RFC 9112) over HttpConnection; the parser is Beast's, the request is written here.
#include "hostcalls/http_exchange.hpp"

#include <algorithm>
#include <boost/asio/error.hpp>
#include <boost/beast/http/error.hpp>

namespace tfvm::hostcalls {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using boost::system::error_code;

constexpr std::size_t max_addresses = 8;  // tried of one name
constexpr std::uint32_t max_header_bytes = 64u << 10;
constexpr std::size_t read_bytes = 64u << 10;  // at a time
constexpr std::string_view user_agent = "tfvm";

bool is_one_of(std::string_view name, std::initializer_list<std::string_view> names) {
  return std::any_of(names.begin(), names.end(), [&](std::string_view each) { return equal_without_case(name, each); });
}

void remove_fields(Headers& headers, std::initializer_list<std::string_view> names) {
  std::erase_if(headers, [&](const HeaderField& field) { return is_one_of(field.name, names); });
}

bool is_redirect(unsigned status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

const char* text_of(LookupStatus status) {
  switch (status) {
    case LookupStatus::Found:
    case LookupStatus::NoData: return "the name has no address";
    case LookupStatus::NoSuchName: return "there is no such name";
    case LookupStatus::ServerFailed: return "the DNS server failed";
    case LookupStatus::TimedOut: return "the DNS server did not answer in time";
    case LookupStatus::Cancelled: return "cancelled";
    case LookupStatus::BadName: return "not a host name";
  }
  return "";
}

}  // namespace

HttpExchange::HttpExchange(HttpClientCore& core, HttpRequest request, OutboundPolicy policy,
                           const OutboundLimits& limits, OnResult on_result)
    : core_(core),
      request_(std::move(request)),
      policy_(std::move(policy)),
      limits_(limits),
      on_result_(std::move(on_result)),
      received_(read_bytes + max_header_bytes),
      total_timer_(core.io()),
      phase_timer_(core.io()) {}

HttpExchange::~HttpExchange() = default;

void HttpExchange::start() {
  if (is_cancelled_) return abandon();
  is_counted_ = core_.count_in();
  if (!is_counted_) return fail("too many at the same time", ErrorKind::Limit);
  if (const Result<Done> legal = check_request(); !legal) return end(legal.error());
  Result<OutboundUrl> url = OutboundUrl::parse(request_.target);
  if (!url) return end(url.error());
  url_ = std::move(*url);
  total_timer_.expires_after(limits_.total_timeout);
  total_timer_.async_wait([self = weak_from_this()](error_code error) {
    const std::shared_ptr<HttpExchange> exchange = self.lock();
    if (!error && exchange) exchange->fail("no whole response in time");
  });
  begin_hop();
}

void HttpExchange::abandon() { end(Error{ErrorKind::Host, "outbound request: cancelled"}); }

/// Nothing that the guest says can be more than the part of the message that it is for.
Result<Done> HttpExchange::check_request() {
  const auto wrong = [](const char* what) { return Error{ErrorKind::Host, std::string("outbound request: ") + what}; };
  if (policy_.is_empty()) return wrong("nothing may be reached");
  if (!is_token(request_.method) || request_.method == "CONNECT") return wrong("not a method");
  for (const HeaderField& field : request_.headers) {
    if (!is_token(field.name) || !is_field_value(field.value)) return wrong("an illegal field");
  }
  // The framing is ours, whatever the guest says of it; nobody waits for a 100.
  std::erase_if(request_.headers, [](const HeaderField& field) {
    return is_framing_field(field.name) ||
           is_one_of(field.name, {"expect", "proxy-authorization", "proxy-authenticate"});
  });
  return Done{};
}

void HttpExchange::begin_hop() {
  addresses_.clear();
  was_refused_ = false;
  if (url_.literal) choose({*url_.literal}, true);
  else look_up(false);
}

void HttpExchange::look_up(bool v6) {
  core_.resolve(
      url_.host, v6, [self = shared_from_this()] { return self->is_cancelled_.load(); },
      [self = shared_from_this(), v6](const Resolver::Addresses& found) {
        if (!self->on_result_) return;
        if (found.addresses.empty() && v6 && !self->was_refused_) return self->fail(text_of(found.status));
        self->choose(found.addresses, v6);
      });
}

/// Keeps the addresses that may be reached; exactly these are connected to. IPv6 is asked for if no IPv4 one is left.
void HttpExchange::choose(const std::vector<Address>& found, bool v6) {
  for (const Address& address : found) {
    if (!policy_.allows(url_.host, address, url_.port)) was_refused_ = true;
    else if (addresses_.size() < max_addresses) addresses_.push_back(address);
  }
  std::reverse(addresses_.begin(), addresses_.end());  // the first one is taken from the back
  if (!addresses_.empty()) {
    connect_deadline_ = std::chrono::steady_clock::now() + limits_.connect_timeout;
    connect_next();
  } else if (!v6) {
    look_up(true);
  } else {
    fail(url_.host + " port " + std::to_string(url_.port) + " may not be reached");
  }
}

void HttpExchange::connect_next() {
  if (connection_) connection_->close();
  const Address address = addresses_.back();
  addresses_.pop_back();
  const HttpConnection::Key key{url_.is_tls, url_.host, url_.port, address};
  // Only for what may be sent twice: a connection may be closed by the other side just when it is used again.
  is_reused_ = false;
  if (can_repeat()) {
    connection_ = core_.pool().take(key);
    if (connection_) {
      is_reused_ = true;
      return send();
    }
  }
  connection_ = std::make_shared<HttpConnection>(core_.io(), key);
  // Each address has its share of the time, so that a silent one does not keep the others from being tried.
  const auto left = connect_deadline_ - std::chrono::steady_clock::now();
  limit_phase(left / static_cast<int>(addresses_.size() + 1), [this] {
    if (addresses_.empty()) fail("connecting took too long");
    else connect_next();
  });
  connection_->connect([self = shared_from_this(), connection = connection_](error_code error) {
    if (!self->on_result_ || connection != self->connection_) return;
    if (error && !self->addresses_.empty()) return self->connect_next();
    if (error) return self->fail_by("connecting", error);
    if (self->url_.is_tls) self->shake_hands();
    else self->send();
  });
}

void HttpExchange::shake_hands() {
  const Result<asio::ssl::context*> tls = core_.tls();
  if (!tls) return end(tls.error());
  limit_phase(limits_.connect_timeout, [this] { fail("the TLS handshake took too long"); });
  connection_->shake_hands(**tls, [self = shared_from_this(), connection = connection_](error_code error) {
    if (!self->on_result_ || connection != self->connection_) return;
    if (error) return self->fail_by("TLS", error);
    self->send();
  });
}

void HttpExchange::send() {
  end_phase();
  sent_ = serialized();
  connection_->write(asio::buffer(sent_), [self = shared_from_this(), connection = connection_](error_code error) {
    if (!self->on_result_ || connection != self->connection_) return;
    // A server may answer and close before it has read everything: what it said counts.
    if (error && self->is_reused_) return self->begin_hop();
    self->limit_phase(self->limits_.first_byte_timeout, [late = self.get()] { late->fail("no response in time"); });
    self->expect_response();
    self->read_more();
  });
}

std::string HttpExchange::serialized() const {
  std::string text = request_.method + " " + url_.target + " HTTP/1.1\r\nHost: ";
  text += find_field(request_.headers, "host").value_or(url_.authority());
  text += "\r\n";
  for (const HeaderField& field : request_.headers) {
    if (equal_without_case(field.name, "host")) continue;
    text.append(field.name).append(": ").append(field.value).append("\r\n");
  }
  if (!find_field(request_.headers, "user-agent")) text.append("User-Agent: ").append(user_agent).append("\r\n");
  const bool means_a_body = is_one_of(request_.method, {"POST", "PUT", "PATCH"});
  if (!request_.body.empty() || means_a_body) {
    text += "Content-Length: " + std::to_string(request_.body.size()) + "\r\n";
  }
  return text + "\r\n" + request_.body;
}

bool HttpExchange::can_repeat() const {
  return is_one_of(request_.method, {"GET", "HEAD", "OPTIONS", "PUT", "DELETE"});
}

void HttpExchange::expect_response() {
  parser_.emplace();
  parser_->eager(true);
  parser_->skip(request_.method == "HEAD");
  parser_->header_limit(
      static_cast<std::uint32_t>(std::min<std::uint64_t>(max_header_bytes, limits_.max_response_bytes)));
  parser_->body_limit(limits_.max_response_bytes);
}

void HttpExchange::read_more() {
  const auto room = received_.prepare(std::min(read_bytes, received_.max_size() - received_.size()));
  connection_->read_some(room,
                         [self = shared_from_this(), connection = connection_](error_code error, std::size_t count) {
                           if (self->on_result_ && connection == self->connection_) self->on_bytes(error, count);
                         });
}

void HttpExchange::on_bytes(error_code error, std::size_t count) {
  if (count > 0) end_phase();
  const bool said_nothing = count == 0 && !parser_->got_some() && header_bytes_ == 0;
  if (error && said_nothing && is_reused_) return begin_hop();
  received_.commit(count);
  if (!error) return parse();
  // Without a length the end of the connection is the end of the body; with TLS only if it is said to be.
  if (error != asio::error::eof || !parser_->got_some()) return fail_by("reading the response", error);
  error_code ending;
  parser_->put_eof(ending);
  if (ending) return fail("the response is cut off");
  finish_response(After::Close);
}

void HttpExchange::parse() {
  while (received_.size() > 0 && !parser_->is_done()) {
    const bool had_header = parser_->is_header_done();
    error_code error;
    const std::size_t used = parser_->put(received_.data(), error);
    received_.consume(used);
    if (!had_header) header_bytes_ += used - parser_->get().body().size();
    if (error == http::error::body_limit || error == http::error::header_limit) {
      return fail("the response is too large", ErrorKind::Limit);
    }
    if (error && error != http::error::need_more) return fail("the response is malformed: " + error.message());
    if (header_bytes_ + parser_->get().body().size() > limits_.max_response_bytes) {
      return fail("the response is too large", ErrorKind::Limit);
    }
    if (error == http::error::need_more || used == 0) break;
  }
  if (received_.size() == received_.max_size()) return fail("the response is too large", ErrorKind::Limit);
  if (parser_->is_done()) on_response();
  else read_more();
}

void HttpExchange::on_response() {
  const unsigned status = parser_->get().result_int();
  if (status == 101) return fail("the server switches to another protocol");
  if (status >= 100 && status < 200) {  // interim: the response is still to come
    expect_response();
    return parse();
  }
  finish_response(parser_->keep_alive() && received_.size() == 0 ? After::Reuse : After::Close);
}

void HttpExchange::finish_response(After after) {
  const unsigned status = parser_->get().result_int();
  if (status < 200) return fail("the response is malformed: its status");
  const auto location = parser_->get().find(http::field::location);
  const std::string target = location == parser_->get().end() ? std::string() : std::string(location->value());
  release_connection(after);
  if (is_redirect(status) && !target.empty() && limits_.max_redirects > 0) {
    if (redirect(target)) begin_hop();
    return;
  }
  HttpResponse response;
  response.status = static_cast<std::uint16_t>(status);
  response.headers = response_headers();
  response.body = std::move(parser_->get().body());
  end(std::move(response));
}

Headers HttpExchange::response_headers() const {
  Headers headers;
  for (const auto& field : parser_->get()) {
    const std::string_view name(field.name_string().data(), field.name_string().size());
    // The length is the body's, also for HEAD; all else about the connection is over.
    if (is_framing_field(name) && !equal_without_case(name, "content-length")) continue;
    headers.push_back({std::string(name), std::string(field.value())});
  }
  return headers;
}

/// RFC 9110, section 15.4: what is asked next. False: it has ended.
bool HttpExchange::redirect(std::string_view location) {
  const unsigned status = parser_->get().result_int();
  if (++redirects_ > limits_.max_redirects) return fail("too many redirects"), false;
  Result<OutboundUrl> next = url_.resolve(location);
  if (!next) return end(next.error()), false;
  const bool was_post = request_.method == "POST";
  if ((status == 303 && !is_one_of(request_.method, {"GET", "HEAD"})) ||
      (was_post && (status == 301 || status == 302))) {
    request_.method = "GET";
    request_.body.clear();
    remove_fields(request_.headers, {"content-type", "content-encoding", "content-language", "content-location"});
  }
  if (!next->has_origin_of(url_)) remove_fields(request_.headers, {"authorization", "cookie", "host"});
  url_ = std::move(*next);
  header_bytes_ = 0;
  return true;
}

void HttpExchange::release_connection(After after) {
  std::shared_ptr<HttpConnection> connection = std::move(connection_);
  connection_ = nullptr;
  received_.clear();
  if (after == After::Reuse) core_.pool().give(std::move(connection));
  else connection->close();
}

void HttpExchange::limit_phase(std::chrono::steady_clock::duration timeout, std::function<void()> on_late) {
  const unsigned phase = ++phase_;
  phase_timer_.expires_after(timeout);
  phase_timer_.async_wait([weak = weak_from_this(), phase, on_late = std::move(on_late)](error_code error) {
    const std::shared_ptr<HttpExchange> self = weak.lock();
    if (!error && self && self->on_result_ && self->phase_ == phase) on_late();
  });
}

void HttpExchange::end_phase() {
  ++phase_;
  phase_timer_.cancel();
}

void HttpExchange::fail(std::string what, ErrorKind kind) { end(Error{kind, "outbound request: " + printable(what)}); }

void HttpExchange::fail_by(const char* doing, error_code error) { fail(std::string(doing) + ": " + error.message()); }

void HttpExchange::end(Result<HttpResponse> result) {
  if (!on_result_) return;
  const OnResult on_result = std::exchange(on_result_, nullptr);
  is_cancelled_ = true;  // lookups
  total_timer_.cancel();
  end_phase();
  if (is_counted_) core_.count_out();
  if (connection_) std::exchange(connection_, nullptr)->close();
  on_result(std::move(result));
}

}  // namespace tfvm::hostcalls
