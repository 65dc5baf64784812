// Texts and channels of reports (report.hpp).
#include "cli/report.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <poll.h>
#include <unistd.h>

#include "cli/text.hpp"
#include "decoder/error.hpp"
#include "vm/demangle.hpp"

namespace tfvm::cli {
namespace {

constexpr std::string_view bold_red = "\x1b[1;31m";
constexpr std::string_view cyan = "\x1b[36m";
constexpr std::string_view dim = "\x1b[2m";
constexpr std::string_view plain = "\x1b[0m";

std::string coloured(std::string_view text, std::string_view colour, const ReportStyle& style) {
  if (!style.colour) return std::string(text);
  return std::string(colour) + std::string(text) + std::string(plain);
}

constexpr std::array<std::string_view, 6> level_names = {"off", "error", "warn", "info", "debug", "trace"};

bool is_set(const char* variable) {
  const char* value = std::getenv(variable);
  return value != nullptr && *value != '\0';
}

bool wants_colour() {
  if (is_set("NO_COLOR")) return false;
  const char* force = std::getenv("CLICOLOR_FORCE");
  if (force != nullptr && *force != '\0' && std::strcmp(force, "0") != 0) return true;
  const char* terminal = std::getenv("TERM");
  if (terminal == nullptr || std::strcmp(terminal, "dumb") == 0) return false;
  return ::isatty(STDERR_FILENO) == 1;
}

std::string hint_for_trap(TrapKind kind) {
  switch (kind) {
    case TrapKind::OutOfFuel: return "the limit was set with --fuel";
    case TrapKind::DeadlineExceeded: return "the limit was set with --timeout";
    case TrapKind::CallStackExhausted: return "if the recursion is meant, --max-stack SIZE gives it more room";
    case TrapKind::MemoryLimitExceeded: return "the limit was set with --max-memory";
    default: return {};
  }
}

// "0x45c2 - module!function"
std::string frame_text(const BacktraceFrame& frame, std::string_view module_name, const ReportStyle& style) {
  std::string text = coloured(frame.is_host ? "host" : hexadecimal(frame.offset), dim, style) + " - ";
  const std::string_view module = frame.module_name.empty() ? module_name : std::string_view(frame.module_name);
  if (!frame.is_host || !frame.module_name.empty()) text += printable(module) + '!';
  if (frame.function_name.empty()) text += "<function " + std::to_string(frame.function_index) + '>';
  else text += printable(demangle(frame.function_name));
  return text;
}

/// The lines of a backtrace. A frame that repeats, as in a recursion, is shown once, with how often.
class BacktraceText {
 public:
  void add(std::string frame) {
    if (frame == last_) {
      ++repetitions_;
    } else {
      finish_repetitions();
      std::string number = std::to_string(number_);
      number.insert(0, number.size() < 3 ? 3 - number.size() : 0, ' ');
      text_ += number + ": " + frame + '\n';
      last_ = std::move(frame);
    }
    ++number_;
  }
  void skip(std::uint64_t frames) {
    finish_repetitions();
    last_.clear();
    text_ += "     ... " + counted(frames, "frame") + " left out ...\n";
    number_ += frames;
  }
  std::string take() {
    finish_repetitions();
    return std::move(text_);
  }

 private:
  void finish_repetitions() {
    if (repetitions_ != 0) text_ += "     ... " + std::to_string(repetitions_) + " more of the same ...\n";
    repetitions_ = 0;
  }

