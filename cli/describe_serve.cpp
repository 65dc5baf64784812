// The options of `tfvm serve` (descriptions.hpp).
#include "cli/describe_values.hpp"
#include "cli/parse.hpp"

namespace tfvm::cli {
namespace {

namespace po = boost::program_options;

constexpr auto size = "a size such as 65536, 512K, 64MiB or 2G";
constexpr auto time = "a time such as 300ms, 2s, 1.5m, or seconds";
constexpr auto number = "a whole number";
constexpr auto address = "ADDRESS:PORT, such as 127.0.0.1:8080 or [::]:443";

auto append_to(std::vector<std::string>& texts) {
  return [&texts](const std::string& text) { texts.push_back(text); };
}

std::optional<bool> parse_log_format(const std::string& text) {
  if (text == "json") return true;
  if (text == "text") return false;
  return std::nullopt;
}

std::optional<std::uint64_t> parse_positive(const std::string& text) {
  const std::optional<std::uint64_t> count = parse_count(text);
  return count && *count >= 1 && *count <= 1'000'000 ? count : std::nullopt;
}

void add_listeners(Descriptions& descriptions, ServeOptions& options) {
  add_group(descriptions, "Where to listen")
      .add_options()  //
      ("listen", parsed_value("listen", "ADDRESS[:PORT]", options.listen, parse_text, address),
       "for HTTP (default: 127.0.0.1; port: $PORT, else 3000)")  //
      ("tls-listen", parsed_value("tls-listen", "ADDRESS:PORT", options.tls_listen, parse_text, address),
       "for HTTPS")  //
      ("tls-cert", parsed_value("tls-cert", "FILE", options.tls_certificate, parse_text, "a file"),
       "certificate chain (PEM) for all names without one of their own")                                    //
      ("tls-key", parsed_value("tls-key", "FILE", options.tls_key, parse_text, "a file"), "its key (PEM)")  //
      ("tls-certs", parsed_value("tls-certs", "DIR", options.tls_folder, parse_text, "a folder"),
       "DIR/<domain>/{fullchain,privkey}.pem, as ACME clients write\n"
       "them; changes are seen within seconds")  //
      ("redirect-listen", parsed_value("redirect-listen", "ADDRESS:PORT", options.redirect_listen, parse_text, address),
       "for HTTP that is sent on to HTTPS")  //
      ("acme-webroot", parsed_value("acme-webroot", "DIR", options.acme_webroot, parse_text, "a folder"),
       "where an ACME client puts .well-known/acme-challenge/")  //
      ("admin-listen", parsed_value("admin-listen", "ADDRESS:PORT", options.admin_listen, parse_text, address),
       "for operators: a status page, /metrics, /healthz, /readyz");
}

void add_sites(Descriptions& descriptions, ServeOptions& options) {
  add_group(descriptions, "What to serve")
      .add_options()                                                                         //
      ("domains", po::bool_switch(&options.domains), "DIR has a folder for each host name")  //
      ("share-root", parsed_value("share-root", "DIR", options.share_root, parse_text, "a folder"),
       "folders that TXT records _keybase_pages.HOST name (kbp=...)")  //
      ("dns", repeated_value("ADDRESS[:PORT]", append_to(options.dns_servers)),
       "DNS server (default: those of /etc/resolv.conf); repeatable")  //
      ("poll", parsed_value("poll", "TIME", options.poll, parse_duration, time),
       "how often to look for changes that the system does not tell of\n"
       "(default: 1s)")  //
      ("config", parsed_value("config", "FILE", options.config_file, parse_text, "a file"),
       "defaults and ceilings of what functions may use (TOML)")  //
      ("allow-outbound", repeated_value("RULE", append_to(options.outbound_rules)),
       "whom functions may send requests to: a host, *.host, an\n"
       "address, a network, each with :PORT if you like, or * for all\n"
       "public addresses; repeatable. Without it, nobody")  //
      ("data", parsed_value("data", "DIR", options.data_folder, parse_text, "a folder"),
       "where the key-value store is kept (default: in memory only)")  //
      ("kv", parsed_value("kv", "URL", options.key_value, parse_text, "redis://HOST, memory or off"),
       "redis://HOST[:PORT][/N] instead, or memory, or off");
}

void add_limits(Descriptions& descriptions, ServeOptions& options) {
  add_group(descriptions, "Limits of each request (defaults for name.toml and --config)")
      .add_options()  //
      ("timeout", parsed_value("timeout", "TIME", options.timeout, parse_duration, time),
       "of a function's run (default: 10s)")  //
      ("fuel", parsed_value("fuel", "N", options.fuel, parse_count, number),
       "of a function's run: about one an instruction (default: any)")  //
      ("max-memory", parsed_value("max-memory", "SIZE", options.max_memory_bytes, parse_size, size),
       "linear memory (default: 128MiB)")  //
      ("max-stack", parsed_value("max-stack", "SIZE", options.max_stack_bytes, parse_size, size),
       "for calls (default: 1MiB)")  //
      ("max-body", parsed_value("max-body", "SIZE", options.max_body_bytes, parse_size, size),
       "of a request (default: 8MiB)")  //
      ("max-response", parsed_value("max-response", "SIZE", options.max_response_bytes, parse_size, size),
       "of a response of a function (default: 16MiB)");
  add_group(descriptions, "Limits of the server")
      .add_options()  //
      ("workers", parsed_value("workers", "N", options.workers, parse_positive, "a number from 1 on"),
       "threads that answer (default: one a core)")  //
      ("max-connections", parsed_value("max-connections", "N", options.max_connections, parse_positive, number),
       "that are open (default: 10000)")  //
      ("max-concurrent", parsed_value("max-concurrent", "N", options.max_concurrent, parse_positive, number),
       "functions that run at once (default: 64)")  //
      ("max-queue", parsed_value("max-queue", "N", options.max_queue, parse_count, number),
       "requests that wait for them; beyond: 503 (default: 256)")  //
      ("max-uri", parsed_value("max-uri", "SIZE", options.max_uri_bytes, parse_size, size),
       "of a request; beyond: 414 (default: 8KiB)")  //
      ("max-header", parsed_value("max-header", "SIZE", options.max_header_bytes, parse_size, size),
       "of a request's head; beyond: 431 (default: 32KiB)")  //
      ("max-headers", parsed_value("max-headers", "N", options.max_headers, parse_positive, number),
       "fields of a request; beyond: 431 (default: 100)")  //
      ("idle-timeout", parsed_value("idle-timeout", "TIME", options.idle_timeout, parse_duration, time),
       "between requests of a connection (default: 60s)")  //
      ("header-timeout", parsed_value("header-timeout", "TIME", options.header_timeout, parse_duration, time),
       "for a request's head (default: 10s)")  //
      ("body-timeout", parsed_value("body-timeout", "TIME", options.body_timeout, parse_duration, time),
       "for a request's body, and 1s more for each 8 KiB (default: 20s)")  //
      ("write-timeout", parsed_value("write-timeout", "TIME", options.write_timeout, parse_duration, time),
       "for a response, and 1s more for each 8 KiB (default: 20s)")  //
      ("shutdown-grace", parsed_value("shutdown-grace", "TIME", options.shutdown_grace, parse_duration, time),
       "for what is under way when the server ends (default: 20s)")  //
      ("trust-proxy", repeated_value("ADDRESS[/BITS]", append_to(options.trusted_proxies)),
       "proxies whose X-Forwarded-For and -Proto are believed;\n"
       "repeatable");
}

}  // namespace

Descriptions describe(ServeOptions& options) {
  Descriptions descriptions;
  add_listeners(descriptions, options);
  add_sites(descriptions, options);
  add_limits(descriptions, options);
  add_group(descriptions, "Logs")
      .add_options()  //
      ("access-log", parsed_value("access-log", "FILE|-|off", options.access_log, parse_text, "a file, - or off"),
       "a line for each request (default: -, standard output)")  //
      ("log-format", parsed_value("log-format", "text|json", options.logs_json, parse_log_format, "text or json"),
       "of all logs (default: text)");
  finish(descriptions, options.common, "say what is done, on standard error");
  return descriptions;
}

}  // namespace tfvm::cli
