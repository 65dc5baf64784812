// Failures for the log (failure_text.hpp).
#include "cli/serve/failure_text.hpp"

#include <cstdio>

#include "vm/demangle.hpp"

namespace tfvm::serve {
namespace {

void append_frame(std::string& text, std::size_t number, const BacktraceFrame& frame) {
  char begin[48];
  std::snprintf(begin, sizeof(begin), "\n  %3zu: ", number);
  text += begin;
  if (frame.is_host) {
    text += "host";
  } else {
    std::snprintf(begin, sizeof(begin), "0x%llx", static_cast<unsigned long long>(frame.offset));
    text += begin;
  }
  text += " - ";
  if (frame.function_name.empty()) text += "<function " + std::to_string(frame.function_index) + '>';
  else text += printable(demangle(frame.function_name));
}

}  // namespace

std::string failure_text(const RunResult& result, std::string_view problem, std::string_view function) {
  std::string text = printable(function);
  if (result.error) return text + " could not run: " + printable(result.error->to_string());
  if (!problem.empty()) return text + ": " + std::string(problem);
  if (!result.trap) return text + " failed";
  const Trap& trap = *result.trap;
  if (trap.kind == TrapKind::Exit) return text + " ended with exit code " + std::to_string(trap.exit_code);
  text += " trapped: " + printable(trap.to_string());
  if (result.panic) text += " (" + printable(*result.panic) + ')';
  const std::size_t first_half = (trap.backtrace.size() + 1) / 2;
  for (std::size_t i = 0; i < trap.backtrace.size(); ++i) {
    if (i == first_half && trap.omitted_frames != 0)
      text += "\n       ... " + std::to_string(trap.omitted_frames) + " frames left out ...";
    append_frame(text, i, trap.backtrace[i]);
  }
  return text;
}

}  // namespace tfvm::serve