  std::string text_;
  std::string last_;
  std::uint64_t number_ = 0;
  std::uint64_t repetitions_ = 0;
};

void write_all(int descriptor, std::string_view text, int& error) {
  while (!text.empty()) {
    const ssize_t written = ::write(descriptor, text.data(), text.size());
    if (written < 0) {
      if (errno == EINTR) continue;
      error = errno;
      return;
    }
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

/// Who does not read standard error does not keep the process from its end: then the rest of `text` is lost.
void write_report(std::string_view text) {
  constexpr int patience_ms = 2000;
  constexpr std::size_t piece = PIPE_BUF;  // what a pipe takes at once when there is room
  while (!text.empty()) {
    struct ::pollfd room{STDERR_FILENO, POLLOUT, 0};
    const int ready = ::poll(&room, 1, patience_ms);
    if (ready == 0) return;
    int error = 0;
    write_all(STDERR_FILENO, text.substr(0, piece), error);
    if (error != 0) return;
    text.remove_prefix(std::min(text.size(), piece));
  }
}

}  // namespace

std::optional<LogLevel> parse_log_level(std::string_view text) {
  for (std::size_t i = 0; i < level_names.size(); ++i)
    if (level_names[i] == text) return static_cast<LogLevel>(i);
  return std::nullopt;
}

ReportStyle style_without_options() { return {.colour = wants_colour()}; }

ReportStyle style_from_environment(int verbosity, bool quiet) {
  ReportStyle style = style_without_options();
  style.quiet = quiet;
  if (const char* value = std::getenv("TFVM_LOG"); value != nullptr && *value != '\0') {
    const std::optional<LogLevel> level = parse_log_level(value);
    if (!level)
      fail_usage("TFVM_LOG is '" + printable(value) + "', which is no level",
                 "levels are off, error, warn, info, debug and trace");
    style.level = *level;
  }
  if (verbosity > 0) {
    constexpr int most = static_cast<int>(LogLevel::Trace) - static_cast<int>(LogLevel::Warning);
    const int wanted = static_cast<int>(LogLevel::Warning) + (verbosity < most ? verbosity : most);
    if (wanted > static_cast<int>(style.level)) style.level = static_cast<LogLevel>(wanted);
  }
  return style;
}

std::string error_text(std::string_view message, std::string_view hint, const ReportStyle& style) {
  std::string text = coloured("error:", bold_red, style) + ' ' + std::string(message) + '\n';
  if (!hint.empty() && !style.quiet) text += coloured("hint:", cyan, style) + ' ' + std::string(hint) + '\n';
  return text;
}

std::string trap_text(const Trap& trap, std::string_view module_name, const ReportStyle& style) {
  std::string text = coloured("trap:", bold_red, style) + ' ' + printable(trap.to_string()) + '\n';
  if (style.quiet) return text;
  const std::size_t first_half = (trap.backtrace.size() + 1) / 2;  // frames that were left out stand in the middle
  BacktraceText lines;
  for (std::size_t i = 0; i < trap.backtrace.size(); ++i) {
    if (i == first_half && trap.omitted_frames != 0) lines.skip(trap.omitted_frames);
    lines.add(frame_text(trap.backtrace[i], module_name, style));
  }
  text += lines.take();
  if (const std::string hint = hint_for_trap(trap.kind); !hint.empty())
    text += coloured("hint:", cyan, style) + ' ' + hint + '\n';
  return text;
}

int exit_code(const Trap& trap) {
  switch (trap.kind) {
    case TrapKind::None: return exit_success;
    case TrapKind::Exit: {
      const int low_bits = static_cast<int>(static_cast<std::uint32_t>(trap.exit_code) & 0xff);
      return low_bits == 0 && trap.exit_code != 0 ? exit_failure : low_bits;
    }
    case TrapKind::DeadlineExceeded: return exit_timeout;
    default: return exit_trap;
  }
}

void Report::error(std::string_view message, std::string_view hint) const {
  write_report(error_text(message, hint, style_));
}

void Report::trap(const Trap& trap, std::string_view module_name) const {
  write_report(trap_text(trap, module_name, style_));
}

void Report::note(std::string_view label, std::string_view text) const {
  // Waits for its reader: not a line may be missing.
  int ignored = 0;
  write_all(STDERR_FILENO, coloured(std::string(label) + ':', dim, style_) + ' ' + std::string(text) + '\n', ignored);
}

void Report::log(LogLevel level, std::string_view text) const {
  if (!logs(level)) return;
  write_report(coloured(std::string(level_names[static_cast<std::size_t>(level)]) + ':', dim, style_) + ' ' +
               std::string(text) + '\n');
}

void write_output(std::string_view text) {
  int error = 0;
  write_all(STDOUT_FILENO, text, error);
  if (error != 0) fail(std::string("cannot write to standard output: ") + std::strerror(error));
}

}  // namespace tfvm::cli
