// Runs another program without a shell, with a time limit. Linux only, as the project is.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "decoder/error.hpp"

namespace tfvm::spectests {

struct ProcessResult {
  bool timed_out = false;    ///< it was killed
  int exit_code = 0;         ///< if it ended by itself
  int signal = 0;            ///< not 0: it ended by this signal
  std::string error_output;  ///< the first MiB of standard error

  bool ok() const { return !timed_out && exit_code == 0 && signal == 0; }
  /// It ended neither with success nor by its own decision.
  bool crashed() const { return timed_out || signal != 0; }
};

/// Runs `arguments[0]`, looked up in PATH, in `folder`, with /dev/null as input and output, and waits for its end.
/// Errors (Host): it cannot be started.
Result<ProcessResult> run_process(const std::vector<std::string>& arguments, const std::string& folder,
                                  std::chrono::milliseconds time_limit);

}  // namespace tfvm::spectests
