// What the server writes: the access log, its own messages, and what guests say, each one line, as text or JSON. Lines
// are handed to a thread that writes them; what a slow reader does not take is dropped, counted, and said.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "decoder/error.hpp"

namespace tfvm::serve {

enum class LogFormat : std::uint8_t { Text, Json };

/// One request that was answered.
struct AccessEntry {
  std::string_view client;
  std::string_view method;
  std::string_view host;
  std::string_view target;
  std::string_view function;  ///< empty: none ran
  std::string_view request_id;
  std::string_view user_agent;
  std::uint16_t status = 0;
  std::uint64_t bytes = 0;  ///< of the body that was sent
  std::chrono::nanoseconds duration{};
};

/// Thread-safe.
class Log {
 public:
  struct Config {
    std::string access = "-";  ///< a file, "-" for standard output, "off"
    LogFormat format = LogFormat::Text;
    bool quiet = false;  ///< no messages
  };
  /// Error: Host (the file cannot be opened).
  static Result<std::unique_ptr<Log>> open(Config config);
  virtual ~Log() = default;

  virtual bool wants_access() const = 0;
  virtual void access(const AccessEntry& entry) = 0;
  /// One of the server's own messages, to standard error; may have several lines (a backtrace).
  virtual void message(std::string_view text) = 0;
  /// A line of a guest: `kind` is "stdout", "stderr", "debug" or "panic".
  virtual void guest(std::string_view function, std::string_view kind, std::string_view line) = 0;
  /// Opens the access log's file again, which a log rotation has moved away.
  virtual void reopen() = 0;
  /// Waits until all is written.
  virtual void flush() = 0;
};

/// `text` as a JSON string with its quotes; bytes that are no UTF-8 become U+FFFD.
std::string json_string(std::string_view text);

}  // namespace tfvm::serve
