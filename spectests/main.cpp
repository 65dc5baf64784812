// spectests --suite DIR [options] [FILES]: runs official scripts, and our own (scripts/), and counts. Here: options and
// output; everything else is in the library.
#include <boost/program_options.hpp>
#include <cstdio>
#include <iostream>
#include <thread>

#include "spectests/jobs.hpp"
#include "spectests/judge.hpp"
#include "spectests/suite.hpp"
#include "vm/oracle/oracle.hpp"

namespace {

namespace program_options = boost::program_options;
using namespace tfvm::spectests;

constexpr int exit_failed = 1;
constexpr int exit_usage = 2;

struct Settings {
  std::string suite;
  std::string engine = "tree";
  std::string in_house = TFVM_SPECTESTS_DIR "/scripts";
  std::string expected_failures = TFVM_SPECTESTS_DIR "/expected_failures.txt";
  std::size_t jobs = std::max(1u, std::thread::hardware_concurrency());
  unsigned timeout_seconds = 120;
  bool verbose = false;
  bool uses_wabt = false;
  bool judges = false;
  std::vector<std::string> files;
};

/// Thrown for what the user got wrong.
struct UsageError {
  std::string message;
};

/// False: the help was asked for and printed.
bool read_settings(int count, char** arguments, Settings& settings) {
  program_options::options_description visible("usage: spectests --suite DIR [options] [FILES]\n\noptions");
  visible.add_options()("suite", program_options::value(&settings.suite), "folder of the official scripts")(
      "engine", program_options::value(&settings.engine)->default_value(settings.engine), "tree or oracle")(
      "jobs", program_options::value(&settings.jobs)->default_value(settings.jobs), "scripts at the same time")(
      "timeout", program_options::value(&settings.timeout_seconds)->default_value(settings.timeout_seconds),
      "seconds for one script")("expected-failures", program_options::value(&settings.expected_failures),
                                "file with names of scripts that fail for a reason outside of tfvm")(
      "in-house", program_options::value(&settings.in_house), "folder of our own scripts")(
      "verbose", program_options::bool_switch(&settings.verbose), "print all failures of a script, not the first ten")(
      "wabt", program_options::bool_switch(&settings.uses_wabt),
      "let wabt's wast2json read the scripts, as far as it can")(
      "judge", program_options::bool_switch(&settings.judges),
      "run nothing; compare our binary modules with those that wabt makes of the same text")("help", "print this");
  program_options::options_description all;
  all.add(visible).add_options()("files", program_options::value(&settings.files), "");
  program_options::positional_options_description positions;
  positions.add("files", -1);
  program_options::variables_map values;
  try {
    program_options::store(
        program_options::command_line_parser(count, arguments).options(all).positional(positions).run(), values);
    program_options::notify(values);
  } catch (const program_options::error& error) {
    throw UsageError{error.what()};
  }
  if (values.count("help") != 0) {
    std::cout << visible << "\nFILES are paths, or names of scripts such as gc/array or array; without them all run.\n";
    return false;
  }
  if (settings.engine != "tree" && settings.engine != "oracle") throw UsageError{"--engine is tree or oracle"};
  if (settings.suite.empty() && settings.files.empty()) throw UsageError{"--suite is missing"};
  return true;
}

std::vector<Script> choose_scripts(const Settings& settings) {
  std::vector<Script> scripts;
  const auto add = [&](const std::string& folder, bool in_house) {
    const auto found = find_scripts(folder);
    if (!found) throw UsageError{found.error().message};
    for (Script script : *found) {
      script.is_in_house = in_house;
      if (in_house) script.name = "in-house/" + script.name;
      scripts.push_back(std::move(script));
    }
  };
  if (!settings.suite.empty()) add(settings.suite, false);
  add(settings.in_house, true);
  if (settings.files.empty()) return scripts;
  std::vector<Script> chosen;
  for (const std::string& file : settings.files) {
    const auto selected = select_scripts(scripts, file);
    if (selected.empty()) throw UsageError{"no script " + file};
    chosen.insert(chosen.end(), selected.begin(), selected.end());
  }
  return chosen;
}

/// Prints reports as they come and keeps the sums.
class Summary {
 public:
  Summary(std::set<std::string> expected, bool verbose) : expected_(std::move(expected)), verbose_(verbose) {}

  void add(const Script& script, const Report& report) {
    constexpr std::size_t shown = 10;
    const bool is_expected = expected_.count(script.name) != 0;
    std::printf("%s: %s%s\n", script.name.c_str(), report.summary(true).c_str(),
                is_expected && report.failed != 0 ? " [expected]" : "");
    for (std::size_t i = 0; i < report.failures.size() && (verbose_ || i < shown); ++i)
      std::printf("  %s\n", report.failures[i].c_str());
    if (report.failures.size() > shown && !verbose_)
      std::printf("  and %zu more (--verbose prints them)\n", report.failures.size() - shown);
    std::fflush(stdout);
    (script.is_in_house ? in_house_ : official_).add(report);
    if (report.failed != 0 && !is_expected) ok_ = false;
    if (report.failed == 0 && is_expected) unexpected_passes_.push_back(script.name);
  }

  /// True: everything is as expected.
  bool print() const {
    for (const std::string& name : unexpected_passes_)
      std::printf("%s passes, but expected_failures.txt names it\n", name.c_str());
    std::printf("in-house: %s\n", in_house_.summary(true).c_str());
    for (const auto& [reason, count] : official_.skipped)
      std::printf("skipped: %llu %s\n", static_cast<unsigned long long>(count), reason.c_str());
    std::printf("spec: %s\n", official_.summary(false).c_str());
    return ok_ && unexpected_passes_.empty();
  }

 private:
  std::set<std::string> expected_;
  bool verbose_;
  Report official_;
  Report in_house_;
  std::vector<std::string> unexpected_passes_;
  bool ok_ = true;
};

int run(const Settings& settings) {
  const std::vector<Script> scripts = choose_scripts(settings);
  auto expected = read_expected_failures(settings.expected_failures);
  if (!expected) throw UsageError{expected.error().message};
  SuiteOptions options;
  options.uses_wabt = settings.uses_wabt;
  if (settings.engine == "oracle") options.runner.execute = &tfvm::oracle::execute;
  JobOptions jobs;
  jobs.parallel = settings.jobs;
  jobs.time_limit = std::chrono::seconds(settings.timeout_seconds);
  Summary summary(std::move(*expected), settings.verbose);
  run_jobs(
      scripts.size(), jobs,
      [&](std::size_t index) {
        return settings.judges ? compare_with_wabt(scripts[index]) : run_script(scripts[index], options);
      },
      [&](std::size_t index, const Report& report) { summary.add(scripts[index], report); });
  return summary.print() ? 0 : exit_failed;
}

}  // namespace

int main(int count, char** arguments) {
  try {
    Settings settings;
    return read_settings(count, arguments, settings) ? run(settings) : 0;
  } catch (const UsageError& error) {
    std::fprintf(stderr, "spectests: %s (see --help)\n", error.message.c_str());
    return exit_usage;
  }
}
