// One run of wabt's wast2json over a text, and where its messages point to.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "decoder/error.hpp"
#include "spectests/process.hpp"
#include "spectests/script.hpp"

namespace tfvm::spectests {

struct ConvertOptions {
  std::string wast2json = "wast2json";           ///< looked up in PATH
  std::chrono::milliseconds time_limit{60'000};  ///< for one run of wast2json
};

class Wast2json {
 public:
  /// REQUIRES: `options` outlives it.
  explicit Wast2json(const ConvertOptions& options) : options_(options) {}

  enum class Check : bool { No, Yes };  ///< whether wabt validates modules

  /// Runs it on `text`. If it succeeds and `commands` is given, they are what it wrote.
  /// Errors (Host): files or the program cannot be used, its output cannot be read.
  Result<ProcessResult> run(std::string_view text, Check check, std::vector<Command>* commands) const;

 private:
  const ConvertOptions& options_;
};

/// Where in `text` wast2json's messages complain: the offsets of "LINE:COLUMN: error".
std::vector<std::size_t> error_offsets(std::string_view messages, std::string_view text);

}  // namespace tfvm::spectests
