// One call of the guest's malloc: see guest_allocator.hpp.
#include "hostcalls/guest_allocator.hpp"

#include <string>
#include <string_view>

#include "vm/runtime.hpp"

namespace tfvm::hostcalls {

namespace {

bool is_malloc(const FunctionInstance& function) {
  static const FunctionType malloc_type{{ValueKind::I32}, {ValueKind::I32}};
  return function.type->function() == malloc_type;
}

FunctionInstance* table_function(ModuleInstance& instance, TableIndex index) {
  if (instance.tables.empty()) return nullptr;
  const TableInstance& table = *instance.tables.front();
  if (index >= table.size || !is_subtype(*instance.store->engine().registry(), table.type.element, funcref))
    return nullptr;
  FunctionInstance* const function = table.elements[index].as_function();
  return function != nullptr && is_malloc(*function) ? function : nullptr;
}

FunctionInstance* exported_function(ModuleInstance& instance, std::string_view name) {
  const std::optional<External> found = Store::find_export(instance, name);
  if (!found || found->kind != ExternKind::Function || !is_malloc(*found->function)) return nullptr;
  return found->function;
}

HostOutcome failure(std::string reason) {
  return HostOutcome::trap(TrapKind::HostFunctionFailed, "the guest's allocator " + std::move(reason));
}

}  // namespace

FunctionInstance* GuestAllocator::find(ModuleInstance& instance) {
  if (malloc_index_)
    if (FunctionInstance* const function = table_function(instance, *malloc_index_); function != nullptr)
      return function;
  if (instance_ != &instance) {
    instance_ = &instance;
    exported_ = exported_function(instance, "default_malloc_impl");
    if (exported_ == nullptr) exported_ = exported_function(instance, "malloc");
  }
  return exported_;
}

HostOutcome GuestAllocator::allocate(Caller& caller, std::uint64_t bytes, Size alignment, Pointer& address) {
  ModuleInstance* const instance = caller.instance();
  if (instance == nullptr || instance->memories.empty()) return failure("has no memory");
  if (bytes > UINT32_MAX) return failure("cannot give " + std::to_string(bytes) + " bytes");
  FunctionInstance* const malloc = find(*instance);
  if (malloc == nullptr)
    return failure("is missing: neither hostcall_init_mm nor an export default_malloc_impl or malloc names it");
  Slot slot = Slot::i32(static_cast<std::uint32_t>(bytes));
  if (std::optional<Trap> trap = caller.store().invoke(*malloc, &slot)) {
    HostOutcome outcome = HostOutcome::trap(trap->kind, std::move(trap->message));
    outcome.exit_code = trap->exit_code;
    if (outcome.message.empty() && trap->kind != TrapKind::Exit) outcome.message = "in the guest's allocator";
    return outcome;
  }
  address = slot.as_i32();
  if (address == 0) return failure("gave no room for " + std::to_string(bytes) + " bytes");
  if (address % alignment != 0) return failure("gave the address " + std::to_string(address) + " for a list");
  if (!GuestMemory(*instance->memories.front()).bytes(address, bytes))
    return failure("gave " + std::to_string(bytes) + " bytes outside of memory");
  return HostOutcome::ok();
}

}  // namespace tfvm::hostcalls
