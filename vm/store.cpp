// Store: what it owns, fuel, and the stack region of its guests. Memories and tables are allocated in memory.cpp and
// table.cpp, module instances in instantiate.cpp.
#include <algorithm>
#include <sys/mman.h>

#include "vm/execution_context.hpp"
#include "vm/interpreter.hpp"
#include "vm/runtime.hpp"

namespace tfvm {
namespace {

/// Inaccessible bytes on both sides of the guest's stack: more than the largest frame (decoder/limits.hpp).
constexpr std::uint64_t stack_guard_bytes = 1u << 20;
/// A larger stack would let endless recursion fill the host's memory before it traps.
constexpr std::uint64_t max_stack_region_bytes = std::uint64_t{1} << 30;

// Without room for it the store has an empty stack, and every call is "call stack exhausted".
void map_stack(ExecutionContext& context, std::uint64_t wanted_bytes) {
  const std::uint64_t bytes =
      (std::min(wanted_bytes, max_stack_region_bytes) + page_size_bytes - 1) / page_size_bytes * page_size_bytes;
  const std::uint64_t whole = bytes + 2 * stack_guard_bytes;
  void* const mapping = mmap(nullptr, whole, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (mapping == MAP_FAILED) return;
  auto* const begin = static_cast<std::uint8_t*>(mapping) + stack_guard_bytes;
  if (bytes != 0 && mprotect(begin, bytes, PROT_READ | PROT_WRITE) != 0) {
    munmap(mapping, whole);
    return;
  }
  context.stack_begin = context.frame_top = begin;
  context.stack_end = context.record_top = begin + bytes;
}

void unmap_stack(const ExecutionContext& context) {
  if (context.stack_begin == nullptr) return;
  const auto bytes = static_cast<std::uint64_t>(context.stack_end - context.stack_begin);
  munmap(context.stack_begin - stack_guard_bytes, bytes + 2 * stack_guard_bytes);
}

}  // namespace

Store::Store(const Engine& engine, StoreLimits limits)
    : engine_(engine),
      limits_(limits),
      context_(std::make_unique<ExecutionContext>()),
      execute_(&interpreter::execute) {
  context_->store = this;
  context_->fuel_enabled = limits_.fuel.has_value();
  if (limits_.fuel) set_fuel(*limits_.fuel);
  map_stack(*context_, limits_.max_stack_bytes);
}

Store::~Store() {
  clear_deadline();
  instances_.clear();
  tables_.clear();  // these two give back what they count in this store
  memories_.clear();
  unmap_stack(*context_);
}

GlobalInstance Store::new_global(GlobalType type, Slot initial) {
  host_globals_.push_back(initial);
  return {type, &host_globals_.back()};
}

FunctionInstance* Store::new_host_function(FunctionType type, HostFunction function, std::string name) {
  OwnedHostFunction& owned = host_functions_.emplace_back();
  owned.function = std::move(function);
  owned.name = std::move(name);
  owned.type = engine_.registry()->intern_function(std::move(type));
  owned.instance.type = &owned.type->type(0);
  owned.instance.type_id = owned.instance.type->id;
  owned.instance.host = &owned.function;
  owned.instance.host_name = &owned.name;
  return &owned.instance;
}

std::optional<std::uint64_t> Store::fuel() const {
  if (!context_->fuel_enabled) return std::nullopt;
  return static_cast<std::uint64_t>(std::max<std::int64_t>(context_->fuel, 0));
}

void Store::set_fuel(std::uint64_t fuel) {
  context_->fuel = static_cast<std::int64_t>(std::min<std::uint64_t>(fuel, INT64_MAX));
}

bool Store::consume_fuel(std::uint64_t units) {
  if (!context_->fuel_enabled) return true;
  const std::uint64_t left = *fuel();
  context_->fuel = units <= left ? static_cast<std::int64_t>(left - units) : 0;
  return units <= left;
}

std::optional<External> Store::find_export(ModuleInstance& instance, std::string_view name) {
  for (const Export& entry : instance.module->module().exports)
    if (entry.name == name) return instance.exported(entry);
  return std::nullopt;
}

}  // namespace tfvm
