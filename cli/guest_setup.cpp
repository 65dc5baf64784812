// Around a guest: see guest_setup.hpp.
#include "cli/guest_setup.hpp"

#include "cli/failure.hpp"
#include "cli/module_file.hpp"
#include "hostcalls/hostcalls.hpp"
#include "wasi/wasi.hpp"

namespace tfvm::cli {
namespace {

std::string hint_for_missing_imports(const RunOptions& options, const Module& module) {
  for (const Import& import : module.imports) {
    if (wasi::Wasi::provides(import.module, import.name)) continue;
    if (!hostcalls::Hostcalls::provides(import.module, import.name))
      return "tfvm provides WASI preview 1 and the hostcalls of Terrafirma; this module wants a host that defines '" +
             printable(import.module) + "'";
    if (!options.hostcalls.is_on)
      return "this is a function for a server: 'tfvm run --hostcalls' runs it for one request, 'tfvm serve' for many";
  }
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

}  // namespace

StoreLimits store_limits(const RunOptions& options) {
  StoreLimits limits;
  limits.fuel = options.fuel;
  limits.trap_on_grow_failure = options.trap_on_grow_failure;
  if (options.max_memory_bytes) limits.max_memory_bytes = *options.max_memory_bytes;
  if (options.max_stack_bytes) limits.max_stack_bytes = *options.max_stack_bytes;
  if (options.max_table_elements) limits.max_table_elements = *options.max_table_elements;
  return limits;
}

void fail_to_instantiate(const Error& error, const RunOptions& options, const Module& module) {
  if (error.kind != ErrorKind::Unlinkable) fail(printable(options.file) + ": " + error.to_string());
  const std::string mismatch = options.hostcalls.is_on ? hostcalls::Hostcalls::explain_mismatch(module) : std::string();
  fail(printable(options.file) + ": " + printable_lines(mismatch.empty() ? error.message : mismatch),
       hint_for_missing_imports(options, module));
}

void restrict_own_process(const RunOptions& options, const Report& report, const SandboxPlan& plan) {
  if (options.without_self_sandbox) {
    report.log(LogLevel::Info, "self-sandbox: off (--no-self-sandbox)");
    return;
  }
  const SandboxReport restricted = restrict_process(plan);
  if (report.logs(LogLevel::Info)) report.log(LogLevel::Info, "self-sandbox: " + restricted.text());
}

int end_with(const Trap& trap, const RunOptions& options, const Report& report) {
  if (trap.kind != TrapKind::Exit) report.trap(trap, file_stem(options.file));
  return exit_code(trap);
}

}  // namespace tfvm::cli
