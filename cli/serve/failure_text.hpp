// What the log says of a run that failed: the trap with its backtrace, or why there was no run.
#pragma once

#include <string>
#include <string_view>

#include "cli/serve/sandbox.hpp"

namespace tfvm::serve {

/// "example.com/hello.wasm trapped: unreachable" and a line for each frame. `problem` if the guest itself did nothing
/// wrong. Safe for a terminal.
std::string failure_text(const RunResult& result, std::string_view problem, std::string_view function);

}  // namespace tfvm::serve
