// The range instructions (bulk.hpp): bounds, then fuel, then the effect as a whole.
#include "vm/bulk.hpp"

#include <algorithm>
#include <cstring>

#include "vm/execution_context.hpp"
#include "vm/fuel.hpp"
#include "vm/runtime.hpp"

namespace tfvm::bulk {
namespace {

bool is_inside(std::uint64_t begin, std::uint64_t length, std::uint64_t size) {
  return length <= size && begin <= size - length;
}

TrapKind charge(const ModuleInstance& instance, std::uint64_t units) {
  ExecutionContext& context = *instance.block->context;
  if (!context.fuel_enabled) return TrapKind::None;
  context.fuel -= static_cast<std::int64_t>(units);  // at most a size in bytes: does not wrap
  return context.fuel < 0 ? TrapKind::OutOfFuel : TrapKind::None;
}
TrapKind charge_bytes(const ModuleInstance& instance, std::uint64_t length) {
  return charge(instance, length / bulk_bytes_per_fuel);
}
TrapKind charge_elements(const ModuleInstance& instance, std::uint64_t length) {
  return charge(instance, length / bulk_elements_per_fuel);
}

std::uint64_t minus_one(AddressType type) { return type == AddressType::I32 ? UINT32_MAX : UINT64_MAX; }

TrapKind failed_memory_growth(const ModuleInstance& instance, AddressType type, std::uint64_t& result) {
  if (instance.store->limits().trap_on_grow_failure) return TrapKind::MemoryLimitExceeded;
  result = minus_one(type);
  return TrapKind::None;
}

std::span<const std::uint8_t> data_bytes(const ModuleInstance& instance, std::uint32_t data) {
  if (instance.dropped_data[data]) return {};
  const Module& module = instance.module->module();
  return module.bytes(module.data[data].bytes);
}

}  // namespace

TrapKind memory_fill(ModuleInstance& instance, std::uint32_t memory, std::uint64_t destination, std::uint32_t value,
                     std::uint64_t length) {
  const MemoryInstance& target = *instance.memories[memory];
  if (!is_inside(destination, length, target.size)) return TrapKind::OutOfBoundsMemoryAccess;
  if (const TrapKind kind = charge_bytes(instance, length); kind != TrapKind::None) return kind;
  if (length != 0) std::memset(target.base + destination, static_cast<int>(value & 0xff), length);
  return TrapKind::None;
}

TrapKind memory_copy(ModuleInstance& instance, std::uint32_t destination_memory, std::uint32_t source_memory,
                     std::uint64_t destination, std::uint64_t source, std::uint64_t length) {
  const MemoryInstance& to = *instance.memories[destination_memory];
  const MemoryInstance& from = *instance.memories[source_memory];
  if (!is_inside(source, length, from.size) || !is_inside(destination, length, to.size))
    return TrapKind::OutOfBoundsMemoryAccess;
  if (const TrapKind kind = charge_bytes(instance, length); kind != TrapKind::None) return kind;
  if (length != 0) std::memmove(to.base + destination, from.base + source, length);
  return TrapKind::None;
}

TrapKind memory_init(ModuleInstance& instance, std::uint32_t memory, std::uint32_t data, std::uint64_t destination,
                     std::uint64_t source, std::uint64_t length) {
  const MemoryInstance& to = *instance.memories[memory];
  const auto from = data_bytes(instance, data);
  if (!is_inside(source, length, from.size()) || !is_inside(destination, length, to.size))
    return TrapKind::OutOfBoundsMemoryAccess;
  if (const TrapKind kind = charge_bytes(instance, length); kind != TrapKind::None) return kind;
  if (length != 0) std::memcpy(to.base + destination, from.data() + source, length);
  return TrapKind::None;
}

void data_drop(ModuleInstance& instance, std::uint32_t data) { instance.dropped_data[data] = true; }

TrapKind memory_grow(ModuleInstance& instance, std::uint32_t memory, std::uint64_t delta, std::uint64_t& result) {
  MemoryInstance& target = *instance.memories[memory];
  const AddressType type = target.type.address_type;
  // What can never succeed costs nothing; the number of pages that fit is small enough to be charged.
  if (delta > target.limit_pages - target.pages()) return failed_memory_growth(instance, type, result);
  if (const TrapKind kind = charge(instance, delta / pages_per_fuel); kind != TrapKind::None) return kind;
  result = target.grow(delta);
  return result == UINT64_MAX ? failed_memory_growth(instance, type, result) : TrapKind::None;
}

TrapKind table_get(ModuleInstance& instance, std::uint32_t table, std::uint64_t index, Slot& result) {
  const TableInstance& source = *instance.tables[table];
  if (index >= source.size) return TrapKind::OutOfBoundsTableAccess;
  result = source.elements[index];
  return TrapKind::None;
}

TrapKind table_set(ModuleInstance& instance, std::uint32_t table, std::uint64_t index, Slot value) {
  const TableInstance& target = *instance.tables[table];
  if (index >= target.size) return TrapKind::OutOfBoundsTableAccess;
  target.elements[index] = value;
  return TrapKind::None;
}

TrapKind table_fill(ModuleInstance& instance, std::uint32_t table, std::uint64_t index, Slot value,
                    std::uint64_t length) {
  const TableInstance& target = *instance.tables[table];
  if (!is_inside(index, length, target.size)) return TrapKind::OutOfBoundsTableAccess;
  if (const TrapKind kind = charge_elements(instance, length); kind != TrapKind::None) return kind;
  std::fill_n(target.elements + index, length, value);
  return TrapKind::None;
}

TrapKind table_copy(ModuleInstance& instance, std::uint32_t destination_table, std::uint32_t source_table,
                    std::uint64_t destination, std::uint64_t source, std::uint64_t length) {
  const TableInstance& to = *instance.tables[destination_table];
  const TableInstance& from = *instance.tables[source_table];
  if (!is_inside(source, length, from.size) || !is_inside(destination, length, to.size))
    return TrapKind::OutOfBoundsTableAccess;
  if (const TrapKind kind = charge_elements(instance, length); kind != TrapKind::None) return kind;
  if (length != 0) std::memmove(to.elements + destination, from.elements + source, length * sizeof(Slot));
  return TrapKind::None;
}

TrapKind table_init(ModuleInstance& instance, std::uint32_t table, std::uint32_t element, std::uint64_t destination,
                    std::uint64_t source, std::uint64_t length) {
  const TableInstance& to = *instance.tables[table];
  const std::vector<Slot>& from = instance.element_segments[element];  // empty once dropped
  if (!is_inside(source, length, from.size()) || !is_inside(destination, length, to.size))
    return TrapKind::OutOfBoundsTableAccess;
  if (const TrapKind kind = charge_elements(instance, length); kind != TrapKind::None) return kind;
  std::copy_n(from.data() + source, length, to.elements + destination);
  return TrapKind::None;
}

void element_drop(ModuleInstance& instance, std::uint32_t element) {
  instance.dropped_elements[element] = true;
  instance.element_segments[element] = {};
}

TrapKind table_grow(ModuleInstance& instance, std::uint32_t table, std::uint64_t delta, Slot value,
                    std::uint64_t& result) {
  TableInstance& target = *instance.tables[table];
  const std::uint64_t failure = minus_one(target.type.address_type);
  result = failure;
  if (delta > target.limit - target.size) return TrapKind::None;
  if (const TrapKind kind = charge_elements(instance, delta); kind != TrapKind::None) return kind;
  const std::uint64_t old_size = target.grow(delta, value);
  result = old_size == UINT64_MAX ? failure : old_size;
  return TrapKind::None;
}

TrapKind find_callee(ModuleInstance& instance, std::uint32_t table, std::uint64_t index, const DefinedType& type,
                     FunctionInstance*& callee) {
  const TableInstance& source = *instance.tables[table];
  if (index >= source.size) return TrapKind::UndefinedElement;
  FunctionInstance* const function = source.elements[index].as_function();
  if (function == nullptr) return TrapKind::UninitializedElement;
  if (function->type_id != type.id && !is_subtype(*function->type, type)) return TrapKind::IndirectCallTypeMismatch;
  callee = function;
  return TrapKind::None;
}

}  // namespace tfvm::bulk
