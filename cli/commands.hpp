// The commands of tfvm. Each takes what the command line said and gives the process's exit code.
#pragma once

#include "cli/options.hpp"
#include "cli/report.hpp"

namespace tfvm::cli {

/// Runs a program or one of its functions. Does not return once the guest has run: see run_command.cpp.
/// Throws Failure: the module cannot be loaded, linked or called.
int run_command(const RunOptions& options, const Report& report);

/// Serves a folder of functions until a signal ends it. Throws Failure: it cannot begin.
int serve_command(const ServeOptions& options, const Report& report);

/// Validates all files; each bad one is reported in one line. exit_failure if there is one.
int validate_command(const ValidateOptions& options, const Report& report);

/// Prints what is in a module. Throws Failure if it is none; one that is only invalid is shown before.
int inspect_command(const InspectOptions& options);

/// Prints a module in the text format. Throws Failure: it cannot be read or decoded, the result cannot be written.
int text_command(const TextOptions& options);

/// Writes a module in the binary format, whether it is valid or not. Throws Failure likewise.
int binary_command(const BinaryOptions& options);

}  // namespace tfvm::cli
