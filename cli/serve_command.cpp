// `tfvm serve` (commands.hpp): from the command line to the parts of the server, and their end.
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <sys/stat.h>
#include <thread>

#include "cli/commands.hpp"
#include "cli/serve/config.hpp"
#include "cli/serve/server.hpp"
#include "decoder/error.hpp"
#include "hostcalls/http_client.hpp"
#include "hostcalls/key_value_store.hpp"
#include "hostcalls/resolver.hpp"

namespace tfvm::cli {
namespace {

using namespace tfvm::serve;

std::chrono::milliseconds milliseconds(std::chrono::nanoseconds time) {
  return std::max(std::chrono::duration_cast<std::chrono::milliseconds>(time), std::chrono::milliseconds(1));
}

bool has_port(std::string_view address) {
  const std::size_t colon = address.rfind(':');
  return colon != std::string_view::npos && address.find(']', colon) == std::string_view::npos;
}

// An address without a port gets PORT of the environment, or 3000.
std::string listen_address(const ServeOptions& options) {
  if (has_port(options.listen)) return options.listen;
  const std::string address = options.listen.empty() ? "127.0.0.1" : options.listen;
  const char* const port = std::getenv("PORT");
  if (port == nullptr || *port == '\0') return address + ":3000";
  unsigned number = 0;
  const auto [end, error] = std::from_chars(port, port + std::strlen(port), number);
  if (error != std::errc() || *end != '\0' || number > 65535)
    fail_usage("PORT is '" + printable(port) + "', which is no port", "the environment's PORT replaces port 3000");
  return address + ':' + port;
}

TrustedProxy parse_proxy(const std::string& text) {
  const std::size_t slash = text.find('/');
  const auto network = hostcalls::Address::parse(text.substr(0, slash));
  const std::string digits = slash == std::string::npos ? "" : text.substr(slash + 1);
  const unsigned most = network && network->is_v6 ? 128 : 32;
  unsigned bits = most;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), bits);
  const bool has_bits = error == std::errc() && end == digits.data() + digits.size() && bits <= most;
  if (!network || (slash != std::string::npos && !has_bits))
    fail_usage("--trust-proxy cannot be '" + printable(text) + "'",
               "expected an address or a network such as 10.0.0.0/8");
  return {*network, bits};
}

FunctionSettings settings_of(const ServeOptions& options) {
  FunctionSettings settings;
  settings.timeout = milliseconds(options.timeout);
  settings.fuel = options.fuel;
  settings.max_memory_bytes = options.max_memory_bytes;
  settings.max_stack_bytes = options.max_stack_bytes;
  settings.max_request_body_bytes = options.max_body_bytes;
  settings.hostcall_limits.max_response_bytes = options.max_response_bytes;
  for (const std::string& rule : options.outbound_rules) {
    if (const Result<Done> allowed = settings.outbound.allow(rule); !allowed)
      fail_usage("--allow-outbound cannot be '" + printable(rule) + "'", printable(allowed.error().message));
    settings.outbound_rules.push_back(rule);
  }
  return settings;
}

// Error: Host.
Result<ServerSettings> read_settings(const ServeOptions& options) {
  const ServerSettings base{settings_of(options), settings_of(options)};
  if (!options.config_file) return base;
  return load_server_settings(*options.config_file, base);
}

ServerConfig server_config(const ServeOptions& options) {
  ServerConfig config;
  config.workers = static_cast<unsigned>(options.workers.value_or(std::max(1u, std::thread::hardware_concurrency())));
  config.request = {options.max_uri_bytes, options.max_header_bytes, options.max_headers};
  config.timeouts.idle = milliseconds(options.idle_timeout);
  config.timeouts.header = milliseconds(options.header_timeout);
  config.timeouts.body = milliseconds(options.body_timeout);
  config.timeouts.write = milliseconds(options.write_timeout);
  config.pool.max_running = static_cast<std::uint32_t>(options.max_concurrent);
  config.pool.max_waiting = static_cast<std::uint32_t>(options.max_queue);
  config.pool.max_wait = milliseconds(options.timeout);
  config.max_connections = options.max_connections;
  config.shutdown_grace = milliseconds(options.shutdown_grace);
  config.acme_webroot = options.acme_webroot;
  config.version = TFVM_VERSION;
  for (const std::string& proxy : options.trusted_proxies) config.trusted_proxies.push_back(parse_proxy(proxy));
  return config;
}

template <class T>
T or_fail(Result<T> result) {
  if (!result) fail(printable(result.error().message));
  return std::move(*result);
}

