// The instructions that work on ranges of memories and tables, and on segments: written once, called by every executor.
// They check bounds before any effect, charge fuel by fuel.hpp, and return the trap or None (sections 4.6.10
// to 4.6.14).
#pragma once

#include <cstdint>

#include "vm/instance.hpp"
#include "vm/trap.hpp"

namespace tfvm::bulk {

TrapKind memory_fill(ModuleInstance& instance, std::uint32_t memory, std::uint64_t destination, std::uint32_t value,
                     std::uint64_t length);
TrapKind memory_copy(ModuleInstance& instance, std::uint32_t destination_memory, std::uint32_t source_memory,
                     std::uint64_t destination, std::uint64_t source, std::uint64_t length);
TrapKind memory_init(ModuleInstance& instance, std::uint32_t memory, std::uint32_t data, std::uint64_t destination,
                     std::uint64_t source, std::uint64_t length);
void data_drop(ModuleInstance& instance, std::uint32_t data);
/// `result`: the old size in pages, or -1 in the width of the memory's address type.
TrapKind memory_grow(ModuleInstance& instance, std::uint32_t memory, std::uint64_t delta, std::uint64_t& result);

TrapKind table_get(ModuleInstance& instance, std::uint32_t table, std::uint64_t index, Slot& result);
TrapKind table_set(ModuleInstance& instance, std::uint32_t table, std::uint64_t index, Slot value);
TrapKind table_fill(ModuleInstance& instance, std::uint32_t table, std::uint64_t index, Slot value,
                    std::uint64_t length);
TrapKind table_copy(ModuleInstance& instance, std::uint32_t destination_table, std::uint32_t source_table,
                    std::uint64_t destination, std::uint64_t source, std::uint64_t length);
TrapKind table_init(ModuleInstance& instance, std::uint32_t table, std::uint32_t element, std::uint64_t destination,
                    std::uint64_t source, std::uint64_t length);
void element_drop(ModuleInstance& instance, std::uint32_t element);
/// `result`: the old size, or -1 in the width of the table's address type.
TrapKind table_grow(ModuleInstance& instance, std::uint32_t table, std::uint64_t delta, Slot value,
                    std::uint64_t& result);

/// call_indirect, section 4.6.9: the function in `table` at `index` if its type matches `type`; else the trap, in the
/// order undefined element, uninitialized element, indirect call type mismatch.
TrapKind find_callee(ModuleInstance& instance, std::uint32_t table, std::uint64_t index, const DefinedType& type,
                     FunctionInstance*& callee);

}  // namespace tfvm::bulk
