// One connection of the HTTP client, plain or TLS, and those that wait to be used again.
#pragma once

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "hostcalls/address.hpp"
#include "hostcalls/asio_ssl.hpp"
#include "hostcalls/outbound_url.hpp"

namespace tfvm::hostcalls {

/// To one checked address, on the client's thread. Whoever starts an operation keeps the connection alive until its
/// callback has been called.
class HttpConnection {
 public:
  using OnDone = std::function<void(boost::system::error_code)>;
  using OnBytes = std::function<void(boost::system::error_code, std::size_t)>;

  /// What a connection may be used for again: the same origin at the same address.
  struct Key {
    bool is_tls;
    std::string host;
    std::uint16_t port;
    Address address;
    bool operator==(const Key&) const = default;
  };

  HttpConnection(boost::asio::io_context& io, Key key) : key_(std::move(key)), socket_(io) {}

  const Key& key() const { return key_; }
  void connect(OnDone on_done);
  /// TLS 1.2 or newer; the certificate must be for the key's host, name or address. REQUIRES: key().is_tls, connected
  void shake_hands(boost::asio::ssl::context& context, OnDone on_done);
  /// All of `bytes`, which must stay.
  void write(boost::asio::const_buffer bytes, OnDone on_done);
  void read_some(boost::asio::mutable_buffer room, OnBytes on_bytes);
  /// Ends all operations with an error.
  void close();
  /// False if the other side has closed it or has said something unasked.
  bool is_quiet();

 private:
  Key key_;
  boost::asio::ip::tcp::socket socket_;
  std::optional<boost::asio::ssl::stream<boost::asio::ip::tcp::socket&>> tls_;
};

/// Connections after a whole response, for the next request. On the client's thread.
class HttpConnectionPool {
 public:
  explicit HttpConnectionPool(boost::asio::io_context& io) : timer_(io) {}

  /// A connection that is still open, or null.
  std::shared_ptr<HttpConnection> take(const HttpConnection::Key& key);
  void give(std::shared_ptr<HttpConnection> connection);
  void clear();

 private:
  struct Idle {
    std::shared_ptr<HttpConnection> connection;
    std::chrono::steady_clock::time_point expiry;
  };
  void sweep();

  static constexpr std::size_t max_idle = 64, max_idle_of_key = 8;
  static constexpr std::chrono::seconds idle_time{15};

  std::vector<Idle> idle_;  ///< oldest first
  boost::asio::steady_timer timer_;
  bool is_sweeping_ = false;
};

}  // namespace tfvm::hostcalls
