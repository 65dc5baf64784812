// For tests: a server in this process on a free port, with sites that are a table, and a client that sends exactly the
// bytes that the test says.
#pragma once

#include <arpa/inet.h>
#include <chrono>
#include <fstream>
#include <gtest/gtest.h>
#include <iterator>
#include <map>
#include <memory>
#include <mutex>
#include <netinet/in.h>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <utility>
#include <vector>

#include "cli/serve/server.hpp"
#include "cli/serve/static_file.hpp"

namespace tfvm::serve {

inline std::vector<std::uint8_t> test_module(const std::string& name) {
  std::ifstream file(TFVM_SOURCE_DIR "/cli/serve/testdata/" + name, std::ios::binary);
  EXPECT_TRUE(file.good()) << name;
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

/// Paths to functions, files and answers. The name of a function is its path without the slash.
class TableSites final : public Sites {
 public:
  explicit TableSites(const Engine& engine) : engine_(engine) {}

  void add_function(const std::string& path, const std::string& module, FunctionSettings settings = {}) {
    auto loaded = engine_.load(test_module(module));
    ASSERT_TRUE(loaded.ok()) << loaded.error().to_string();
    auto function = std::make_shared<Function>();
    function->name = path.substr(1);
    function->version = module;
    function->module = *loaded;
    function->kind = exports_run(**loaded) ? FunctionKind::Hostcall : FunctionKind::Cgi;
    function->settings = std::make_shared<FunctionSettings>(std::move(settings));
    Route route;
    route.kind = Route::Kind::Function;
    route.function = std::move(function);
    route.script_name = path;
    set(path, std::move(route));
  }
  void add_file(const std::string& path, int file, const std::string& name) {
    Route route;
    route.kind = Route::Kind::File;
    route.file = StaticFile::adopt(file, name);
    ASSERT_NE(route.file, nullptr);
    set(path, std::move(route));
  }
  void set(const std::string& path, Route route) {
    const std::lock_guard lock(mutex_);
    routes_[path] = std::move(route);
  }

  bool route_quickly(const hostcalls::HttpRequest& head, std::string_view host, Route& route) override {
    if (is_slow) return false;
    route = route_slowly(head, host);
    return true;
  }
  Route route_slowly(const hostcalls::HttpRequest& head, std::string_view) override {
    const std::string path = head.target.substr(0, head.target.find('?'));
    const std::lock_guard lock(mutex_);
    for (const auto& [name, route] : routes_) {
      if (path != name && !path.starts_with(name + '/')) continue;
      Route found = route;
      found.path_info = path.substr(name.size());
      return found;
    }
    Route missing;
    missing.answer.status = 404;
    return missing;
  }
  bool serves_host(std::string_view) override { return true; }
  std::vector<FunctionStatus> status() const override {
    const std::lock_guard lock(mutex_);
    std::vector<FunctionStatus> all;
    for (const auto& [name, route] : routes_)
      if (route.function)
        all.push_back({route.function->name, route.function->version, route.function->kind, 100, {}, {}});
    return all;
  }
  void reload(FunctionSettings, FunctionSettings) override {}

  bool is_slow = false;

 private:
  static bool exports_run(const LoadedModule& module) {
    for (const Export& entry : module.module().exports)
      if (entry.name == "run") return true;
    return false;
  }
  const Engine& engine_;
  mutable std::mutex mutex_;
  std::map<std::string, Route> routes_;
};

/// A log that tests can read.
class TestLog final : public Log {
 public:
  bool wants_access() const override { return true; }
  void access(const AccessEntry& entry) override {
    add(std::string(entry.client) + ' ' + std::string(entry.method) + ' ' + std::string(entry.target) + ' ' +
        std::to_string(entry.status) + ' ' + std::string(entry.function));
  }
  void message(std::string_view text) override { add(std::string(text)); }
  void guest(std::string_view function, std::string_view kind, std::string_view line) override {
    add(std::string(function) + ' ' + std::string(kind) + ": " + std::string(line));
  }
  void reopen() override {}
  void flush() override {}
  std::string text() {
    const std::lock_guard lock(mutex_);
    return text_;
  }

 private:
  void add(const std::string& line) {
    const std::lock_guard lock(mutex_);
    text_ += line + '\n';
  }
  std::mutex mutex_;
  std::string text_;
};

struct TestResponse {
  int status = 0;
  std::string head;
  std::string body;
  bool is_cut = false;  ///< the connection ended too early
  std::string field(const std::string& name) const {
    const std::size_t at = head.find("\r\n" + name + ": ");
    if (at == std::string::npos) return "(none)";
    const std::size_t begin = at + name.size() + 4;
    return head.substr(begin, head.find("\r\n", begin) - begin);
  }
};

class TestClient {
 public:
  explicit TestClient(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    struct ::sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    is_connected_ = ::connect(socket_, reinterpret_cast<const struct ::sockaddr*>(&address), sizeof(address)) == 0;
    struct ::timeval patience{30, 0};  // so that a test that fails ends
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
  }
  ~TestClient() { ::close(socket_); }
  TestClient(const TestClient&) = delete;
  TestClient& operator=(const TestClient&) = delete;

  bool is_connected() const { return is_connected_; }
  TestClient& send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t count = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (count <= 0) break;
      bytes.remove_prefix(static_cast<std::size_t>(count));
    }
    return *this;
  }
  void finish() { ::shutdown(socket_, SHUT_WR); }
  /// The next response. `has_no_body`: to HEAD.
  TestResponse receive(bool has_no_body = false) {
    TestResponse response;
    while (input_.find("\r\n\r\n") == std::string::npos)
      if (!read()) {
        response.is_cut = true;
        return response;
      }
    const std::size_t end = input_.find("\r\n\r\n");
    response.head = take(end + 4);
    if (response.head.size() > 12) response.status = std::atoi(response.head.c_str() + 9);
    if (has_no_body || response.status == 204 || response.status == 304 || response.status == 100) return response;
    if (response.field("Transfer-Encoding") == "chunked") receive_chunks(response);
    else if (const std::string length = response.field("Content-Length"); length != "(none)")
      receive_bytes(response, std::stoul(length));
    else receive_rest(response);
    return response;
  }
  TestResponse ask(std::string_view request) { return send(request).receive(); }
  /// True if the server ends the connection, after what it has still to say.
  bool is_closed() {
    while (read()) {
    }
    return is_at_end_;
  }
  /// Waits until so many bytes more are there.
  std::string receive_raw(std::size_t bytes) {
    while (input_.size() < bytes && read()) {
    }
    return take(std::min(bytes, input_.size()));
  }

