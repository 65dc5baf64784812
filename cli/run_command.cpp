// `tfvm run` (commands.hpp): loads, links, starts the guest, and turns its end into the process's.
#include <algorithm>
#include <chrono>
#include <cstdlib>

#include "cli/commands.hpp"
#include "cli/guest_setup.hpp"
#include "cli/guest_system.hpp"
#include "cli/hostcalls_run.hpp"
#include "cli/invoke.hpp"
#include "cli/load.hpp"
#include "cli/module_file.hpp"
#include "cli/text.hpp"
#include "decoder/error.hpp"
#include "wasi/wasi.hpp"

namespace tfvm::cli {
namespace {

/// One run of one module.
class Run {
 public:
  Run(const RunOptions& options, const Report& report)
      : options_(options),
        report_(report),
        module_(load_module_file(engine_, options.file, report)),
        store_(engine_, store_limits(options)) {}

  /// The guest's exit code. Everything that can be known to be wrong is found before any of its code runs.
  int execute() {
    const Module& module = module_->module();
    const std::uint32_t entry = options_.invoke ? find_exported_function(module, *options_.invoke)
                                                : find_start_function(module, options_.file, options_.arguments);
    std::vector<Value> arguments;
    if (options_.invoke)
      arguments = parse_invoke_arguments(module.function_type(entry), *options_.invoke, options_.arguments);

    const std::unique_ptr<wasi::Wasi> system = open_guest_system(options_, report_);
    Linker linker(store_);
    system->add_imports_of(linker, module);
    restrict_own_process(options_, report_, sandbox_plan(options_, *system));
    if (options_.timeout) store_.set_deadline(std::chrono::steady_clock::now() + *options_.timeout);
    const Result<Store::Instantiated> instantiated = linker.try_instantiate(module_);
    if (!instantiated) fail_to_instantiate(instantiated.error(), options_, module);
    if (instantiated->trap) return end_with(*instantiated->trap, options_, report_);
    ModuleInstance& instance = *instantiated->instance;

    if (options_.invoke && *options_.invoke != "_initialize") {
      // A reactor's exports may be called only when this has run.
      const std::optional<External> initialize = Store::find_export(instance, "_initialize");
      if (initialize && initialize->kind == ExternKind::Function &&
          initialize->function->type->function() == FunctionType{})
        if (const Store::Results results = store_.call(*initialize->function, {}); results.trap)
          return end_with(*results.trap, options_, report_);
    }
    if (report_.logs(LogLevel::Debug))
      report_.log(LogLevel::Debug, "instantiated; calling '" + printable(options_.invoke.value_or("_start")) + "'");
    const auto start = std::chrono::steady_clock::now();
    const Store::Results results = store_.call(*instance.function(entry), arguments);
    if (report_.logs(LogLevel::Debug)) log_time(std::chrono::steady_clock::now() - start);
    if (results.trap) return end_with(*results.trap, options_, report_);
    write_output(format_results(results.values));
    return exit_success;
  }

  void log_end(int code) const {
    if (!report_.logs(LogLevel::Info)) return;
    std::string text = "ended with exit code " + std::to_string(code) +
                       "; memories: " + std::to_string(store_.memory_bytes() >> 10) + " KiB";
    if (const std::optional<std::uint64_t> fuel = store_.fuel()) text += "; fuel left: " + std::to_string(*fuel);
    report_.log(LogLevel::Info, text);
  }

 private:
  void log_time(std::chrono::duration<double, std::milli> time) const {
    report_.log(LogLevel::Debug, "the call took " + std::to_string(time.count()) + " ms");
  }

  const RunOptions& options_;
  const Report& report_;
  Engine engine_;
  std::shared_ptr<const LoadedModule> module_;
  Store store_;
};

}  // namespace

int run_command(const RunOptions& options, const Report& report) {
  if (options.hostcalls.is_on) return run_hostcalls(options, report);
  Run run(options, report);
  const int code = run.execute();
  run.log_end(code);
  // The process ends here: taking apart what the kernel frees at once would only cost time.
  std::_Exit(code);
}

}  // namespace tfvm::cli
