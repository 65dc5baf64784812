// HttpConnection over Asio and OpenSSL, HttpConnectionPool.
#include "hostcalls/http_connection.hpp"

#include <algorithm>
#include <boost/asio/write.hpp>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

namespace tfvm::hostcalls {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

asio::ip::tcp::endpoint endpoint_of(const Address& address, std::uint16_t port) {
  if (address.is_v6) return {asio::ip::address_v6(address.bytes), port};
  return {asio::ip::address_v4({address.bytes[0], address.bytes[1], address.bytes[2], address.bytes[3]}), port};
}

/// Says whom we ask for (RFC 6066: names only), and whom the certificate must be for. False: out of memory.
bool expect_host(SSL* ssl, const std::string& host) {
  X509_VERIFY_PARAM* const parameters = SSL_get0_param(ssl);
  SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
  if (Address::parse(host)) return X509_VERIFY_PARAM_set1_ip_asc(parameters, host.c_str()) == 1;
  return SSL_set_tlsext_host_name(ssl, host.c_str()) == 1 && SSL_set1_host(ssl, host.c_str()) == 1;
}

}  // namespace

void HttpConnection::connect(OnDone on_done) {
  socket_.async_connect(endpoint_of(key_.address, key_.port), [this, on_done = std::move(on_done)](error_code error) {
    if (!error) {
      error_code ignored;
      socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
    }
    on_done(error);
  });
}

void HttpConnection::shake_hands(asio::ssl::context& context, OnDone on_done) {
  tls_.emplace(socket_, context);
  if (!expect_host(tls_->native_handle(), key_.host)) return on_done(asio::error::no_memory);
  tls_->async_handshake(asio::ssl::stream_base::client, std::move(on_done));
}

void HttpConnection::write(asio::const_buffer bytes, OnDone on_done) {
  const auto on_written = [on_done = std::move(on_done)](error_code error, std::size_t) { on_done(error); };
  if (tls_) asio::async_write(*tls_, bytes, on_written);
  else asio::async_write(socket_, bytes, on_written);
}

void HttpConnection::read_some(asio::mutable_buffer room, OnBytes on_bytes) {
  if (tls_) tls_->async_read_some(room, std::move(on_bytes));
  else socket_.async_read_some(room, std::move(on_bytes));
}

void HttpConnection::close() {
  error_code ignored;
  socket_.close(ignored);
}

bool HttpConnection::is_quiet() {
  char byte;
  return socket_.is_open() && ::recv(socket_.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 &&
         (errno == EAGAIN || errno == EWOULDBLOCK);
}

std::shared_ptr<HttpConnection> HttpConnectionPool::take(const HttpConnection::Key& key) {
  while (true) {
    const auto found =
        std::find_if(idle_.rbegin(), idle_.rend(), [&](const Idle& idle) { return idle.connection->key() == key; });
    if (found == idle_.rend()) return nullptr;
    std::shared_ptr<HttpConnection> connection = std::move(found->connection);
    idle_.erase(std::next(found).base());
    if (connection->is_quiet()) return connection;
  }
}

void HttpConnectionPool::give(std::shared_ptr<HttpConnection> connection) {
  const auto of_key = std::count_if(idle_.begin(), idle_.end(),
                                    [&](const Idle& idle) { return idle.connection->key() == connection->key(); });
  if (static_cast<std::size_t>(of_key) >= max_idle_of_key) return;
  if (idle_.size() >= max_idle) idle_.erase(idle_.begin());
  idle_.push_back({std::move(connection), std::chrono::steady_clock::now() + idle_time});
  if (!is_sweeping_) sweep();
}

void HttpConnectionPool::clear() {
  idle_.clear();
  timer_.cancel();
}

/// Closes what has waited too long, then waits for the next one's time.
void HttpConnectionPool::sweep() {
  const auto now = std::chrono::steady_clock::now();
  std::erase_if(idle_, [&](const Idle& idle) { return idle.expiry <= now; });
  is_sweeping_ = !idle_.empty();
  if (idle_.empty()) return;
  timer_.expires_at(idle_.front().expiry);
  timer_.async_wait([this](error_code error) {
    if (!error) sweep();
  });
}

}  // namespace tfvm::hostcalls