 private:
  bool read() {
    char buffer[65536];
    const ssize_t count = ::recv(socket_, buffer, sizeof(buffer), 0);
    if (count == 0 || (count < 0 && errno == ECONNRESET)) is_at_end_ = true;
    if (count <= 0) return false;
    input_.append(buffer, static_cast<std::size_t>(count));
    return true;
  }
  std::string take(std::size_t count) {
    std::string taken = input_.substr(0, count);
    input_.erase(0, count);
    return taken;
  }
  void receive_bytes(TestResponse& response, std::size_t count) {
    while (input_.size() < count && read()) {
    }
    response.is_cut = input_.size() < count;
    response.body += take(std::min(count, input_.size()));
  }
  void receive_rest(TestResponse& response) {
    while (read()) {
    }
    response.body = std::exchange(input_, {});
  }
  void receive_chunks(TestResponse& response) {
    while (true) {
      while (input_.find("\r\n") == std::string::npos)
        if (!read()) {
          response.is_cut = true;
          return;
        }
      const std::string line = take(input_.find("\r\n") + 2);
      const std::size_t size = std::stoul(line, nullptr, 16);
      receive_bytes(response, size);
      while (input_.size() < 2)
        if (!read()) {
          response.is_cut = true;
          return;
        }
      take(2);
      if (size == 0 || response.is_cut) return;
    }
  }

  int socket_;
  bool is_connected_ = false;
  bool is_at_end_ = false;
  std::string input_;
};

/// A running server. Tests add routes, and change the configuration before start().
class TestServer {
 public:
  TestServer() : sites(engine) {
    config.pool.max_idle = 8;
    config.shutdown_grace = std::chrono::seconds(20);
  }
  ~TestServer() { stop(); }

  void start(Certificates* certificates = nullptr) {
    ServerParts parts;
    parts.sites = &sites;
    parts.log = &log;
    parts.certificates = certificates;
    parts.sandbox.engine = &engine;
    parts.sandbox.log = [this](std::string_view function, std::string_view kind, std::string_view line) {
      log.guest(function, kind, line);
    };
    parts.reload = [this] { ++reloads; };
    server = Server::create(config, parts);
    port = *server->listen(ListenerKind::Plain, "127.0.0.1:0");
    admin_port = *server->listen(ListenerKind::Admin, "127.0.0.1:0");
    redirect_port = *server->listen(ListenerKind::Redirect, "127.0.0.1:0");
    if (certificates != nullptr) tls_port = *server->listen(ListenerKind::Tls, "127.0.0.1:0");
    thread_ = std::thread([this] { server->run(false); });
  }
  void stop() {
    if (!thread_.joinable()) return;
    server->drain();
    thread_.join();
  }
  void wait() { thread_.join(); }

  TestResponse get(const std::string& target, const std::string& fields = {}) {
    TestClient client(port);
    return client.ask("GET " + target + " HTTP/1.1\r\nHost: test\r\n" + fields + "Connection: close\r\n\r\n");
  }
  TestResponse admin(const std::string& target) {
    TestClient client(admin_port);
    return client.ask("GET " + target + " HTTP/1.1\r\nHost: admin\r\nConnection: close\r\n\r\n");
  }

  Engine engine;
  TableSites sites;
  TestLog log;
  ServerConfig config;
  std::unique_ptr<Server> server;
  std::uint16_t port = 0;
  std::uint16_t admin_port = 0;
  std::uint16_t redirect_port = 0;
  std::uint16_t tls_port = 0;
  std::atomic<int> reloads{0};

 private:
  std::thread thread_;
};

}  // namespace tfvm::serve
