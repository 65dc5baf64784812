// From a request to what answers it: domains to folders, paths to functions and files, access rules, live updates.
// Sites owns the folder watching; it knows nothing of sockets and runs no guest.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "cli/serve/function.hpp"
#include "decoder/error.hpp"
#include "hostcalls/http.hpp"
#include "hostcalls/resolver.hpp"

namespace tfvm::serve {

/// A file to send as it is, open: what is sent is what was found, whatever happens to the name.
class StaticFile;

/// What to do with a request.
struct Route {
  enum class Kind : std::uint8_t { Function, File, Answer };
  Kind kind = Kind::Answer;
  std::shared_ptr<const Function> function;     ///< Kind::Function
  std::string script_name;                      ///< the part of the path that named it: "/path/name.wasm"
  std::string path_info;                        ///< what follows it, decoded: "/rest", or ""
  std::shared_ptr<const StaticFile> file;       ///< Kind::File
  hostcalls::HttpResponse answer;               ///< Kind::Answer: 301, 401, 403, 404, 412, 421, 500, 503 ...
  std::vector<hostcalls::HeaderField> headers;  ///< to be added to any response (Access-Control-Allow-Origin)
  std::string user;                             ///< authenticated by .kbp_config; REMOTE_USER of CGI
};

/// What the status page and the log tell of a file that is or should be a function.
struct FunctionStatus {
  std::string name;
  std::string version;  ///< that is served; empty: none yet
  FunctionKind kind = FunctionKind::Hostcall;
  std::uint64_t bytes = 0;
  std::chrono::system_clock::time_point loaded{};
  std::string problem;  ///< why the file that is there now is not served; empty: it is
};

struct SitesConfig {
  /// The folder, or a single .wasm file that answers every path. Empty, with by_domain: only what TXT records name.
  std::string root;
  bool by_domain = false;                   ///< --domains: root/<host>/...
  std::string share_root;                   ///< of kbp= TXT records; empty: no lookup
  hostcalls::Resolver* resolver = nullptr;  ///< borrowed
  std::chrono::milliseconds poll_interval{1'000};
  bool use_inotify = true;
  bool allow_module_download = false;          ///< of modules that are no functions, and under other names than *.wasm
  std::uint64_t max_module_bytes = 64u << 20;  ///< of one file
  std::uint64_t max_modules_bytes = 1u << 30;  ///< of all contents that are in use, together
  FunctionSettings defaults;                   ///< for functions without name.toml
  FunctionSettings ceilings;                   ///< no name.toml gets beyond
  /// One line for the log; called from any thread.
  std::function<void(std::string_view)> log;
};

/// Thread-safe.
class Sites {
 public:
  virtual ~Sites() = default;

  /// True with `route` if the answer is known without waiting: the usual case, no system call for a known function.
  /// False: route_slowly() must be asked, on a thread that may block (DNS, disk, password hashes).
  virtual bool route_quickly(const hostcalls::HttpRequest& head, std::string_view host, Route& route) = 0;
  virtual Route route_slowly(const hostcalls::HttpRequest& head, std::string_view host) = 0;
  /// Whether `host` is a site of ours (for certificates). May block.
  virtual bool serves_host(std::string_view host) = 0;
  virtual std::vector<FunctionStatus> status() const = 0;
  /// Reads configuration files again (SIGHUP).
  virtual void reload(FunctionSettings defaults, FunctionSettings ceilings) = 0;
};

/// Scans and starts watching. Error: Host (no such folder), naming it. `engine` is borrowed.
Result<std::unique_ptr<Sites>> open_sites(const Engine& engine, SitesConfig config);

}  // namespace tfvm::serve
