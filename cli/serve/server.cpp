// The server (server.hpp): listeners, the register of connections, signals, the admin answers.
#include "cli/serve/server.hpp"

#include <boost/asio/ip/address.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <random>
#include <sys/socket.h>
#include <unistd.h>
#include <unordered_set>

#include "cli/serve/connection.hpp"
#include "cli/serve/status_page.hpp"

namespace tfvm::serve {
namespace {

namespace asio = boost::asio;
using tcp = asio::ip::tcp;

constexpr int backlog = 4096;
constexpr auto accept_pause = std::chrono::milliseconds(50);  ///< after an error such as too many open files
constexpr auto certificate_interval = std::chrono::seconds(5);

// "address:port", "[v6]:port"
std::optional<tcp::endpoint> parse_endpoint(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  std::string_view host = text.substr(0, colon);
  const std::string_view digits = text.substr(colon + 1);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  else if (host.find(':') != std::string_view::npos) return std::nullopt;
  if (host == "localhost") host = "127.0.0.1";
  if (host.empty()) host = "0.0.0.0";
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (error != std::errc() || digits.empty() || end != digits.data() + digits.size()) return std::nullopt;
  boost::system::error_code bad;
  const auto address = asio::ip::make_address(std::string(host), bad);
  if (bad) return std::nullopt;
  return tcp::endpoint(address, port);
}

std::uint64_t resident_bytes() {
  std::FILE* const file = std::fopen("/proc/self/statm", "re");
  if (file == nullptr) return 0;
  unsigned long long size = 0;
  unsigned long long resident = 0;
  const int count = std::fscanf(file, "%llu %llu", &size, &resident);
  std::fclose(file);
  return count == 2 ? resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE)) : 0;
}

hostcalls::HttpResponse text_response(std::uint16_t status, std::string type, std::string body) {
  hostcalls::HttpResponse response;
  response.status = status;
  response.headers.push_back({"Content-Type", std::move(type)});
  response.headers.push_back({"Cache-Control", "no-store"});
  response.body = std::move(body);
  return response;
}

struct Listener {
  tcp::acceptor acceptor;
  ListenerKind kind;
  asio::steady_timer pause;
};

class RunningServer final : public Server, public ServerContext {
 public:
  RunningServer(ServerConfig given_config, ServerParts given_parts)
      : ServerContext(std::move(given_config), std::move(given_parts)), signals_(io), certificate_timer_(io) {
    Workers::Config workers_config;
    workers_config.loops = std::max(1u, config.workers);
    workers_config.max_threads = workers_config.loops + config.pool.max_running;
    workers_config.housekeeping = [this](SteadyTime now) { housekeeping(now); };
    workers = std::make_unique<Workers>(io, std::move(workers_config));
  }
  ~RunningServer() override {
    io.stop();
    workers->join();
    // What was not finished must not outlive what it uses.
    while (!connections_.empty()) (*connections_.begin())->abandon();
  }

  Result<std::uint16_t> listen(ListenerKind kind, const std::string& address) override;
  void run(bool handles_signals) override;
  void drain() override {
    asio::post(io, [this] { begin_draining(); });
  }
  void reload() override;
  std::string metrics_text() override;

 private:
  void accept(Listener& listener);
  void take(Listener& listener, tcp::socket socket);
  void wait_for_signal();
  void wait_for_certificates();
  void begin_draining();
  void housekeeping(SteadyTime now);
  void remove(Connection& connection) override;
  hostcalls::HttpResponse answer_admin(const hostcalls::HttpRequest& request) override;
  std::vector<Gauge> gauges();
  std::size_t connection_count();

  std::vector<std::unique_ptr<Listener>> listeners_;
  asio::signal_set signals_;
  asio::steady_timer certificate_timer_;
  std::mutex mutex_;
  std::unordered_set<Connection*> connections_;  ///< guarded by mutex_
  std::atomic<std::int64_t> drain_until_{0};
  unsigned signals_to_end_ = 0;
};

