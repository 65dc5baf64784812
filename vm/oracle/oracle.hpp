// The oracle: a plain interpreter that serves as the readable twin of the tree interpreter, for tests and fuzzing.
// It executes the validated instructions one by one, with the same operators (vm/operators.hpp) and bulk operations.
//
//   frames   explicit; a call of a wasm function never recurses natively
//   labels   explicit, as in the standard: what a branch keeps, where it goes
//   code     decoded per function at its first call in an invocation (control_map.hpp)
#pragma once

#include "vm/execution_context.hpp"
#include "vm/instance.hpp"

namespace tfvm::oracle {

/// An ExecuteFunction for Store::set_execute: runs a wasm function, arguments in slots[0..params), results to
/// slots[0..results). On a trap fills context.backtrace and returns its kind. REQUIRES: function.host is null.
TrapKind execute(ExecutionContext& context, FunctionInstance& function, Slot* slots);

}  // namespace tfvm::oracle
