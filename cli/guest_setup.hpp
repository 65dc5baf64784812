// What every way of running a guest from the command line does around it: limits, errors of linking, and taking from
// the process what it no longer needs.
#pragma once

#include "cli/options.hpp"
#include "cli/report.hpp"
#include "cli/self_sandbox.hpp"
#include "vm/runtime.hpp"

namespace tfvm::cli {

/// The limits that options set; the store's own where they do not.
StoreLimits store_limits(const RunOptions& options);

/// Throws Failure: what a module lacks, by name, and who would have it.
[[noreturn]] void fail_to_instantiate(const Error& error, const RunOptions& options, const Module& module);

/// Restricts the process unless --no-self-sandbox; with -v says how. REQUIRES: all that guests may use is open, and no
/// thread runs yet.
void restrict_own_process(const RunOptions& options, const Report& report, const SandboxPlan& plan);

/// The exit code for a guest that trapped, which is reported unless it left by itself.
int end_with(const Trap& trap, const RunOptions& options, const Report& report);

}  // namespace tfvm::cli
