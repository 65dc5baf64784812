// What all requests of one HTTP client share: its thread, its lookups, its connections and certificates.
#pragma once

#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/thread_pool.hpp>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include "decoder/error.hpp"
#include "hostcalls/asio_ssl.hpp"
#include "hostcalls/http_connection.hpp"
#include "hostcalls/resolver.hpp"

namespace tfvm::hostcalls {

/// Everything but start, stop and post is for the client's thread.
class HttpClientCore {
 public:
  explicit HttpClientCore(Resolver& resolver);
  ~HttpClientCore();
  HttpClientCore(const HttpClientCore&) = delete;
  HttpClientCore& operator=(const HttpClientCore&) = delete;

  /// Runs `work` on the client's thread, which starts with the first one. False after stop(): nothing runs. Any thread.
  bool post(std::function<void()> work);
  /// Ends lookups and the thread, and waits for both. Once, by the owner.
  void stop();

  /// An eventfd that is always readable.
  int always_ready() const { return always_ready_; }

  boost::asio::io_context& io() { return io_; }
  HttpConnectionPool& pool() { return pool_; }

  /// Requests under way: false if there are too many, otherwise count_out() when it has ended.
  bool count_in();
  void count_out() { --request_count_; }

  using OnAddresses = std::function<void(Resolver::Addresses)>;
  /// Looks a name up on a thread of its own, then calls back on the client's.
  void resolve(std::string name, bool v6, Resolver::IsCancelled is_cancelled, OnAddresses on_addresses);

  /// Settings of outgoing TLS connections with the host's certificates, loaded at the first call. Error: Host.
  Result<boost::asio::ssl::context*> tls();

 private:
  void run();

  static constexpr unsigned lookup_threads = 8;
  static constexpr unsigned max_requests = 1'024;

  const int always_ready_;
  Resolver& resolver_;
  boost::asio::io_context io_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_{io_.get_executor()};
  HttpConnectionPool pool_;
  std::optional<boost::asio::ssl::context> tls_;
  unsigned request_count_ = 0;
  std::mutex mutex_;
  std::thread thread_;                                 ///< guarded by mutex_
  std::unique_ptr<boost::asio::thread_pool> lookups_;  ///< made with the first lookup
  std::atomic<bool> is_stopping_{false};
};

}  // namespace tfvm::hostcalls
