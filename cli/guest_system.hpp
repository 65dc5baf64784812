// What `tfvm run` gives a guest of the system, from the options: WASI's config with its observers, the limits of the
// process that it needs, and what the process keeps for itself afterwards.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "cli/options.hpp"
#include "cli/report.hpp"
#include "cli/self_sandbox.hpp"
#include "wasi/wasi.hpp"

namespace tfvm::cli {

/// Opens all that the guest may use; with -v says what that is. `report` must outlive the result, which says later,
/// with -v, which option would have granted what the guest was refused. Throws Failure.
/// `adjust`, if not empty, has the last word on the config.
std::unique_ptr<wasi::Wasi> open_guest_system(const RunOptions& options, const Report& report,
                                              const std::function<void(wasi::WasiConfig&)>& adjust = {});

/// What the process must still be able to do for the guest. REQUIRES: no guest has run.
SandboxPlan sandbox_plan(const RunOptions& options, const wasi::Wasi& system);

/// What -v says about a refusal.
std::string hint_for_refusal(const wasi::Refusal& refusal);

}  // namespace tfvm::cli
