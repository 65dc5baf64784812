// Invocation of a function by the host (WebAssembly 3.0, section 4.7.3), also from inside of a host function.
#include <sched.h>

#include "vm/backtrace.hpp"
#include "vm/call_host.hpp"
#include "vm/execution_context.hpp"
#include "vm/fault.hpp"
#include "vm/runtime.hpp"

namespace tfvm {

namespace {
/// Invocations inside of each other; each has native frames of an executor, of a host function and of this file, some
/// KiB together, on a stack that may have 256 KiB only.
constexpr std::uint32_t max_nested_invocations = 100;
}  // namespace

/// One invocation: marks its store as running on this thread, and puts everything back.
class Invocation {
 public:
  explicit Invocation(Store& store)
      : store_(store),
        context_(store.context()),
        frame_top_(context_.frame_top),
        record_top_(context_.record_top),
        previous_(active::exchange(&context_)) {
    if (context_.nesting++ > 0) return;
    fault::prepare_thread();
    store_.executing_thread_.store(pthread_self());
  }
  ~Invocation() {
    active::exchange(previous_);
    context_.frame_top = frame_top_;
    context_.record_top = record_top_;
    if (--context_.nesting > 0) return;
    store_.executing_thread_.store(pthread_t{});
    while (store_.interrupters_.load() != 0) sched_yield();
  }
  Invocation(const Invocation&) = delete;
  Invocation& operator=(const Invocation&) = delete;

  TrapKind run(FunctionInstance& function, Slot* slots) {
    context_.backtrace.clear();
    context_.omitted_frames = 0;
    context_.host_message.clear();
    if (context_.nesting > max_nested_invocations) return TrapKind::CallStackExhausted;
    if (const TrapKind reason = reason_to_stop(); reason != TrapKind::None) return reason;
    if (function.host == nullptr) return store_.execute_(context_, function, slots);
    HostOutcome outcome = call_host(store_, nullptr, function, slots);
    context_.host_message = std::move(outcome.message);
    context_.exit_code = outcome.exit_code;
    return outcome.kind != TrapKind::None ? outcome.kind : reason_to_stop();
  }

  Trap trap(TrapKind kind) {
    Trap trap;
    trap.kind = kind;
    trap.message = std::move(context_.host_message);
    context_.host_message.clear();
    if (kind == TrapKind::Exit) {
      trap.exit_code = context_.exit_code;
      return trap;
    }
    trap.backtrace = describe_backtrace(context_.backtrace);
    trap.omitted_frames = context_.omitted_frames;
    forget_interrupt(kind);
    return trap;
  }

 private:
  TrapKind reason_to_stop() const {
    if (store_.deadline_ && context_.nesting == 1 && std::chrono::steady_clock::now() >= *store_.deadline_)
      return TrapKind::DeadlineExceeded;
    return static_cast<TrapKind>(context_.pending_interrupt.load(std::memory_order_acquire));
  }
  // An interrupt that ended the outermost invocation has done its work.
  void forget_interrupt(TrapKind kind) {
    if (context_.nesting > 1) return;
    auto pending = static_cast<std::uint8_t>(kind);
    context_.pending_interrupt.compare_exchange_strong(pending, 0);
  }

  Store& store_;
  ExecutionContext& context_;
  std::uint8_t* frame_top_;
  std::uint8_t* record_top_;
  ExecutionContext* previous_;
};

std::optional<Trap> Store::invoke(FunctionInstance& function, Slot* slots) {
  Invocation invocation(*this);
  const TrapKind kind = invocation.run(function, slots);
  if (kind == TrapKind::None) return std::nullopt;
  return invocation.trap(kind);
}

Store::Results Store::call(FunctionInstance& function, std::span<const Value> arguments) {
  const FunctionType& type = function.type->function();
  bool fits = arguments.size() == type.params.size();
  for (std::size_t i = 0; fits && i < arguments.size(); ++i)
    fits = is_subtype(*engine_.registry(), arguments[i].type, type.params[i]);
  Results results;
  if (!fits) {
    results.trap.emplace();
    results.trap->kind = TrapKind::HostFunctionFailed;
    results.trap->message = "the arguments do not fit a function of type " + to_string(type);
    return results;
  }
  std::vector<Slot> slots(std::max<std::size_t>({type.params.size(), type.results.size(), 1}));
  for (std::size_t i = 0; i < arguments.size(); ++i) slots[i] = arguments[i].slot;
  results.trap = invoke(function, slots.data());
  if (results.trap) return results;
  for (std::size_t i = 0; i < type.results.size(); ++i) results.values.push_back({type.results[i], slots[i]});
  return results;
}

}  // namespace tfvm
