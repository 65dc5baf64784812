// The guest's system: see guest_system.hpp.
#include "cli/guest_system.hpp"

#include <set>
#include <sys/resource.h>

#include "cli/environment.hpp"
#include "cli/failure.hpp"
#include "cli/listen.hpp"
#include "cli/module_file.hpp"
#include "cli/text.hpp"
#include "decoder/error.hpp"
#include "wasi/deterministic.hpp"

namespace tfvm::cli {
namespace {

constexpr rlim_t own_descriptors = 64;  // tfvm's, beside the guest's

/// A guest may open as many files as it was allowed if the process may.
void raise_file_limit(std::uint64_t wanted) {
  struct ::rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted + own_descriptors) return;
  limit.rlim_cur = std::min<rlim_t>(limit.rlim_max, wanted + own_descriptors);
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

std::string of_directory(const wasi::Refusal& refusal) {
  return refusal.directory.empty() ? "its folder" : "'" + printable(refusal.directory) + "'";
}

/// Says each hint once, and no more than anyone reads.
class RefusalLog {
 public:
  explicit RefusalLog(const Report& report) : report_(report) {}
  void operator()(const wasi::Refusal& refusal) {
    constexpr std::size_t most = 50;
    std::string hint = hint_for_refusal(refusal);
    if (said_.size() >= most || !said_.insert(hint).second) return;
    report_.log(LogLevel::Info, hint);
  }

 private:
  const Report& report_;
  std::set<std::string> said_;
};

wasi::WasiConfig wasi_config(const RunOptions& options, const Report& report) {
  wasi::WasiConfig config;
  // Only the name: where the host keeps the file is not the guest's business.
  config.arguments.push_back(options.argv0.value_or(std::string(file_name(options.file))));
  if (!options.invoke)
    config.arguments.insert(config.arguments.end(), options.arguments.begin(), options.arguments.end());
  config.environment = guest_environment(options);
  for (const DirectoryOption& directory : options.directories)
    config.preopens.push_back({directory.host_path, directory.guest_path, directory.read_only});
  for (const ListenAddress& address : options.listen_addresses) config.listeners.push_back(listen_on(address));
  if (options.max_open_files) {
    config.max_open_fds = static_cast<std::uint32_t>(*options.max_open_files);
    raise_file_limit(*options.max_open_files);
  }
  config.filters_terminal = options.plain_terminal;
  if (options.deterministic || options.seed) wasi::make_deterministic(config, options.seed.value_or(0));
  if (options.trace_wasi) config.trace = [&report](std::string_view line) { report.note("wasi", line); };
  if (report.logs(LogLevel::Info)) config.on_refusal = RefusalLog(report);
  return config;
}

std::string listed(std::string text, const std::string& each) { return text.empty() ? each : text + ", " + each; }

void log_capabilities(const RunOptions& options, const wasi::WasiConfig& config, const Report& report) {
  if (!report.logs(LogLevel::Info)) return;
  std::string directories;
  for (const DirectoryOption& each : options.directories)
    directories = listed(directories, printable(each.guest_path) + " (" + printable(each.host_path) +
                                          (each.read_only ? ", only for reading)" : ")"));
  std::string sockets;
  for (const int socket : config.listeners) sockets = listed(sockets, address_of(socket));
  report.log(LogLevel::Info, "the program may use: folders: " + (directories.empty() ? "none" : directories) +
                                 "; listening sockets: " + (sockets.empty() ? "none" : sockets) + "; " +
                                 counted(config.environment.size(), "environment variable"));
}

}  // namespace

std::unique_ptr<wasi::Wasi> open_guest_system(const RunOptions& options, const Report& report,
                                              const std::function<void(wasi::WasiConfig&)>& adjust) {
  wasi::WasiConfig config = wasi_config(options, report);
  if (adjust) adjust(config);
  log_capabilities(options, config, report);
  Result<std::unique_ptr<wasi::Wasi>> system = wasi::Wasi::create(std::move(config));
  if (!system) fail(printable(system.error().message), "--dir names folders of the host that the program may use");
  return std::move(*system);
}

SandboxPlan sandbox_plan(const RunOptions& options, const wasi::Wasi& system) {
  SandboxPlan plan;
  const std::vector<int> files = system.preopen_files();
  for (std::size_t i = 0; i < files.size(); ++i)
    plan.directories.push_back({files[i], options.directories[i].read_only});
  return plan;
}

std::string hint_for_refusal(const wasi::Refusal& refusal) {
  std::string what = refusal.function;
  if (!refusal.path.empty()) what += " '" + printable(refusal.path) + "'";
  what += " was refused: ";
  switch (refusal.reason) {
    case wasi::Refusal::Reason::NoDirectories:
      return "the program looks for its folders and has none: --dir HOST::GUEST gives it one";
    case wasi::Refusal::Reason::Outside:
      return what + "it leads out of " + of_directory(refusal) + ": --dir HOST::GUEST gives the program another folder";
    case wasi::Refusal::Reason::ReadOnly:
      return what + of_directory(refusal) + " is only for reading: --dir without ::ro would allow it";
    case wasi::Refusal::Reason::NoSockets:
      return what + "the program has no listening socket: --tcp-listen ADDRESS:PORT gives it one";
    case wasi::Refusal::Reason::TooManyOpen: break;
  }
  return what + "too many descriptors are open: --max-fds N allows more";
}

}  // namespace tfvm::cli
