// One guest at a time of one version of a function: store, linker, hostcalls, WASI and instance, kept between requests
// and renewed for each, so that no byte of an earlier request is left.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/serve/function.hpp"
#include "cli/serve/workers.hpp"
#include "hostcalls/hostcalls.hpp"
#include "vm/runtime.hpp"
#include "wasi/stream.hpp"
#include "wasi/wasi.hpp"

namespace tfvm::serve {

/// What all sandboxes share. Pointers are borrowed and may be null.
struct SandboxServices {
  const Engine* engine = nullptr;
  hostcalls::HttpClient* http = nullptr;
  hostcalls::Resolver* resolver = nullptr;
  hostcalls::KeyValueStore* key_value = nullptr;
  /// A line that the guest of this function wrote: kind "stdout", "stderr", "debug", "panic" or "failure".
  std::function<void(std::string_view function, std::string_view kind, std::string_view line)> log;
};

/// Text of a guest as lines for the log: bounded in length and number.
class LineStream final : public wasi::Stream {
 public:
  using Take = std::function<void(std::string_view line)>;
  LineStream(Take take, std::uint32_t max_lines, std::uint32_t max_line_bytes)
      : take_(std::move(take)), max_lines_(max_lines), max_line_bytes_(max_line_bytes) {}
  Outcome write(std::span<const std::uint8_t> bytes) override;
  /// Gives the last line, which may have no end, and starts over.
  void finish();

 private:
  void end_line();
  Take take_;
  std::string line_;
  std::uint32_t lines_ = 0;
  std::uint32_t max_lines_;
  std::uint32_t max_line_bytes_;
};

/// How a run ended and what it cost.
struct RunResult {
  std::optional<Error> error;  ///< it could not be set up: missing imports, no memory
  std::optional<Trap> trap;    ///< TrapKind::Exit included; none: the function returned
  std::optional<std::string> panic;
  std::chrono::nanoseconds instantiation{};
  SteadyTime first_instruction{};
  std::uint64_t fuel = 0;
  std::uint64_t memory_bytes = 0;

  /// True if it did what it should: returned, or left with code 0.
  bool ok() const { return !error && (!trap || (trap->kind == TrapKind::Exit && trap->exit_code == 0)); }
};

class Sandbox {
 public:
  /// `services` is borrowed.
  Sandbox(std::shared_ptr<const Function> function, const SandboxServices& services);
  ~Sandbox();
  Sandbox(const Sandbox&) = delete;
  Sandbox& operator=(const Sandbox&) = delete;

  struct Limits {
    Workers* workers = nullptr;
    SteadyTime deadline = SteadyTime::max();
    Watched* watched = nullptr;  ///< told of a slow run; may be null
  };
  /// REQUIRES: FunctionKind::Hostcall. `response` is what the guest answered; meaningless unless ok().
  RunResult run(hostcalls::HttpRequest request, hostcalls::HttpResponse& response, const Limits& limits);

  /// The standard streams and the environment of a CGI program; borrowed.
  struct Cgi {
    wasi::Stream* input = nullptr;
    wasi::Stream* output = nullptr;
    std::vector<std::string> environment;
  };
  /// REQUIRES: FunctionKind::Cgi.
  RunResult run(Cgi cgi, const hostcalls::HttpRequest& request, const Limits& limits);

  /// False after a trap, a limit or an error: to be thrown away.
  bool is_reusable() const { return is_reusable_; }
  const std::shared_ptr<const Function>& function() const { return function_; }
  /// Of linear memory, which stays as it is until the next run.
  std::uint64_t memory_bytes() const;

  /// For the pool: this sandbox's node, and where it is while it is in the list of all.
  std::list<Sandbox*> place;
  std::optional<std::list<Sandbox*>::iterator> position;
  SteadyTime idle_since{};

 private:
  struct Guest;
  Result<Done> restart_wasi(wasi::Stream* input, wasi::Stream* output, std::vector<std::string> environment);
  RunResult execute(const Limits& limits);
  std::optional<Error> make_guest();
  std::optional<Trap> instantiate(RunResult& result);

  std::shared_ptr<const Function> function_;
  const SandboxServices& services_;
  LineStream standard_output_;
  LineStream standard_error_;
  wasi::Stream no_input_;
  std::unique_ptr<hostcalls::Hostcalls> hostcalls_;  ///< null: the module imports none
  std::unique_ptr<wasi::Wasi> wasi_;                 ///< same
  std::unique_ptr<Guest> guest_;
  bool is_reusable_ = true;
};

}  // namespace tfvm::serve
