// The guest's environment from what the command line says: --inherit-env, --env-file, --env.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cli/options.hpp"

namespace tfvm::cli {

/// "NAME=VALUE" for a NAME=VALUE as it is, for a NAME with the host's value; empty if the host has none. Throws Failure
/// (usage) with `where` for a text without a name.
std::string environment_variable(const std::string& text, const std::string& where);

/// All variables, each name once: those of the host if they are inherited, then the files in their order, then --env;
/// what comes later wins. Throws Failure: a file cannot be read, or has a line that is no variable.
///
/// A file has a NAME=VALUE, or a NAME with the host's value, a line; empty lines and those that start with # are
/// skipped. Values are taken as they are, quotes and all.
std::vector<std::string> guest_environment(const RunOptions& options);

}  // namespace tfvm::cli
