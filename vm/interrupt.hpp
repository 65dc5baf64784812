// How a deadline reaches a guest, wherever it is, and how a host function waits so that it does.
//
// One timer thread for all stores sends a signal to the thread that executes. Inside the handlers the signal handler
// leaves to the trap exit; elsewhere it notes the reason in ExecutionContext::pending_interrupt, and the signal itself
// ends a blocking system call with EINTR. So that a signal just before the call is not lost, host functions wait in
// ppoll with InterruptGuard::open_mask(): the signal is blocked while they look at pending_interrupt(), open in ppoll.
#pragma once

#include <csignal>

namespace tfvm {

/// The signal that interrupts a waiting thread.
int interrupt_signal();

/// Blocks the interrupt signal for its lifetime; `open_mask()` is what to give to ppoll or pselect.
///
///   InterruptGuard guard;
///   if (caller.pending_interrupt() != TrapKind::None) return ...;
///   ppoll(fds, count, timeout, &guard.open_mask());           // EINTR: look again
class InterruptGuard {
 public:
  InterruptGuard();
  ~InterruptGuard();
  InterruptGuard(const InterruptGuard&) = delete;
  InterruptGuard& operator=(const InterruptGuard&) = delete;
  const sigset_t& open_mask() const { return open_; }

 private:
  sigset_t before_;
  sigset_t open_;  ///< before_ without the interrupt signal, so that guards nest
};

}  // namespace tfvm
