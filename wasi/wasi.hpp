// WASI preview 1 for one guest: what it is given (WasiConfig), and Wasi, which defines the functions that its module
// imports in a Linker. The command line builds the one and hands the linker to the other; all else of the folder is
// behind it: handlers (the guest's ABI), fd_table (descriptors and rights), path_resolve and host_fs (the host).
//
//   wasi::WasiConfig config;
//   config.arguments = {"hello", "world"};
//   config.preopens = {{"/srv/data", "/data", true}};
//   auto system = wasi::Wasi::create(std::move(config));
//   (*system)->add_imports_of(linker, module->module());
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "decoder/error.hpp"
#include "vm/runtime.hpp"
#include "wasi/path_resolve.hpp"
#include "wasi/refusal.hpp"
#include "wasi/stream.hpp"

namespace tfvm::wasi {

struct State;

/// A directory of the host that the guest may use.
struct Preopen {
  std::string host_path;
  std::string guest_path;     ///< the name under which the guest's library finds it
  bool is_read_only = false;  ///< nothing in it can be changed through this preopen
};

/// All that a guest is given. Nothing by default but the standard streams: no directory, no environment.
struct WasiConfig {
  std::vector<std::string> arguments;    ///< the program's name first
  std::vector<std::string> environment;  ///< "NAME=value"
  std::vector<Preopen> preopens;         ///< descriptors 3, 4, ... of the guest
  int stdin_fd = 0;                      ///< borrowed; one that is not open is closed for the guest too
  int stdout_fd = 1;
  int stderr_fd = 2;
  Stream* stdin_stream = nullptr;  ///< borrowed; takes the place of the descriptor
  Stream* stdout_stream = nullptr;
  Stream* stderr_stream = nullptr;
  std::vector<int> listeners;         ///< listening sockets: descriptors behind the preopens; borrowed
  std::uint32_t max_open_fds = 1024;  ///< of the guest, all kinds together
  bool filters_terminal = false;      ///< control codes that the guest writes to a terminal become '?'
  PathResolver::Method path_resolution = PathResolver::Method::Automatic;
  /// Nanoseconds of a clock; empty: the host's clocks. Waiting takes real time all the same, unless `sleep` is given.
  std::function<std::uint64_t(Clock)> clock;
  /// Called instead of waiting where only a clock can end the wait: that many nanoseconds are to have passed.
  std::function<void(std::uint64_t)> sleep;
  /// Fills a buffer; empty: the host's random source.
  std::function<void(std::span<std::uint8_t>)> random;
  /// Told each call when it has ended, as one line without its end: name, arguments, result.
  std::function<void(std::string_view)> trace;
  /// Told each call that failed for lack of a capability.
  std::function<void(const Refusal&)> on_refusal;
};

/// The system of one guest: its arguments, its open descriptors. Not thread-safe. Must outlive the calls of the
/// functions that it defined; its own descriptors of the host are closed with it, standard streams are not. A guest
/// that writes to a closed pipe gets an error only if the process ignores SIGPIPE, which is the host's choice.
class Wasi {
 public:
  /// Opens the preopens. Error: Host, naming the directory.
  static Result<std::unique_ptr<Wasi>> create(WasiConfig config);
  ~Wasi();
  Wasi(const Wasi&) = delete;
  Wasi& operator=(const Wasi&) = delete;

  /// Starts over with `config`, as if made anew: for the next run of a store that is used again. No descriptor of the
  /// run before is left. Error as for create(); then nothing is open.
  Result<Done> restart(WasiConfig config);

  /// Defines those functions that `module` imports, from wasi_snapshot_preview1 or wasi_unstable.
  void add_imports_of(Linker& linker, const Module& module);
  /// Defines all functions of preview 1.
  void add_to(Linker& linker);
  /// True if preview 1 or wasi_unstable has this function.
  static bool provides(std::string_view module, std::string_view name);

  /// The host's descriptor of each preopen, in the config's order. Borrowed. REQUIRES: no guest has run.
  std::vector<int> preopen_files() const;

 private:
  explicit Wasi(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace tfvm::wasi
