// The fault handler (fault.hpp). Async-signal-safe: it reads plain data of the context that this thread executes, and
// either resumes at the trap exit or hands over to the handler that was installed before.
#include "vm/fault.hpp"

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <signal.h>
#include <sys/mman.h>

#include "vm/execution_context.hpp"
#include "vm/interpreter.hpp"
#include "vm/interrupt.hpp"
#include "vm/runtime.hpp"

namespace tfvm {
namespace {

constinit thread_local ExecutionContext* active_context = nullptr;

std::atomic<bool> is_installed{false};
struct sigaction previous_segv;
struct sigaction previous_bus;

bool is_guarded_address(ExecutionContext& context, const void* fault_address) {
  const auto address = reinterpret_cast<std::uintptr_t>(fault_address);
  // The vector cannot be in the middle of a change: handlers, where the fault was, do not touch it.
  for (const auto& memory : context.store->memories()) {
    const auto base = reinterpret_cast<std::uintptr_t>(memory->base);
    if (memory->kind == MemoryInstance::Kind::Guarded && address - base < memory->reserved) return true;
  }
  return false;
}

void chain(int signal, siginfo_t* information, void* ucontext, const struct sigaction& previous) {
  if ((previous.sa_flags & SA_SIGINFO) != 0) {
    previous.sa_sigaction(signal, information, ucontext);
    return;
  }
  if (previous.sa_handler != SIG_DFL && previous.sa_handler != SIG_IGN) {
    previous.sa_handler(signal);
    return;
  }
  // The default action must happen: the instruction faults again on return. A signal that was sent is sent again.
  struct sigaction default_action{};
  default_action.sa_handler = SIG_DFL;
  sigaction(signal, &default_action, nullptr);
  if (information->si_code <= 0) raise(signal);
}

void on_fault(int signal, siginfo_t* information, void* ucontext) {
  ExecutionContext* const context = active_context;
  const bool is_fault = information->si_code > 0;
  if (context != nullptr && context->in_handlers && is_fault && is_guarded_address(*context, information->si_addr)) {
    interpreter::leave_by_signal(*context, ucontext, TrapKind::OutOfBoundsMemoryAccess);
    context->in_handlers = false;  // from here on: the next signal must not leave a second time
    return;
  }
  chain(signal, information, ucontext, signal == SIGSEGV ? previous_segv : previous_bus);
}

/// The alternate stack of a thread, given back when the thread ends.
class AlternateStack {
 public:
  void ensure() {
    if (is_checked_) return;
    is_checked_ = true;
    stack_t current{};
    if (sigaltstack(nullptr, &current) == 0 && (current.ss_flags & SS_DISABLE) == 0) return;
    memory_ = mmap(nullptr, size_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory_ == MAP_FAILED) return;
    stack_t mine{};
    mine.ss_sp = memory_;
    mine.ss_size = size_bytes;
    sigaltstack(&mine, nullptr);
  }
  ~AlternateStack() {
    if (memory_ == MAP_FAILED) return;
    stack_t current{};
    if (sigaltstack(nullptr, &current) == 0 && current.ss_sp == memory_) {
      stack_t none{};
      none.ss_flags = SS_DISABLE;
      sigaltstack(&none, nullptr);
    }
    munmap(memory_, size_bytes);
  }

 private:
  static constexpr std::size_t size_bytes = 64 * 1024;
  bool is_checked_ = false;
  void* memory_ = MAP_FAILED;
};
thread_local AlternateStack alternate_stack;

}  // namespace

void fault::install() {
  if (is_installed.load(std::memory_order_acquire)) return;
  static std::once_flag once;
  std::call_once(once, [] {
    struct sigaction action{};
    action.sa_sigaction = on_fault;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK;
    sigemptyset(&action.sa_mask);
    sigaddset(&action.sa_mask, interrupt_signal());
    sigaction(SIGSEGV, &action, &previous_segv);
    sigaction(SIGBUS, &action, &previous_bus);
    is_installed.store(true, std::memory_order_release);
  });
}

void fault::prepare_thread() {
  if (is_installed.load(std::memory_order_relaxed)) alternate_stack.ensure();
}

ExecutionContext* active::context() { return active_context; }

ExecutionContext* active::exchange(ExecutionContext* context) {
  ExecutionContext* const previous = active_context;
  active_context = context;
  return previous;
}

}  // namespace tfvm
