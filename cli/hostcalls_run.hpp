// `tfvm run --hostcalls`: one request to one function, without a server.
#pragma once

#include "cli/options.hpp"
#include "cli/report.hpp"

namespace tfvm::cli {

/// Runs the function of a module (its export `run`, else `_start` as CGI) for the request of the options and prints the
/// response. What the function writes and logs goes to standard error. The exit code is 0 for every response, whatever
/// its status, and that of run_command for a function that trapped, of which nothing is printed.
/// Throws Failure: the module cannot be loaded, linked or called, or an option names what is not there.
int run_hostcalls(const RunOptions& options, const Report& report);

}  // namespace tfvm::cli
