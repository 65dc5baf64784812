// Handlers of branch tables, traps, fuel, and of memories and tables beyond the fast path: explicit bounds checks, bulk
// operations (WebAssembly 3.0, sections 4.6.5 to 4.6.7). What they compute is in vm/bulk.cpp.
#include "vm/bulk.hpp"
#include "vm/handlers/call_out.hpp"
#include "vm/handlers/control.hpp"
#include "vm/handlers/pattern.hpp"

namespace tfvm::interpreter {
namespace {

TFVM_INLINE Byte* slot_at(const Machine& m, unsigned offset) { return m.frame + operand<std::uint32_t>(m, offset); }
TFVM_INLINE std::uint64_t slot_value(const Machine& m, unsigned offset, unsigned index) {
  return read<std::uint64_t>(slot_at(m, offset) + 8 * index);
}

/// Runs `body(module instance)`, which gives a TrapKind, outside of the handlers, and goes on behind `operand_bytes`.
/// Not inlined into the fast path of anything: these handlers are calls by nature.
template <unsigned operand_bytes, class Body>
TFVM_INLINE void call_out(Machine& m, Body body) {
  TrapKind kind;
  {
    CallOut out(m);
    kind = body(*instance_of(m)->owner);
  }
  if (kind != TrapKind::None) [[unlikely]]
    raise_trap(m.pc, m.records, kind);
  after_call_out(m);
  m.pc += instruction_bytes(operand_bytes);
}

/// The memory and effective address of a checked access, after its check.
template <class T>
TFVM_INLINE Byte* checked_address(const Machine& m, std::uint64_t address) {
  const MemoryInstance* memory = instance_of(m)->memories[operand<std::uint32_t>(m, 8)];
  std::uint64_t effective;
  std::uint64_t end;
  if (__builtin_add_overflow(address, operand<std::uint64_t>(m, 16), &effective) ||
      __builtin_add_overflow(effective, sizeof(T), &end) || end > memory->size) [[unlikely]]
    raise_trap(m.pc, m.records, TrapKind::OutOfBoundsMemoryAccess);
  return memory->base + effective;
}

template <Op op>
TFVM_HANDLER void checked_load(TFVM_PARAMETERS) {
  TFVM_MACHINE(m);
  using Function = Operator<op>;
  const Byte* at = checked_address<typename Function::Memory>(m, slot_value(m, 4, 0));
  write_slot(slot_at(m, 0), static_cast<typename Function::Result>(read<typename Function::Memory>(at)));
  m.pc += instruction_bytes(24);
  TFVM_DISPATCH(m);
}

template <Op op>
TFVM_HANDLER void checked_store(TFVM_PARAMETERS) {
  TFVM_MACHINE(m);
  using Function = Operator<op>;
  Byte* at = checked_address<typename Function::Memory>(m, slot_value(m, 0, 0));
  const auto value = read<typename Function::Operand>(slot_at(m, 4));
  write(at, static_cast<typename Function::Memory>(value));
  m.pc += instruction_bytes(24);
  TFVM_DISPATCH(m);
}

template <Op op>
constexpr Handler checked_access() {
  if constexpr (Operator<op>::form == OperatorForm::Load) return &checked_load<op>;
  else if constexpr (Operator<op>::form == OperatorForm::Store) return &checked_store<op>;
  else return nullptr;
}
constexpr Handler checked_accesses[] = {
#define OP(prefix, code, name, spelling, immediate, signature, width, feature, effect) checked_access<Op::name>(),
#include "decoder/opcodes.def"
#undef OP
};

TFVM_INLINE void branch_to(Machine& m, std::uint32_t index) {
  const std::uint32_t last = operand<std::uint32_t>(m, 0);
  if (index > last) index = last;
  m.pc = read<const Byte*>(m.pc + handler_bytes + 8 + 8 * std::uint64_t{index});
}

}  // namespace

Handler checked_access_handler(Operation op) { return checked_accesses[op]; }

TFVM_HANDLER void branch_table_slot(TFVM_PARAMETERS) {
  TFVM_MACHINE(m);
  branch_to(m, read<std::uint32_t>(slot_at(m, 4)));
  TFVM_DISPATCH(m);
}
TFVM_HANDLER void branch_table_accumulator(TFVM_PARAMETERS) {
  TFVM_MACHINE(m);
  branch_to(m, static_cast<std::uint32_t>(m.integers[0]));
  TFVM_DISPATCH(m);
}

TFVM_HANDLER void move_slots(TFVM_PARAMETERS) {
  TFVM_MACHINE(m);
  Byte* to = slot_at(m, 0);
  const Byte* from = slot_at(m, 4);
  for (std::uint32_t left = operand<std::uint32_t>(m, 8); left != 0; --left) {
    write(to, read<std::uint64_t>(from));
    asm volatile("" ::: "memory");  // keeps the loop from becoming a call of memmove
    from += 8;
    to += 8;
  }
  m.pc += instruction_bytes(12);
  TFVM_DISPATCH(m);
}

TFVM_HANDLER void trap_always(TFVM_PARAMETERS) {
  TFVM_MACHINE(m);
  raise_trap(m.pc, m.records, static_cast<TrapKind>(operand<std::uint32_t>(m, 0)));
}

TFVM_HANDLER void trap_if_null(TFVM_PARAMETERS) {
  TFVM_MACHINE(m);
  if (slot_value(m, 0, 0) == 0) [[unlikely]]
    raise_trap(m.pc, m.records, TrapKind::NullReference);
  m.pc += instruction_bytes(4);
  TFVM_DISPATCH(m);
}

TFVM_HANDLER void charge_fuel(TFVM_PARAMETERS) {
  TFVM_MACHINE(m);
  run_charge_fuel(m);
  TFVM_DISPATCH(m);
}

TFVM_HANDLER void memory_size(TFVM_PARAMETERS) {
  TFVM_MACHINE(m);
  const std::uint64_t size = instance_of(m)->memories[operand<std::uint32_t>(m, 4)]->size;
  write<std::uint64_t>(slot_at(m, 0), size / page_size_bytes);
  m.pc += instruction_bytes(8);
  TFVM_DISPATCH(m);
}

TFVM_HANDLER void table_size(TFVM_PARAMETERS) {
  TFVM_MACHINE(m);
  const TableInstance* table = instance_of(m)->tables[operand<std::uint32_t>(m, 4)];
  write<std::uint64_t>(slot_at(m, 0), table->size);
  m.pc += instruction_bytes(8);
  TFVM_DISPATCH(m);
}

TFVM_HANDLER void outcall_memory_grow(TFVM_PARAMETERS) {
  TFVM_MACHINE(m);
  call_out<8>(m, [&](ModuleInstance& instance) {
    std::uint64_t result = 0;
    const TrapKind kind = bulk::memory_grow(instance, operand<std::uint32_t>(m, 4), slot_value(m, 0, 0), result);
    write(slot_at(m, 0), result);
    return kind;
  });
  m.memory = memory_base(instance_of(m));
  TFVM_DISPATCH(m);
}

TFVM_HANDLER void outcall_memory_fill(TFVM_PARAMETERS) {
  TFVM_MACHINE(m);
  call_out<8>(m, [&](ModuleInstance& instance) {
    return bulk::memory_fill(instance, operand<std::uint32_t>(m, 4), slot_value(m, 0, 0),
                             static_cast<std::uint32_t>(slot_value(m, 0, 1)), slot_value(m, 0, 2));
  });
  TFVM_DISPATCH(m);
}

TFVM_HANDLER void outcall_memory_copy(TFVM_PARAMETERS) {
  TFVM_MACHINE(m);
  call_out<12>(m, [&](ModuleInstance& instance) {
    return bulk::memory_copy(instance, operand<std::uint32_t>(m, 4), operand<std::uint32_t>(m, 8), slot_value(m, 0, 0),
                             slot_value(m, 0, 1), slot_value(m, 0, 2));
  });
  TFVM_DISPATCH(m);
}

TFVM_HANDLER void outcall_memory_init(TFVM_PARAMETERS) {
  TFVM_MACHINE(m);
  call_out<12>(m, [&](ModuleInstance& instance) {
    return bulk::memory_init(instance, operand<std::uint32_t>(m, 8), operand<std::uint32_t>(m, 4), slot_value(m, 0, 0),
                             slot_value(m, 0, 1), slot_value(m, 0, 2));
  });
  TFVM_DISPATCH(m);
}

TFVM_HANDLER void outcall_data_drop(TFVM_PARAMETERS) {
  TFVM_MACHINE(m);
  call_out<4>(m, [&](ModuleInstance& instance) {
    bulk::data_drop(instance, operand<std::uint32_t>(m, 0));
    return TrapKind::None;
  });
  TFVM_DISPATCH(m);
}

TFVM_HANDLER void outcall_table_get(TFVM_PARAMETERS) {
  TFVM_MACHINE(m);
  call_out<8>(m, [&](ModuleInstance& instance) {
    Slot result;
    const TrapKind kind = bulk::table_get(instance, operand<std::uint32_t>(m, 4), slot_value(m, 0, 0), result);
    write(slot_at(m, 0), result);
    return kind;
  });
  TFVM_DISPATCH(m);
}

TFVM_HANDLER void outcall_table_set(TFVM_PARAMETERS) {
  TFVM_MACHINE(m);
  call_out<8>(m, [&](ModuleInstance& instance) {
    return bulk::table_set(instance, operand<std::uint32_t>(m, 4), slot_value(m, 0, 0), Slot{slot_value(m, 0, 1)});
  });
  TFVM_DISPATCH(m);
}

TFVM_HANDLER void outcall_table_grow(TFVM_PARAMETERS) {
  TFVM_MACHINE(m);
  call_out<8>(m, [&](ModuleInstance& instance) {
    std::uint64_t result = 0;
    const TrapKind kind = bulk::table_grow(instance, operand<std::uint32_t>(m, 4), slot_value(m, 0, 1),
                                           Slot{slot_value(m, 0, 0)}, result);
    write(slot_at(m, 0), result);
    return kind;
  });
  TFVM_DISPATCH(m);
}

TFVM_HANDLER void outcall_table_fill(TFVM_PARAMETERS) {
  TFVM_MACHINE(m);
  call_out<8>(m, [&](ModuleInstance& instance) {
    return bulk::table_fill(instance, operand<std::uint32_t>(m, 4), slot_value(m, 0, 0), Slot{slot_value(m, 0, 1)},
                            slot_value(m, 0, 2));
  });
  TFVM_DISPATCH(m);
}

TFVM_HANDLER void outcall_table_copy(TFVM_PARAMETERS) {
  TFVM_MACHINE(m);
  call_out<12>(m, [&](ModuleInstance& instance) {
    return bulk::table_copy(instance, operand<std::uint32_t>(m, 4), operand<std::uint32_t>(m, 8), slot_value(m, 0, 0),
                            slot_value(m, 0, 1), slot_value(m, 0, 2));
  });
  TFVM_DISPATCH(m);
}

TFVM_HANDLER void outcall_table_init(TFVM_PARAMETERS) {
  TFVM_MACHINE(m);
  call_out<12>(m, [&](ModuleInstance& instance) {
    return bulk::table_init(instance, operand<std::uint32_t>(m, 8), operand<std::uint32_t>(m, 4), slot_value(m, 0, 0),
                            slot_value(m, 0, 1), slot_value(m, 0, 2));
  });
  TFVM_DISPATCH(m);
}

TFVM_HANDLER void outcall_element_drop(TFVM_PARAMETERS) {
  TFVM_MACHINE(m);
  call_out<4>(m, [&](ModuleInstance& instance) {
    bulk::element_drop(instance, operand<std::uint32_t>(m, 0));
    return TrapKind::None;
  });
  TFVM_DISPATCH(m);
}

TFVM_HANDLER void outcall_ref_func(TFVM_PARAMETERS) {
  TFVM_MACHINE(m);
  call_out<8>(m, [&](ModuleInstance& instance) {
    write(slot_at(m, 0), Slot::function(instance.function(operand<std::uint32_t>(m, 4))));
    return TrapKind::None;
  });
  TFVM_DISPATCH(m);
}

}  // namespace tfvm::interpreter
