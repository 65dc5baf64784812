// The tree interpreter as an executor: how an invocation enters the threaded code and how it leaves it, by returning,
// by a trap of a handler, or by a signal. The machine itself is in handlers/, the translator in translate/.
#pragma once

#include "vm/execution_context.hpp"
#include "vm/instance.hpp"
#include "vm/trap.hpp"
#include "vm/value.hpp"

namespace tfvm::interpreter {

/// Runs a wasm function: arguments in slots[0..params), results come to slots[0..results). On a trap the context holds
/// backtrace, message and exit code. REQUIRES: function.host is null; Invocation (invoke.cpp) is around it.
TrapKind execute(ExecutionContext& context, FunctionInstance& function, Slot* slots);

/// For signal handlers, while a handler of the interpreter runs: changes `ucontext` so that the thread goes on at the
/// trap exit with `kind`. Async-signal-safe. REQUIRES: context.in_handlers.
void leave_by_signal(ExecutionContext& context, void* ucontext, TrapKind kind);

}  // namespace tfvm::interpreter
