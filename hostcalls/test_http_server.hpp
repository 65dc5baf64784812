// For tests: an HTTP server on loopback that sends whatever bytes the test wants, plain or TLS; a resolver that says
// what the test wants; and a client's request made short.
#pragma once

#include <atomic>
#include <csignal>
#include <functional>
#include <gtest/gtest.h>
#include <map>
#include <memory>
#include <mutex>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <string>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <vector>

#include "hostcalls/http_client.hpp"
#include "hostcalls/resolver.hpp"
#include "hostcalls/socket_address.hpp"

namespace tfvm::hostcalls::test {

/// One accepted connection, on a thread of its own.
class ServerConnection {
 public:
  ServerConnection(int descriptor, SSL* tls) : descriptor_(descriptor), tls_(tls) {}

  /// The next request, head and body; empty if the client has closed.
  std::string read_request() {
    while (true) {
      const std::size_t head = received_.find("\r\n\r\n");
      if (head != std::string::npos) {
        std::size_t body = 0;
        if (const std::size_t at = received_.find("Content-Length: "); at < head)
          body = std::stoul(received_.substr(at + 16));
        if (received_.size() >= head + 4 + body) {
          const std::string request = received_.substr(0, head + 4 + body);
          received_.erase(0, request.size());
          return request;
        }
      }
      if (!read_more()) return {};
    }
  }
  /// False when the client has closed.
  bool read_more() {
    char buffer[65'536];
    const ssize_t size =
        tls_ != nullptr ? SSL_read(tls_, buffer, sizeof(buffer)) : ::recv(descriptor_, buffer, sizeof(buffer), 0);
    if (size <= 0) return false;
    received_.append(buffer, static_cast<std::size_t>(size));
    return true;
  }
  /// False when the client has closed.
  bool write(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = tls_ != nullptr ? SSL_write(tls_, bytes.data(), static_cast<int>(bytes.size()))
                                           : ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }
  void close_notify() { SSL_shutdown(tls_); }
  SSL* tls() { return tls_; }

 private:
  int descriptor_;
  SSL* tls_;
  std::string received_;
};

class TestHttpServer {
 public:
  using Serve = std::function<void(ServerConnection&)>;
  /// The response's bytes for a request.
  using Answer = std::function<std::string(const std::string& request)>;

  /// `tls` is borrowed.
  explicit TestHttpServer(Serve serve, SSL_CTX* tls = nullptr, const std::string& address = "127.0.0.1")
      : serve_(std::move(serve)), tls_(tls) {
    const SocketAddress any_port(*Address::parse(address), 0);
    listener_ = ::socket(any_port.family(), SOCK_STREAM | SOCK_CLOEXEC, 0);
    EXPECT_EQ(::bind(listener_, any_port.get(), any_port.size()), 0);
    EXPECT_EQ(::listen(listener_, 1'024), 0);
    sockaddr_storage bound{};
    socklen_t size = sizeof(bound);
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&bound), &size);
    port_ = ntohs(bound.ss_family == AF_INET6 ? reinterpret_cast<sockaddr_in6*>(&bound)->sin6_port
                                              : reinterpret_cast<sockaddr_in*>(&bound)->sin_port);
    thread_ = std::thread([this] { accept_all(); });
  }
  /// Answers each request on a connection, keeps it open.
  static Serve answering(Answer answer) {
    return [answer = std::move(answer)](ServerConnection& connection) {
      for (std::string request; !(request = connection.read_request()).empty();) {
        if (!connection.write(answer(request))) return;
      }
    };
  }
  /// Answers one request with these bytes, then closes.
  static Serve saying_once(std::string bytes) {
    return [bytes = std::move(bytes)](ServerConnection& connection) {
      connection.read_request();
      connection.write(bytes);
    };
  }
  ~TestHttpServer() {
    is_stopping_ = true;
    ::shutdown(listener_, SHUT_RDWR);
    thread_.join();
    {
      const std::lock_guard lock(mutex_);
      for (const int connection : open_) ::shutdown(connection, SHUT_RDWR);
    }
    for (std::thread& thread : threads_) thread.join();
    ::close(listener_);
  }
  TestHttpServer(const TestHttpServer&) = delete;
  TestHttpServer& operator=(const TestHttpServer&) = delete;

  std::uint16_t port() const { return port_; }
  std::string url(const std::string& host = "127.0.0.1", const std::string& target = "/") const {
    return (tls_ != nullptr ? "https://" : "http://") + host + ":" + std::to_string(port_) + target;
  }
  int connection_count() const { return connections_; }

