// Landlock of Linux from 5.19 on: rules for files, TCP and signals that a process gives itself. The newer constants are
// ours, since Debian 12's headers lack them; what the kernel has is asked at run time.
#pragma once

#include <string>

#include "cli/self_sandbox.hpp"

namespace tfvm::cli {

/// The version of Landlock that the kernel has; 0: none.
int landlock_abi();

/// Restricts the calling thread as planned. Empty: it holds; else why it does not. REQUIRES: no new privileges is set;
/// abi is what landlock_abi() gave.
std::string restrict_by_landlock(const SandboxPlan& plan, int abi);

}  // namespace tfvm::cli
