// Which scripts there are and what is expected of them: finding scripts, running one, the list of expected failures.
#pragma once

#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "decoder/error.hpp"
#include "spectests/convert.hpp"
#include "spectests/report.hpp"
#include "spectests/runner.hpp"

namespace tfvm::spectests {

struct Script {
  std::filesystem::path path;
  std::string name;  ///< "gc/array": path below the suite, without extension
  bool is_in_house = false;
};

/// All .wast files below `folder`, sorted by name. Errors (Host): it cannot be read, or there are none.
Result<std::vector<Script>> find_scripts(const std::filesystem::path& folder);

/// The scripts meant by `argument`: a path of a file, a name, or the last part of a name. Empty: there is none.
std::vector<Script> select_scripts(const std::vector<Script>& scripts, const std::string& argument);

/// Names of scripts, one a line; # starts a comment. Errors (Host): the file cannot be read.
Result<std::set<std::string>> read_expected_failures(const std::filesystem::path& path);

struct SuiteOptions {
  RunnerOptions runner = {};
  bool uses_wabt = false;  ///< wabt reads the script, not our own text format
  ConvertOptions convert = {};
};

/// Reads and runs a script.
Report run_script(const Script& script, const SuiteOptions& options = {});

}  // namespace tfvm::spectests
