// `tfvm validate` (commands.hpp).
#include "cli/commands.hpp"
#include "cli/load.hpp"

namespace tfvm::cli {

int validate_command(const ValidateOptions& options, const Report& report) {
  const Engine engine;
  int code = exit_success;
  for (const std::string& file : options.files) {
    try {
      (void)load_module_file(engine, file, report);
    } catch (const Failure& failure) {
      report.failure(failure);
      code = exit_failure;
    }
  }
  return code;
}

}  // namespace tfvm::cli
