// For tests: Debian's redis-server on a free port of 127.0.0.1.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "hostcalls/test_process.hpp"

namespace tfvm::hostcalls::test {

class RedisServer {
 public:
  explicit RedisServer(std::string password = {}) : password_(std::move(password)) {
    for (int attempt = 0; attempt < 20 && !is_running_; ++attempt) {
      port_ = free_port(SOCK_STREAM);
      start();
    }
    if (!is_running_)
      ADD_FAILURE() << "redis-server does not start (Debian package redis-server):\n" << process_->said();
  }

  std::string url(const std::string& rest = {}) const {
    const std::string login = password_.empty() ? "" : ":" + password_ + "@";
    return "redis://" + login + "127.0.0.1:" + std::to_string(port_) + rest;
  }
  void kill() { process_->kill(); }
  /// On the same port.
  void start() {
    std::vector<std::string> argv = {"redis-server", "--port", std::to_string(port_), "--bind", "127.0.0.1",
                                     "--save",       "",       "--appendonly",        "yes",    "--appendfsync",
                                     "always",       "--dir",  folder_.path()};
    if (!password_.empty()) argv.insert(argv.end(), {"--requirepass", password_});
    process_.emplace(argv);
    is_running_ = process_->has_said("Ready to accept connections");
  }

 private:
  TemporaryFolder folder_;
  std::string password_;
  std::uint16_t port_ = 0;
  bool is_running_ = false;
  std::optional<ChildProcess> process_;
};

}  // namespace tfvm::hostcalls::test