Result<std::uint16_t> RunningServer::listen(ListenerKind kind, const std::string& address) {
  const auto endpoint = parse_endpoint(address);
  if (!endpoint)
    return Error{ErrorKind::Host, "'" + address + "' is no address to listen on, such as 127.0.0.1:3000 or [::]:80"};
  boost::system::error_code error;
  auto listener = std::make_unique<Listener>(Listener{tcp::acceptor(io), kind, asio::steady_timer(io)});
  tcp::acceptor& acceptor = listener->acceptor;
  acceptor.open(endpoint->protocol(), error);
  if (!error) acceptor.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error) acceptor.bind(*endpoint, error);
  if (!error) acceptor.listen(backlog, error);
  if (!error) acceptor.native_non_blocking(true, error);
  if (error) return Error{ErrorKind::Host, "cannot listen on " + address + ": " + error.message()};
  const std::uint16_t port = acceptor.local_endpoint(error).port();
  if (kind == ListenerKind::Tls) https_port = port;
  listeners_.push_back(std::move(listener));
  return port;
}

void RunningServer::run(bool handles_signals) {
  std::signal(SIGPIPE, SIG_IGN);
  if (handles_signals) {
    for (const int signal : {SIGTERM, SIGINT, SIGHUP}) signals_.add(signal);
    wait_for_signal();
  }
  if (parts.certificates != nullptr) wait_for_certificates();
  for (const auto& listener : listeners_) accept(*listener);
  const auto work = asio::make_work_guard(io);
  workers->start();
  workers->join();
}

void RunningServer::accept(Listener& listener) {
  listener.acceptor.async_accept([this, &listener](const boost::system::error_code& error, tcp::socket socket) {
    if (!listener.acceptor.is_open()) return;
    if (!error) {
      take(listener, std::move(socket));
      accept(listener);
    } else {
      listener.pause.expires_after(accept_pause);
      listener.pause.async_wait([this, &listener](const boost::system::error_code&) {
        if (listener.acceptor.is_open()) accept(listener);
      });
    }
    workers->leave_if_replaced();
  });
}

void RunningServer::take(Listener& listener, tcp::socket socket) {
  const bool is_admin = listener.kind == ListenerKind::Admin;  // operators get in even when all is full
  if (!is_admin && connection_count() >= config.max_connections) {
    metrics.refused_connections.fetch_add(1, std::memory_order_relaxed);
    return;
  }
  metrics.connections.fetch_add(1, std::memory_order_relaxed);
  const auto connection = std::make_shared<Connection>(*this, std::move(socket), listener.kind);
  {
    const std::lock_guard lock(mutex_);
    connections_.insert(connection.get());
  }
  // Behind the next accept: what the connection does may take long.
  asio::post(io, [this, connection] {
    connection->start();
    workers->leave_if_replaced();
  });
}

std::size_t RunningServer::connection_count() {
  const std::lock_guard lock(mutex_);
  return connections_.size();
}

void RunningServer::remove(Connection& connection) {
  const std::lock_guard lock(mutex_);
  connections_.erase(&connection);
  if (is_draining && connections_.empty()) io.stop();
}

void RunningServer::wait_for_signal() {
  signals_.async_wait([this](const boost::system::error_code& error, int signal) {
    if (error) return;
    if (signal == SIGHUP) {
      reload();
    } else if (++signals_to_end_ > 1) {
      io.stop();
    } else {
      begin_draining();
    }
    wait_for_signal();
  });
}

void RunningServer::begin_draining() {
  if (is_draining.exchange(true)) return;
  const auto until = std::chrono::steady_clock::now() + config.shutdown_grace;
  drain_until_ = std::chrono::duration_cast<std::chrono::nanoseconds>(until.time_since_epoch()).count();
  parts.log->message("shutting down: finishing what is under way");
  boost::system::error_code ignored;
  for (const auto& listener : listeners_) {
    if (listener->kind == ListenerKind::Admin) continue;  // /readyz tells that it is over
    listener->acceptor.close(ignored);
    listener->pause.cancel();
  }
  const std::lock_guard lock(mutex_);
  for (Connection* const connection : connections_) connection->look(std::chrono::steady_clock::now(), true);
  if (connections_.empty()) io.stop();
}

