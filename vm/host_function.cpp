// Calls of host functions (call_host.hpp) and what they see of their caller (Caller of host_function.hpp).
#include "vm/host_function.hpp"

#include <exception>

#include "vm/call_host.hpp"
#include "vm/execution_context.hpp"
#include "vm/runtime.hpp"

namespace tfvm {

GuestMemory Caller::memory() const {
  if (instance_ == nullptr || instance_->memory_for_host == nullptr) return {};
  return GuestMemory(*instance_->memory_for_host);
}

bool Caller::consume_fuel(std::uint64_t units) const { return store_.consume_fuel(units); }

TrapKind Caller::pending_interrupt() const {
  return static_cast<TrapKind>(store_.context().pending_interrupt.load(std::memory_order_acquire));
}

HostOutcome call_host(Store& store, ModuleInstance* caller, FunctionInstance& function, Slot* slots) noexcept {
  HostOutcome outcome;
  try {
    Caller view(store, caller);
    outcome = (*function.host)(view, slots);
  } catch (const std::exception& exception) {
    return HostOutcome::trap(TrapKind::HostFunctionFailed, exception.what());
  } catch (...) {
    return HostOutcome::trap(TrapKind::HostFunctionFailed, "exception of an unknown type");
  }
  if (outcome.kind != TrapKind::None) return outcome;
  // A host function that writes slots itself may leave rubbish in the upper halves.
  const std::vector<ValueType>& results = function.type->function().results;
  for (std::size_t i = 0; i < results.size(); ++i)
    if (results[i].kind() == ValueKind::I32 || results[i].kind() == ValueKind::F32) slots[i].bits &= UINT32_MAX;
  return outcome;
}

}  // namespace tfvm