 private:
  void accept_all() {
    while (true) {
      const int connection = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (connection < 0) {
        if (is_stopping_) return;
        continue;
      }
      ++connections_;
      const std::lock_guard lock(mutex_);
      open_.push_back(connection);
      threads_.emplace_back([this, connection] { serve(connection); });
    }
  }

  void serve(int descriptor) {
    sigset_t pipe;  // OpenSSL writes to sockets without MSG_NOSIGNAL
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe, nullptr);
    SSL* tls = nullptr;
    bool is_ready = true;
    if (tls_ != nullptr) {
      tls = SSL_new(tls_);
      SSL_set_fd(tls, descriptor);
      is_ready = SSL_accept(tls) == 1;
    }
    ServerConnection connection(descriptor, tls);
    if (is_ready) serve_(connection);
    SSL_free(tls);
    ERR_clear_error();
    const std::lock_guard lock(mutex_);
    std::erase(open_, descriptor);
    ::close(descriptor);
  }

  Serve serve_;
  SSL_CTX* tls_;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::atomic<int> connections_{0};
  std::atomic<bool> is_stopping_{false};
  std::mutex mutex_;
  std::vector<int> open_;
  std::vector<std::thread> threads_;
  std::thread thread_;
};

/// Says for each name what the test has put there; a list of answers is gone through, the last one stays.
class FakeResolver final : public Resolver {
 public:
  void put(const std::string& name, std::vector<std::vector<std::string>> answers) {
    names_[name] = std::move(answers);
  }
  int lookups() const { return lookups_; }
  /// Lookups of this name wait until they are cancelled.
  void hang(const std::string& name) { hanging_ = name; }

  Addresses addresses(std::string_view name, bool v6, const IsCancelled& is_cancelled) override {
    ++lookups_;
    while (name == hanging_) {
      if (is_cancelled()) return {LookupStatus::Cancelled, {}};
      std::this_thread::yield();
    }
    const std::lock_guard lock(mutex_);
    const auto found = names_.find(name);
    if (found == names_.end()) return {LookupStatus::NoSuchName, {}};
    std::vector<std::vector<std::string>>& answers = found->second;
    Addresses result{LookupStatus::Found, {}};
    for (const std::string& text : answers.front()) {
      const Address address = *Address::parse(text);
      if (address.is_v6 == v6) result.addresses.push_back(address);
    }
    if (answers.size() > 1) answers.erase(answers.begin());
    if (result.addresses.empty()) result.status = LookupStatus::NoData;
    return result;
  }
  Texts texts(std::string_view, const IsCancelled&) override { return {}; }
  Message query(std::string_view, const IsCancelled&) override { return {}; }

 private:
  std::mutex mutex_;
  std::map<std::string, std::vector<std::vector<std::string>>, std::less<>> names_;
  std::string hanging_;
  std::atomic<int> lookups_{0};
};

inline HttpRequest get_of(const std::string& url) { return {"GET", url, {}, {}}; }

/// A client, the policy and limits of its guest, and the wait for a response.
class ClientTest : public testing::Test {
 protected:
  ClientTest() {
    allow("127.0.0.1");
    limits.connect_timeout = limits.first_byte_timeout = limits.total_timeout = std::chrono::seconds(60);
  }
  void allow(std::string_view rule) { EXPECT_TRUE(policy.allow(rule).ok()) << rule; }

  std::unique_ptr<PendingResponse> start(HttpRequest request) {
    return client->start(std::move(request), policy, limits);
  }
  static Result<HttpResponse> wait(PendingResponse& pending) {
    pollfd waiting{pending.ready_fd(), POLLIN, 0};
    while (!pending.is_ready()) EXPECT_GE(::poll(&waiting, 1, 60'000), 1);
    return pending.take();
  }
  Result<HttpResponse> send(HttpRequest request) { return wait(*start(std::move(request))); }
  Result<HttpResponse> get(const std::string& url) { return send(get_of(url)); }
  /// "200 body", or "error kind: message".
  static std::string text(const Result<HttpResponse>& response) {
    if (response) return std::to_string(response->status) + " " + response->body;
    return response.error().to_string();
  }
  static bool failed(const Result<HttpResponse>& response, std::string_view why = {}) {
    return !response && response.error().message.find(why) != std::string::npos;
  }

  FakeResolver resolver;
  OutboundPolicy policy;
  OutboundLimits limits;
  std::unique_ptr<HttpClient> client = make_http_client(resolver);
};

inline std::string response(std::string_view body, std::string_view fields = {}, std::string_view status = "200 OK") {
  return "HTTP/1.1 " + std::string(status) + "\r\n" + std::string(fields) +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
}

}  // namespace tfvm::hostcalls::test