std::unique_ptr<hostcalls::KeyValueStore> open_key_value(const ServeOptions& options) {
  if (options.key_value == "off") return nullptr;
  if (options.key_value == "memory" || (!options.key_value && !options.data_folder))
    return hostcalls::make_memory_store();
  if (options.key_value) return or_fail(hostcalls::open_redis_store(*options.key_value));
  if (::mkdir(options.data_folder->c_str(), 0700) != 0 && errno != EEXIST)
    fail("cannot make folder '" + printable(*options.data_folder) + "': " + std::strerror(errno));
  return or_fail(hostcalls::open_sqlite_store(*options.data_folder + "/key_value.sqlite"));
}

/// All that a server is made of, in the order in which it is needed.
class Service {
 public:
  Service(const ServeOptions& options, const Report& report)
      : options_(options),
        log_(or_fail(Log::open(
            {options.access_log, options.logs_json ? LogFormat::Json : LogFormat::Text, report.style().quiet}))),
        key_value_(open_key_value(options)) {
    make_resolver();
    if (resolver_) client_ = hostcalls::make_http_client(*resolver_);
    open_sites();
    if (options.tls_certificate || !options.tls_folder.empty())
      certificates_ = or_fail(load_certificates(
          {"", options.tls_certificate.value_or(""), options.tls_key.value_or("")}, options.tls_folder));
    make_server();
  }

  void run() { server_->run(true); }

 private:
  // Without a DNS server there are no names, but everything else works.
  void make_resolver() {
    hostcalls::ResolverConfig config;
    config.servers = options_.dns_servers;
    Result<std::unique_ptr<hostcalls::Resolver>> made = hostcalls::make_resolver(config);
    if (made) {
      resolver_ = std::move(*made);
    } else if (!options_.dns_servers.empty()) {
      fail_usage(printable(made.error().message), "--dns takes ADDRESS or ADDRESS:PORT");
    } else {
      log_->message("no DNS: " + printable(made.error().message));
    }
  }

  void open_sites() {
    const ServerSettings settings = or_fail(read_settings(options_));
    SitesConfig config;
    config.root = options_.root;
    config.by_domain = options_.domains;
    config.share_root = options_.share_root;
    config.resolver = resolver_.get();
    config.poll_interval = milliseconds(options_.poll);
    config.defaults = settings.defaults;
    config.ceilings = settings.ceilings;
    config.log = [this](std::string_view line) { log_->message(line); };
    sites_ = or_fail(serve::open_sites(engine_, std::move(config)));
  }

  void make_server() {
    ServerParts parts;
    parts.sites = sites_.get();
    parts.log = log_.get();
    parts.certificates = certificates_.get();
    parts.sandbox.engine = &engine_;
    parts.sandbox.http = client_.get();
    parts.sandbox.resolver = resolver_.get();
    parts.sandbox.key_value = key_value_.get();
    parts.sandbox.log = [this](std::string_view function, std::string_view kind, std::string_view line) {
      log_->guest(function, kind, line);
    };
    parts.reload = [this] { reload(); };
    server_ = Server::create(server_config(options_), std::move(parts));
    listen(ListenerKind::Plain, listen_address(options_), "http");
    if (options_.tls_listen) listen(ListenerKind::Tls, *options_.tls_listen, "https");
    if (options_.redirect_listen) listen(ListenerKind::Redirect, *options_.redirect_listen, "redirects to https");
    if (options_.admin_listen) listen(ListenerKind::Admin, *options_.admin_listen, "admin");
  }

  void listen(ListenerKind kind, const std::string& address, std::string_view what) {
    const std::uint16_t port = or_fail(server_->listen(kind, address));
    const std::string host = address.substr(0, address.rfind(':'));
    log_->message("listening on " + printable(host) + ':' + std::to_string(port) + " (" + std::string(what) + ")");
  }

  void reload() {
    const Result<ServerSettings> settings = read_settings(options_);
    if (settings) sites_->reload(settings->defaults, settings->ceilings);
    else log_->message("the configuration stays as it was: " + printable(settings.error().message));
  }

  const ServeOptions& options_;
  Engine engine_;
  std::unique_ptr<Log> log_;
  std::unique_ptr<hostcalls::KeyValueStore> key_value_;
  std::unique_ptr<hostcalls::Resolver> resolver_;
  std::unique_ptr<hostcalls::HttpClient> client_;
  std::unique_ptr<Sites> sites_;
  std::unique_ptr<Certificates> certificates_;
  std::unique_ptr<Server> server_;
};

}  // namespace

int serve_command(const ServeOptions& options, const Report& report) {
  Service service(options, report);
  service.run();
  return exit_success;
}

}  // namespace tfvm::cli
