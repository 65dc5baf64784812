// The texts of --help, `tfvm help COMMAND` and --version. Lists of options come from their descriptions.
#pragma once

#include <string>

namespace tfvm::cli {

std::string help_overview();
std::string help_for_run();
std::string help_for_serve();
std::string help_for_validate();
std::string help_for_inspect();
std::string help_for_text();
std::string help_for_binary();

/// "tfvm 1.2.3\n"
std::string version_text();

}  // namespace tfvm::cli
