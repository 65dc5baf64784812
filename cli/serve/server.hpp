// The HTTP server: listeners, connections, threads, and what they share. From a socket to Sites and back.
#pragma once

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "cli/serve/function_pool.hpp"
#include "cli/serve/log.hpp"
#include "cli/serve/metrics.hpp"
#include "cli/serve/request_parser.hpp"
#include "cli/serve/sandbox.hpp"
#include "cli/serve/sites.hpp"
#include "cli/serve/tls.hpp"
#include "hostcalls/address.hpp"

namespace tfvm::serve {

/// How long clients may take. A body must arrive, and be taken, at `min_bytes_per_second` after its first `body` time.
struct ClientTimeouts {
  std::chrono::milliseconds idle{60'000};    ///< between requests
  std::chrono::milliseconds header{10'000};  ///< from the first byte (or the connection) to the end of the head
  std::chrono::milliseconds body{20'000};
  std::chrono::milliseconds write{20'000};
  std::uint64_t min_bytes_per_second = 8u << 10;
};

/// A network of proxies whose X-Forwarded-For and X-Forwarded-Proto are believed.
struct TrustedProxy {
  hostcalls::Address network;
  unsigned bits = 0;
};

enum class ListenerKind : std::uint8_t { Plain, Tls, Redirect, Admin };

struct ServerConfig {
  unsigned workers = 1;
  RequestLimits request;
  ClientTimeouts timeouts;
  PoolLimits pool;
  std::size_t max_connections = 10'000;
  /// Of bodies, received and to be sent, that wait in memory, together; beyond: 503.
  std::uint64_t max_buffered_bytes = 512u << 20;
  std::chrono::milliseconds shutdown_grace{20'000};
  std::string acme_webroot;  ///< empty: none
  std::string version;       ///< for the status page
  std::vector<TrustedProxy> trusted_proxies;
};

/// Borrowed; all must outlive the server.
struct ServerParts {
  Sites* sites = nullptr;
  Log* log = nullptr;
  Certificates* certificates = nullptr;  ///< null: no TLS
  SandboxServices sandbox;
  std::function<void()> reload;  ///< SIGHUP: what the owner has to read again
};

class Server {
 public:
  static std::unique_ptr<Server> create(ServerConfig config, ServerParts parts);
  virtual ~Server() = default;

  /// Listens on "address:port", "[v6]:port"; port 0: any. The port; error: Host. Before run().
  virtual Result<std::uint16_t> listen(ListenerKind kind, const std::string& address) = 0;
  /// Serves until stopped. With `handles_signals`: SIGTERM and SIGINT drain, SIGHUP reloads.
  virtual void run(bool handles_signals) = 0;
  /// Stops accepting, lets requests end within the grace, then run() returns. From any thread.
  virtual void drain() = 0;
  virtual void reload() = 0;
  virtual std::string metrics_text() = 0;
};

}  // namespace tfvm::serve
