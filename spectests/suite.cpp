// Files and names; what a script holds is wast.cpp's, convert.cpp's and runner.cpp's.
#include "spectests/suite.hpp"

#include <algorithm>
#include <fstream>
#include <system_error>

#include "spectests/wast.hpp"

namespace tfvm::spectests {

namespace fs = std::filesystem;

Result<std::vector<Script>> find_scripts(const fs::path& folder) {
  std::vector<Script> scripts;
  std::error_code error;
  for (fs::recursive_directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    if (entry->path().extension() != ".wast") continue;
    scripts.push_back({entry->path(), entry->path().lexically_relative(folder).replace_extension().string()});
  }
  if (error) return Error{ErrorKind::Host, folder.string() + ": " + error.message()};
  if (scripts.empty()) return Error{ErrorKind::Host, "no .wast files below " + folder.string()};
  std::sort(scripts.begin(), scripts.end(), [](const Script& a, const Script& b) { return a.name < b.name; });
  return scripts;
}

std::vector<Script> select_scripts(const std::vector<Script>& scripts, const std::string& argument) {
  const fs::path path(argument);
  std::error_code error;
  if (fs::is_regular_file(path, error)) return {Script{path, path.stem().string()}};
  std::string name = argument;
  if (name.ends_with(".wast")) name.resize(name.size() - 5);
  std::vector<Script> found;
  for (const Script& script : scripts)
    if (script.name == name || script.name.ends_with("/" + name)) found.push_back(script);
  return found;
}

Result<std::set<std::string>> read_expected_failures(const fs::path& path) {
  std::ifstream file(path);
  if (!file) return Error{ErrorKind::Host, "cannot read " + path.string()};
  std::set<std::string> names;
  std::string line;
  while (std::getline(file, line)) {
    line.resize(std::min(line.find('#'), line.size()));
    line.erase(line.find_last_not_of(" \t\r") + 1);
    line.erase(0, std::min(line.find_first_not_of(" \t"), line.size()));
    if (!line.empty()) names.insert(line);
  }
  return names;
}

namespace {

Result<std::vector<Command>> read_commands(const Script& script, const SuiteOptions& options) {
  if (!options.uses_wabt) return read_wast_file(script.path);
  auto conversion = convert_script(script.path, options.convert);
  if (!conversion) return conversion.error();
  return std::move(conversion->commands);
}

}  // namespace

Report run_script(const Script& script, const SuiteOptions& options) {
  const auto commands = read_commands(script, options);
  if (!commands) {
    Report report;
    report.failed = 1;
    report.failures.push_back(script.name + ": " + commands.error().to_string());
    return report;
  }
  RunnerOptions runner_options = options.runner;
  runner_options.takes_malformed_for_invalid = options.uses_wabt;
  Runner runner(script.name, runner_options);
  runner.run(*commands);
  return runner.report();
}

}  // namespace tfvm::spectests
