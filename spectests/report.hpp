// What came of running one script, and its form on the way from the child process that ran it.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace tfvm::spectests {

struct Report {
  std::uint64_t passed = 0;                      ///< assertions
  std::uint64_t failed = 0;                      ///< assertions, and other commands that should have succeeded
  std::map<std::string, std::uint64_t> skipped;  ///< assertions by reason
  std::vector<std::string> failures;             ///< "FILE:LINE: what was expected and what came"
  bool complete = true;                          ///< false: the process did not get to the end of the script

  std::uint64_t skipped_total() const;
  void add(const Report& other);
  /// "P passed, F failed, S skipped"; with reasons: "... skipped (3 needs gc, 2 text format)"
  std::string summary(bool with_reasons) const;
};

/// One item a line, so that what a crashed process wrote before its end still counts.
std::string serialize(const Report& report);
/// Inverse of serialize. What is no line of that form is ignored; without the last line, `complete` is false.
Report deserialize(std::string_view text);

}  // namespace tfvm::spectests
