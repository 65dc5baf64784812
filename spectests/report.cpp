// Serialised as lines "KEY VALUE TEXT".
#include "spectests/report.hpp"

#include <algorithm>
#include <charconv>
#include <numeric>

namespace tfvm::spectests {

std::uint64_t Report::skipped_total() const {
  return std::accumulate(skipped.begin(), skipped.end(), std::uint64_t{0},
                         [](std::uint64_t sum, const auto& entry) { return sum + entry.second; });
}

void Report::add(const Report& other) {
  passed += other.passed;
  failed += other.failed;
  for (const auto& [reason, count] : other.skipped) skipped[reason] += count;
  failures.insert(failures.end(), other.failures.begin(), other.failures.end());
}

std::string Report::summary(bool with_reasons) const {
  std::string text = std::to_string(passed) + " passed, " + std::to_string(failed) + " failed, " +
                     std::to_string(skipped_total()) + " skipped";
  if (!with_reasons || skipped.empty()) return text;
  std::string reasons;
  for (const auto& [reason, count] : skipped)
    reasons += (reasons.empty() ? "" : ", ") + std::to_string(count) + " " + reason;
  return text + " (" + reasons + ")";
}

std::string serialize(const Report& report) {
  std::string text;
  const auto line = [&](std::string_view key, std::uint64_t number, std::string rest) {
    std::replace(rest.begin(), rest.end(), '\n', ' ');
    text += std::string(key) + " " + std::to_string(number) + " " + rest + "\n";
  };
  for (const std::string& failure : report.failures) line("failure", 0, failure);
  line("passed", report.passed, "");
  line("failed", report.failed, "");
  for (const auto& [reason, count] : report.skipped) line("skipped", count, reason);
  line("end", 0, "");
  return text;
}

Report deserialize(std::string_view text) {
  Report report;
  report.complete = false;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const std::size_t space = line.find(' ');
    if (space == std::string_view::npos) continue;
    const std::string_view key = line.substr(0, space);
    std::uint64_t number = 0;
    const auto read = std::from_chars(line.data() + space + 1, line.data() + line.size(), number);
    std::string_view rest(read.ptr, line.data() + line.size());
    if (!rest.empty()) rest.remove_prefix(1);
    if (key == "failure") report.failures.emplace_back(rest);
    if (key == "passed") report.passed = number;
    if (key == "failed") report.failed = number;
    if (key == "skipped") report.skipped[std::string(rest)] = number;
    if (key == "end") report.complete = true;
  }
  return report;
}

}  // namespace tfvm::spectests
