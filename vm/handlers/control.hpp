// The handlers that are no patterns: calls, frames, tables of branches, fuel, and everything that calls out of the
// handlers (outcall_*). Each line says its operands, in order; u32 unless noted.
#pragma once

#include "vm/handlers/machine.hpp"

namespace tfvm::interpreter {

// ---- frames: masks say which pinned registers take part, bit n for register n + 1; one slot operand for each
using PinMask = unsigned;
inline constexpr unsigned integer_pins = integer_registers - 1;
inline constexpr unsigned float_pins = float_registers - 1;

/// first slot to zero, number of slots, units of fuel if it charges, slots of pins: starts a function
Handler enter_handler(bool zeroes, bool charges, PinMask integers, PinMask floats);
/// slots of pins: register to slot
Handler spill_handler(PinMask integers, PinMask floats);
/// slots of pins: slot to register
Handler reload_handler(PinMask integers, PinMask floats);

// ---- calls; the callee's frame starts at `frame offset` of the caller's
TFVM_HANDLER void call_function(TFVM_PARAMETERS);       ///< frame offset, pad, FunctionCode* (8)
TFVM_HANDLER void call_import(TFVM_PARAMETERS);         ///< frame offset, import index
TFVM_HANDLER void call_indirect_slot(TFVM_PARAMETERS);  ///< frame offset, table, type id, index slot, DefinedType* (8)
TFVM_HANDLER void call_indirect_accumulator(TFVM_PARAMETERS);  ///< same; the index is in the accumulator
TFVM_HANDLER void call_reference(TFVM_PARAMETERS);             ///< frame offset, slot of the reference
TFVM_HANDLER void return_call_function(TFVM_PARAMETERS);       ///< slot of arguments, their number, FunctionCode* (8)
TFVM_HANDLER void return_call_import(TFVM_PARAMETERS);         ///< slot of arguments, their number, import index
TFVM_HANDLER void outcall_return_call_indirect(
    TFVM_PARAMETERS);  ///< slot of arguments, number, table, index slot, DefinedType* (8)
TFVM_HANDLER void return_call_reference(TFVM_PARAMETERS);  ///< slot of arguments, number, slot of the reference
TFVM_HANDLER void return_slots(TFVM_PARAMETERS);           ///< first slot of results, their number
TFVM_HANDLER void outcall_translate(TFVM_PARAMETERS);      ///< the instruction of FunctionCode::lazy_code

// ---- control
TFVM_HANDLER void branch_table_slot(TFVM_PARAMETERS);         ///< number of targets - 1, slot, targets (8 each)
TFVM_HANDLER void branch_table_accumulator(TFVM_PARAMETERS);  ///< number of targets - 1, pad, targets (8 each)
TFVM_HANDLER void move_slots(TFVM_PARAMETERS);                ///< destination, source, number; destination below source
TFVM_HANDLER void trap_always(TFVM_PARAMETERS);               ///< TrapKind
TFVM_HANDLER void trap_if_null(TFVM_PARAMETERS);              ///< slot of a reference
TFVM_HANDLER void charge_fuel(TFVM_PARAMETERS);               ///< units

// ---- memories and tables; `slot` is the first of the operands, results replace the first
TFVM_HANDLER void memory_size(TFVM_PARAMETERS);           ///< slot, memory
TFVM_HANDLER void table_size(TFVM_PARAMETERS);            ///< slot, table
TFVM_HANDLER void outcall_memory_grow(TFVM_PARAMETERS);   ///< slot, memory
TFVM_HANDLER void outcall_memory_fill(TFVM_PARAMETERS);   ///< slot, memory
TFVM_HANDLER void outcall_memory_copy(TFVM_PARAMETERS);   ///< slot, destination, source memory
TFVM_HANDLER void outcall_memory_init(TFVM_PARAMETERS);   ///< slot, data, memory
TFVM_HANDLER void outcall_data_drop(TFVM_PARAMETERS);     ///< data
TFVM_HANDLER void outcall_table_get(TFVM_PARAMETERS);     ///< slot, table
TFVM_HANDLER void outcall_table_set(TFVM_PARAMETERS);     ///< slot, table
TFVM_HANDLER void outcall_table_grow(TFVM_PARAMETERS);    ///< slot, table
TFVM_HANDLER void outcall_table_fill(TFVM_PARAMETERS);    ///< slot, table
TFVM_HANDLER void outcall_table_copy(TFVM_PARAMETERS);    ///< slot, destination, source table
TFVM_HANDLER void outcall_table_init(TFVM_PARAMETERS);    ///< slot, element, table
TFVM_HANDLER void outcall_element_drop(TFVM_PARAMETERS);  ///< element
TFVM_HANDLER void outcall_ref_func(TFVM_PARAMETERS);      ///< slot, function

/// Accesses with an explicit check: any memory, any address type.
/// Load: result slot, address slot, memory, pad, offset (8). Store: address slot, value slot, memory, pad, offset (8).
Handler checked_access_handler(Operation op);

/// Code for the host's own call records: where an invocation returns to, by the class of its result.
enum class ResultClass : std::uint8_t { None, Integer, Float };
const Byte* exit_code(ResultClass result);
/// The return pc of a record that brings another instance back; the next 16 bytes hold its InstanceBlock.
const Byte* restore_code();

}  // namespace tfvm::interpreter
