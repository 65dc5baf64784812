// The executable `tfvm`: from arguments to a command, and from its end to the process's exit code.
#include <csignal>
#include <exception>
#include <new>
#include <unistd.h>
#include <variant>
#include <vector>

#include "cli/commands.hpp"
#include "cli/failure.hpp"
#include "cli/options.hpp"
#include "cli/report.hpp"

namespace tfvm::cli {
namespace {

// Ctrl-C and SIGTERM end a process by themselves (shells then show 130 and 143), unless it is a container's first.
void end_on_signals_as_first_process() {
  if (::getpid() != 1) return;
  const auto leave = [](int signal) { ::_exit(128 + signal); };
  std::signal(SIGINT, leave);
  std::signal(SIGTERM, leave);
}

struct CommonOptionsOf {
  CommonOptions operator()(const ShowText&) const { return {}; }
  CommonOptions operator()(const auto& options) const { return options.common; }
};

struct Execute {
  const Report& report;
  int operator()(const RunOptions& options) const { return run_command(options, report); }
  int operator()(const ServeOptions& options) const { return serve_command(options, report); }
  int operator()(const ValidateOptions& options) const { return validate_command(options, report); }
  int operator()(const InspectOptions& options) const { return inspect_command(options); }
  int operator()(const TextOptions& options) const { return text_command(options); }
  int operator()(const BinaryOptions& options) const { return binary_command(options); }
  int operator()(const ShowText& show) const {
    write_output(show.text);
    return exit_success;
  }
};

int main(std::span<const std::string_view> arguments) {
  end_on_signals_as_first_process();
  Report report(style_without_options());
  try {
    const Command command = parse_command_line(arguments);
    const CommonOptions common = std::visit(CommonOptionsOf(), command);
    report = Report(style_from_environment(common.verbosity, common.quiet));
    return std::visit(Execute{report}, command);
  } catch (const Failure& failure) {
    report.failure(failure);
    return failure.exit_code;
  } catch (const std::bad_alloc&) {
    report.error("out of memory");
  } catch (const std::exception& error) {
    report.error(std::string("internal error: ") + error.what());
  }
  return exit_failure;
}

}  // namespace
}  // namespace tfvm::cli

int main(int argument_count, char** arguments) {
  // A caller may give no name of the program at all.
  const int first = argument_count > 0 ? 1 : 0;
  const std::vector<std::string_view> views(arguments + first, arguments + argument_count);
  return tfvm::cli::main(views);
}