// From the monitor's thread.
void RunningServer::housekeeping(SteadyTime now) {
  {
    const std::lock_guard lock(mutex_);
    for (Connection* const connection : connections_) connection->look(now, is_draining);
  }
  pool.housekeeping(now);
  const std::int64_t until = drain_until_.load();
  if (until != 0 && std::chrono::duration_cast<std::chrono::nanoseconds>(now.time_since_epoch()).count() >= until)
    io.stop();
}

void RunningServer::reload() {
  parts.log->message("reloading");
  parts.log->reopen();
  if (parts.reload) parts.reload();
  if (parts.certificates == nullptr) return;
  for (const std::string& problem : parts.certificates->reload(true)) parts.log->message(printable(problem));
}

void RunningServer::wait_for_certificates() {
  certificate_timer_.expires_after(certificate_interval);
  certificate_timer_.async_wait([this](const boost::system::error_code& error) {
    if (error) return;
    {
      const Workers::Section section(*workers, std::chrono::steady_clock::now(), SteadyTime::max(), nullptr);
      for (const std::string& problem : parts.certificates->reload(false)) parts.log->message(printable(problem));
    }
    wait_for_certificates();
    workers->leave_if_replaced();
  });
}

std::vector<Gauge> RunningServer::gauges() {
  const FunctionPool::Counts counts = pool.counts();
  return {
      {"tfvm_connections_open", "open connections", static_cast<double>(connection_count())},
      {"tfvm_requests_running", "functions running now", static_cast<double>(counts.running)},
      {"tfvm_requests_waiting", "requests waiting", static_cast<double>(counts.waiting)},
      {"tfvm_sandboxes_idle", "idle sandboxes", static_cast<double>(counts.idle)},
      {"tfvm_buffered_body_bytes", "bodies in memory", static_cast<double>(buffered_bytes.load())},
      {"tfvm_threads", "threads on and off the loop", static_cast<double>(workers->threads())},
      {"tfvm_thread_replacements", "slow runs taken off the loop", static_cast<double>(workers->replacements())},
      {"tfvm_resident_memory_bytes", "resident memory", static_cast<double>(resident_bytes())},
  };
}

std::string RunningServer::metrics_text() {
  std::vector<NamedMetrics> functions;
  for (const FunctionState* const state : pool.states()) functions.push_back({state->name, &state->metrics});
  return prometheus_text(metrics, gauges(), functions);
}

hostcalls::HttpResponse RunningServer::answer_admin(const hostcalls::HttpRequest& request) {
  const std::string_view path = std::string_view(request.target).substr(0, request.target.find('?'));
  if (request.method != "GET" && request.method != "HEAD") {
    hostcalls::HttpResponse response = plain_response(405, {});
    response.headers.push_back({"Allow", "GET, HEAD"});
    return response;
  }
  constexpr auto plain = "text/plain; charset=utf-8";
  if (path == "/healthz") return text_response(200, plain, "ok\n");
  if (path == "/readyz")
    return is_draining ? text_response(503, plain, "draining\n") : text_response(200, plain, "ok\n");
  if (path == "/metrics") return text_response(200, "text/plain; version=0.0.4; charset=utf-8", metrics_text());
  if (path != "/") return plain_response(404, {});
  StatusPage page;
  page.server = &metrics;
  page.gauges = gauges();
  page.files = parts.sites->status();
  page.functions = pool.states();
  page.version = config.version;
  page.is_draining = is_draining;
  return text_response(200, "text/html; charset=utf-8", status_page(page));
}

}  // namespace

ServerContext::ServerContext(ServerConfig given_config, ServerParts given_parts)
    : config(std::move(given_config)), parts(std::move(given_parts)), pool(config.pool) {
  std::random_device random;
  id_seed = std::uint64_t{random()} << 32 | random();
}

std::unique_ptr<Server> Server::create(ServerConfig config, ServerParts parts) {
  return std::make_unique<RunningServer>(std::move(config), std::move(parts));
}

}  // namespace tfvm::serve
