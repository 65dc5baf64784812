// Interruption of a store (interrupt.hpp): the signal and its handler, InterruptGuard, deadlines.
//
//   interrupt():  pending_interrupt = kind, then the signal to the executing thread, if there is one
//   handler:      in_handlers: leave to the trap exit; else nothing, pending_interrupt is looked at later
// The signal's handler has no SA_RESTART: a blocking call ends with EINTR.
#include "vm/interrupt.hpp"

#include <atomic>
#include <cerrno>
#include <pthread.h>
#include <signal.h>

#include "vm/execution_context.hpp"
#include "vm/fault.hpp"
#include "vm/interpreter.hpp"
#include "vm/runtime.hpp"
#include "vm/timer.hpp"

namespace tfvm {
namespace {

// SIGURG: ignored by default, so that one that comes late or from elsewhere does no harm.
constexpr int signal_number = SIGURG;

std::atomic<bool> is_installed{false};

void on_interrupt(int, siginfo_t*, void* ucontext) {
  const int saved_errno = errno;
  ExecutionContext* const context = active::context();
  if (context != nullptr && context->in_handlers) {
    const auto kind = static_cast<TrapKind>(context->pending_interrupt.load(std::memory_order_relaxed));
    if (kind != TrapKind::None) {
      interpreter::leave_by_signal(*context, ucontext, kind);
      context->in_handlers = false;  // from here on: the next signal must not leave a second time
    }
  }
  errno = saved_errno;
}

// Idempotent instead of once: it may be called by a signal handler.
void install_handler() {
  if (is_installed.load(std::memory_order_acquire)) return;
  struct sigaction action{};
  action.sa_sigaction = on_interrupt;
  action.sa_flags = SA_SIGINFO;
  sigemptyset(&action.sa_mask);
  sigaction(signal_number, &action, nullptr);
  is_installed.store(true, std::memory_order_release);
}

}  // namespace

int interrupt_signal() { return signal_number; }

InterruptGuard::InterruptGuard() {
  sigset_t blocked;
  sigemptyset(&blocked);
  sigaddset(&blocked, signal_number);
  pthread_sigmask(SIG_BLOCK, &blocked, &before_);
  open_ = before_;
  sigdelset(&open_, signal_number);
}

InterruptGuard::~InterruptGuard() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

void Store::interrupt(TrapKind kind) {
  install_handler();
  // The counter keeps the thread inside of its invocation, and thus alive, until it has been signalled.
  interrupters_.fetch_add(1);
  context_->pending_interrupt.store(static_cast<std::uint8_t>(kind));
  const pthread_t thread = executing_thread_.load();
  if (thread != pthread_t{}) pthread_kill(thread, signal_number);
  interrupters_.fetch_sub(1);
}

void Store::set_deadline(std::chrono::steady_clock::time_point deadline) {
  clear_deadline();
  deadline_ = deadline;
  if (deadline <= std::chrono::steady_clock::now()) interrupt(TrapKind::DeadlineExceeded);
  else timer::set(*this, deadline);
}

void Store::clear_deadline() {
  if (!deadline_) return;
  timer::clear(*this, *deadline_);
  deadline_.reset();
  auto exceeded = static_cast<std::uint8_t>(TrapKind::DeadlineExceeded);
  context_->pending_interrupt.compare_exchange_strong(exceeded, 0);
}

}  // namespace tfvm
