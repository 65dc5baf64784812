// How a command ends: the exit codes of tfvm, and Failure, which any part of the command line throws to end the process
// with one message. Only main() catches it. Guests do not fail this way: theirs are traps (report.hpp).
#pragma once

#include <string>
#include <utility>

namespace tfvm::cli {

/// The process's exit codes beside the guest's own, which are passed through.
enum ExitCode : int {
  exit_success = 0,
  exit_failure = 1,    ///< tfvm could not do its part: a file, a bad module, missing imports
  exit_usage = 2,      ///< the command line is wrong
  exit_timeout = 124,  ///< --timeout ended the guest, as timeout(1) does
  exit_trap = 134,     ///< the guest trapped: 128 + SIGABRT, what a native program that aborts gives
};

/// Ends the command. `message` is one line, and may show lines of a text below; `hint`, if any, says what to do.
struct Failure {
  int exit_code = exit_failure;
  std::string message;
  std::string hint = {};
};

[[noreturn]] inline void fail(std::string message, std::string hint = {}) {
  throw Failure{exit_failure, std::move(message), std::move(hint)};
}
[[noreturn]] inline void fail_usage(std::string message, std::string hint = {}) {
  throw Failure{exit_usage, std::move(message), std::move(hint)};
}

}  // namespace tfvm::cli
