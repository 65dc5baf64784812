// `tfvm run` (commands.hpp): loads, links, starts the guest, and turns its end into the process's.
#include <algorithm>
#include <chrono>
#include <cstdlib>

#include "cli/commands.hpp"
#include "cli/invoke.hpp"
#include "cli/load.hpp"
#include "cli/module_file.hpp"
#include "cli/text.hpp"
#include "decoder/error.hpp"
#include "wasi/wasi.hpp"

namespace tfvm::cli {
namespace {

StoreLimits store_limits(const RunOptions& options) {
  StoreLimits limits;
  limits.fuel = options.fuel;
  limits.trap_on_grow_failure = options.trap_on_grow_failure;
  if (options.max_memory_bytes) limits.max_memory_bytes = *options.max_memory_bytes;
  if (options.max_stack_bytes) limits.max_stack_bytes = *options.max_stack_bytes;
  if (options.max_table_elements) limits.max_table_elements = *options.max_table_elements;
  return limits;
}

wasi::WasiConfig wasi_config(const RunOptions& options) {
  wasi::WasiConfig config;
  // Only the name: where the host keeps the file is not the guest's business.
  config.arguments.push_back(options.argv0.value_or(std::string(file_name(options.file))));
  if (!options.invoke)
    config.arguments.insert(config.arguments.end(), options.arguments.begin(), options.arguments.end());
  config.environment = options.environment;
  for (const DirectoryOption& directory : options.directories)
    config.preopens.push_back({directory.host_path, directory.guest_path, directory.read_only});
  return config;
}

std::string hint_for_missing_imports(const Module& module) {
  for (const Import& import : module.imports)
    if (!wasi::Wasi::provides(import.module, import.name))
      return "tfvm provides WASI preview 1 only; this module wants a host that defines '" + printable(import.module) +
             "'";
  return {};
}

// The linker's list of missing imports has a line for each.
std::string printable_lines(std::string_view text) {
  std::string result;
  for (;;) {
    const std::size_t end = text.find('\n');
    result += printable(text.substr(0, end));
    if (end == std::string_view::npos) return result;
    result += '\n';
    text.remove_prefix(end + 1);
  }
}

[[noreturn]] void fail_to_instantiate(const Error& error, const RunOptions& options, const Module& module) {
  if (error.kind == ErrorKind::Unlinkable)
    fail(printable(options.file) + ": " + printable_lines(error.message), hint_for_missing_imports(module));
  fail(printable(options.file) + ": " + error.to_string());
}

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

    Result<std::unique_ptr<wasi::Wasi>> system = wasi::Wasi::create(wasi_config(options_));
    if (!system)
      fail(printable_lines(system.error().message), "--dir names folders of the host that the program may use");
    Linker linker(store_);
    (*system)->add_imports_of(linker, module);
    if (options_.timeout) store_.set_deadline(std::chrono::steady_clock::now() + *options_.timeout);
    const Result<Store::Instantiated> instantiated = linker.try_instantiate(module_);
    if (!instantiated) fail_to_instantiate(instantiated.error(), options_, module);
    if (instantiated->trap) return end_with(*instantiated->trap);
    ModuleInstance& instance = *instantiated->instance;

    if (options_.invoke && *options_.invoke != "_initialize") {
      // A reactor's exports may be called only when this has run.
      const std::optional<External> initialize = Store::find_export(instance, "_initialize");
      if (initialize && initialize->kind == ExternKind::Function &&
          initialize->function->type->function() == FunctionType{})
        if (const Store::Results results = store_.call(*initialize->function, {}); results.trap)
          return end_with(*results.trap);
    }
    if (report_.logs(LogLevel::Debug))
      report_.log(LogLevel::Debug, "instantiated; calling '" + printable(options_.invoke.value_or("_start")) + "'");
    const auto start = std::chrono::steady_clock::now();
    const Store::Results results = store_.call(*instance.function(entry), arguments);
    if (report_.logs(LogLevel::Debug)) log_time(std::chrono::steady_clock::now() - start);
    if (results.trap) return end_with(*results.trap);
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

  int end_with(const Trap& trap) const {
    if (trap.kind != TrapKind::Exit) report_.trap(trap, file_stem(options_.file));
    return exit_code(trap);
  }

  const RunOptions& options_;
  const Report& report_;
  Engine engine_;
  std::shared_ptr<const LoadedModule> module_;
  Store store_;
};

}  // namespace

int run_command(const RunOptions& options, const Report& report) {
  Run run(options, report);
  const int code = run.execute();
  run.log_end(code);
  // The process ends here: taking apart what the kernel frees at once would only cost time.
  std::_Exit(code);
}

}  // namespace tfvm::cli
