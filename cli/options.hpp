// What the command line says: one struct per command, and the only parser that fills them.
// Boost.Program_options holds the descriptions, types and help texts; the split of the arguments is ours, since options
// of `run` end at FILE and all behind it is the guest's.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "cli/listen.hpp"

namespace tfvm::cli {

/// Options that every command has.
struct CommonOptions {
  int verbosity = 0;
  bool quiet = false;
};

/// A directory of the host that the guest sees: --dir HOST[::GUEST][::ro].
struct DirectoryOption {
  std::string host_path;
  std::string guest_path;
  bool read_only = false;
  bool operator==(const DirectoryOption&) const = default;
};

/// Of `run`: a function instead of a program, and its one request.
struct HostcallOptions {
  bool is_on = false;
  std::optional<std::string> request;       ///< "METHOD PATH" or "PATH"
  std::vector<std::string> headers;         ///< "name: value"
  std::optional<std::string> body_file;     ///< "-": standard input
  std::vector<std::string> outbound_rules;  ///< of hostcalls::OutboundPolicy
  std::optional<std::string> key_value_file;
  bool trace = false;
};

/// tfvm run [OPTIONS] FILE [ARGUMENTS...]
struct RunOptions {
  CommonOptions common;
  std::string file;
  std::vector<std::string> arguments;
  std::vector<DirectoryOption> directories;
  std::vector<std::string> environment;  ///< "NAME=VALUE", of --env
  std::vector<std::string> environment_files;
  bool inherits_environment = false;
  std::vector<ListenAddress> listen_addresses;
  std::optional<std::string> argv0;
  std::optional<std::string> invoke;
  std::optional<std::uint64_t> fuel;
  std::optional<std::chrono::nanoseconds> timeout;
  std::optional<std::uint64_t> max_memory_bytes;
  std::optional<std::uint64_t> max_stack_bytes;
  std::optional<std::uint64_t> max_table_elements;
  std::optional<std::uint64_t> max_open_files;
  bool trap_on_grow_failure = false;
  bool deterministic = false;
  std::optional<std::uint64_t> seed;  ///< of the random bytes of --deterministic
  bool plain_terminal = false;
  bool without_self_sandbox = false;
  bool trace_wasi = false;
  HostcallOptions hostcalls;
};

/// tfvm serve [OPTIONS] DIR|FILE
struct ServeOptions {
  CommonOptions common;
  std::string root;
  std::string listen;  ///< "ADDRESS[:PORT]"; empty: 127.0.0.1
  std::optional<std::string> tls_listen;
  std::optional<std::string> redirect_listen;
  std::optional<std::string> admin_listen;
  std::optional<std::string> tls_certificate;
  std::optional<std::string> tls_key;
  std::string tls_folder;
  std::string acme_webroot;
  bool domains = false;
  std::string share_root;
  std::vector<std::string> dns_servers;
  std::chrono::nanoseconds poll = std::chrono::seconds(1);
  std::optional<std::string> config_file;
  std::optional<std::string> data_folder;
  std::optional<std::string> key_value;
  std::vector<std::string> outbound_rules;
  std::optional<std::uint64_t> workers;
  std::uint64_t max_connections = 10'000;
  std::uint64_t max_concurrent = 64;
  std::uint64_t max_queue = 256;
  std::chrono::nanoseconds timeout = std::chrono::seconds(10);
  std::uint64_t max_memory_bytes = 128u << 20;
  std::uint64_t max_stack_bytes = 1u << 20;
  std::optional<std::uint64_t> fuel;
  std::uint64_t max_body_bytes = 8u << 20;
  std::uint64_t max_response_bytes = 16u << 20;
  std::uint64_t max_header_bytes = 32u << 10;
  std::uint64_t max_headers = 100;
  std::uint64_t max_uri_bytes = 8u << 10;
  std::chrono::nanoseconds idle_timeout = std::chrono::seconds(60);
  std::chrono::nanoseconds header_timeout = std::chrono::seconds(10);
  std::chrono::nanoseconds body_timeout = std::chrono::seconds(20);
  std::chrono::nanoseconds write_timeout = std::chrono::seconds(20);
  std::chrono::nanoseconds shutdown_grace = std::chrono::seconds(20);
  std::vector<std::string> trusted_proxies;
  std::string access_log = "-";
  bool logs_json = false;
};

/// tfvm validate FILE...
struct ValidateOptions {
  CommonOptions common;
  std::vector<std::string> files;
};

/// tfvm inspect FILE [--json] [--disassemble [FUNCTION]]
struct InspectOptions {
  CommonOptions common;
  std::string file;
  bool json = false;
  bool disassemble = false;
  std::string function;  ///< index or name; empty: all
};

/// tfvm text FILE [-o FILE]
struct TextOptions {
  CommonOptions common;
  std::string file;
  std::optional<std::string> output;  ///< none, or "-": standard output
};

/// tfvm binary FILE [-o FILE]
struct BinaryOptions : TextOptions {};

/// Text for standard output instead of a command: --help, help COMMAND, --version.
struct ShowText {
  std::string text;
};

using Command =
    std::variant<RunOptions, ServeOptions, ValidateOptions, InspectOptions, TextOptions, BinaryOptions, ShowText>;

/// `arguments` without the program's name. Throws Failure (usage) for what cannot be understood.
/// `run` with no option of ours is recognised without touching Boost.
Command parse_command_line(std::span<const std::string_view> arguments);

/// "HOST", "HOST::GUEST", "HOST::ro", "HOST::GUEST::ro"; without GUEST the guest sees it as HOST. None if a part is
/// empty or there are too many.
std::optional<DirectoryOption> parse_directory(std::string_view text);

}  // namespace tfvm::cli
