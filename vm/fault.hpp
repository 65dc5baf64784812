// Faults of guarded memories: the SIGSEGV and SIGBUS handler that turns them into traps, and the stacks it runs on.
// Internal to vm/. Nothing happens, and nothing is installed, before the first guarded memory is made.
#pragma once

namespace tfvm {

struct ExecutionContext;

namespace fault {

/// Installs the handlers, once per process. Faults that are not a guest's go to the handlers that were there before.
void install();

/// Gives this thread an alternate signal stack, if it has none yet and install() was called.
void prepare_thread();

}  // namespace fault

namespace active {

/// The context that this thread executes, innermost; null if none. Readable by signal handlers.
ExecutionContext* context();
/// Makes `context` the active one and returns what was.
ExecutionContext* exchange(ExecutionContext* context);

}  // namespace active
}  // namespace tfvm
