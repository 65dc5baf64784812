// The one place that prints what tfvm itself has to say: errors, traps with their backtraces, log lines; and that turns
// the end of a guest into an exit code. Everything goes to standard error; results of commands go through write_output.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "cli/failure.hpp"
#include "vm/trap.hpp"

namespace tfvm::cli {

enum class LogLevel : std::uint8_t { Off, Error, Warning, Info, Debug, Trace };

/// "off", "error", "warn", "info", "debug", "trace"; none for anything else.
std::optional<LogLevel> parse_log_level(std::string_view text);

/// How reports look and how much is reported.
struct ReportStyle {
  bool colour = false;
  bool quiet = false;  ///< errors and traps as one line: no hints, no backtraces, no warnings
  LogLevel level = LogLevel::Warning;
};

/// How errors of the command line itself look: colour as below, everything else by default.
ReportStyle style_without_options();

/// Colour if standard error is a terminal that is not "dumb" and NO_COLOR is empty; CLICOLOR_FORCE overrides the
/// terminal; the level from TFVM_LOG, raised by `verbosity` (-v: info, -vv: debug, -vvv: trace).
/// Throws Failure (usage) for a TFVM_LOG that is no level.
ReportStyle style_from_environment(int verbosity, bool quiet);

/// "error: ...\n" and, if there is one, "hint: ...\n". Multi-line messages keep their lines.
std::string error_text(std::string_view message, std::string_view hint, const ReportStyle& style);

/// "trap: ...\n", a line per frame ("  0: 0x45c2 - module!function\n", names demangled), and a hint if a limit was hit.
/// `module_name` stands in where the module has no name of its own.
std::string trap_text(const Trap& trap, std::string_view module_name, const ReportStyle& style);

/// The process's exit code for a guest that ended with `trap`: for Exit its own code; the low eight bits of a code
/// beyond 255, but never 0 for a code that is not 0.
int exit_code(const Trap& trap);

/// What a command reports to. Writes unbuffered to standard error; failures to write there are ignored.
class Report {
 public:
  explicit Report(ReportStyle style = {}) : style_(style) {}

  const ReportStyle& style() const { return style_; }
  bool logs(LogLevel level) const { return level <= style_.level && !style_.quiet; }

  void error(std::string_view message, std::string_view hint = {}) const;
  void failure(const Failure& failure) const { error(failure.message, failure.hint); }
  void trap(const Trap& trap, std::string_view module_name) const;
  /// "LABEL: ..." whatever the level: for what an option asked for.
  void note(std::string_view label, std::string_view text) const;
  /// "info: ...". REQUIRES: nothing; silent if the level is off.
  void log(LogLevel level, std::string_view text) const;

 private:
  ReportStyle style_;
};

/// Writes a command's result to standard output, whole. Throws Failure if that cannot be.
void write_output(std::string_view text);

}  // namespace tfvm::cli
