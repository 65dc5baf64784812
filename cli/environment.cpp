// The guest's environment: see environment.hpp.
#include "cli/environment.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <unistd.h>

#include "cli/failure.hpp"
#include "cli/text.hpp"
#include "decoder/error.hpp"

namespace tfvm::cli {
namespace {

class Variables {
 public:
  void set(std::string variable) {
    if (variable.empty()) return;
    const std::string_view wanted = name_of(variable);
    const auto found =
        std::find_if(all_.begin(), all_.end(), [wanted](const auto& each) { return name_of(each) == wanted; });
    if (found != all_.end()) *found = std::move(variable);
    else all_.push_back(std::move(variable));
  }
  std::vector<std::string> take() { return std::move(all_); }

 private:
  static std::string_view name_of(std::string_view variable) { return variable.substr(0, variable.find('=')); }
  std::vector<std::string> all_;
};

void add_file(const std::string& path, Variables& variables) {
  std::ifstream file(path);
  if (!file) fail("cannot read '" + printable(path) + "': " + std::strerror(errno), "--env-file names it");
  std::string line;
  for (std::size_t number = 1; std::getline(file, line); ++number) {
    if (line.ends_with('\r')) line.pop_back();
    if (line.empty() || line.starts_with('#')) continue;
    variables.set(environment_variable(line, printable(path) + ", line " + std::to_string(number)));
  }
  if (file.bad()) fail("cannot read '" + printable(path) + "'");
}

}  // namespace

std::string environment_variable(const std::string& text, const std::string& where) {
  if (text.empty() || text.starts_with('='))
    fail_usage(where + " cannot be '" + printable(text) + "'", "expected NAME=VALUE, or NAME to copy it from the host");
  if (text.find('=') != std::string::npos) return text;
  const char* const value = std::getenv(text.c_str());
  return value == nullptr ? std::string() : text + '=' + value;
}

std::vector<std::string> guest_environment(const RunOptions& options) {
  if (!options.inherits_environment && options.environment_files.empty() && options.environment.size() < 2)
    return options.environment;
  Variables variables;
  if (options.inherits_environment)
    for (char** each = environ; each != nullptr && *each != nullptr; ++each)
      if (std::strchr(*each, '=') != nullptr) variables.set(*each);
  for (const std::string& path : options.environment_files) add_file(path, variables);
  for (const std::string& variable : options.environment) variables.set(variable);
  return variables.take();
}

}  // namespace tfvm::cli
