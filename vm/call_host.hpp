// The trampoline to host functions, shared by all executors.
#pragma once

#include "vm/instance.hpp"

namespace tfvm {

/// Calls the host function `function` for `caller` (null: the host itself): arguments in slots[0..params), results come
/// to slots[0..results). A C++ exception ends here and becomes TrapKind::HostFunctionFailed with its what().
/// Executors set context.frame_top and record_top before, and test pending_interrupt after it.
/// REQUIRES: function.host != nullptr; in_handlers is false.
HostOutcome call_host(Store& store, ModuleInstance* caller, FunctionInstance& function, Slot* slots) noexcept;

}  // namespace tfvm
