// Translator: instructions that compute, access or change something (WebAssembly 3.0, sections 4.6.1 to 4.6.7).
#include <utility>

#include "vm/translate/translator.hpp"

namespace tfvm::interpreter {
namespace {

ValueKind kind_of_letter(char letter) {
  switch (letter) {
    case 'I': return ValueKind::I64;
    case 'f': return ValueKind::F32;
    case 'F': return ValueKind::F64;
    default: return ValueKind::I32;
  }
}

bool is_commutative(Op op) {
  switch (op) {
    case Op::I32Add:
    case Op::I32Mul:
    case Op::I32And:
    case Op::I32Or:
    case Op::I32Xor:
    case Op::I32Eq:
    case Op::I32Ne:
    case Op::I64Add:
    case Op::I64Mul:
    case Op::I64And:
    case Op::I64Or:
    case Op::I64Xor:
    case Op::I64Eq:
    case Op::I64Ne:
    case Op::F32Eq:
    case Op::F32Ne:
    case Op::F64Eq:
    case Op::F64Ne: return true;
    default: return false;
  }
}

/// The comparison with its operands swapped, for integers; else the same.
Op swapped(Op op) {
  static constexpr unsigned swap[] = {0, 1, 4, 5, 2, 3, 8, 9, 6, 7};
  for (const Op first : {Op::I32Eq, Op::I64Eq}) {
    const unsigned base = operation(first);
    if (operation(op) >= base && operation(op) < base + 10) return static_cast<Op>(base + swap[operation(op) - base]);
  }
  return op;
}

bool is_integer_comparison(Operation op) {
  return (op >= operation(Op::I32Eq) && op <= operation(Op::I32GeU)) ||
         (op >= operation(Op::I64Eq) && op <= operation(Op::I64GeU));
}

}  // namespace

std::uint32_t Translator::global_offset(std::uint32_t index) const {
  return static_cast<std::uint32_t>(sizeof(InstanceBlock) + index * sizeof(Slot));
}

void Translator::variable(const Instruction& instruction) {
  const std::uint32_t index = instruction.index;
  const auto assign = [&](NodeId value) {
    lowering_.set_local(index, value);
    for (unsigned n = 0; n < integer_pins; ++n)
      if (pins_.integers[n] == index) dirty_integers_ |= 1u << n;
    for (unsigned n = 0; n < float_pins; ++n)
      if (pins_.floats[n] == index) dirty_floats_ |= 1u << n;
  };
  switch (instruction.op) {
    case Op::LocalGet: return lowering_.push(lowering_.local(index));
    case Op::LocalSet: return assign(lowering_.pop());
    case Op::LocalTee: assign(lowering_.pop()); return lowering_.push(lowering_.local(index));
    default: break;
  }
  const bool imported = index < module_.imported_globals;
  if (instruction.op == Op::GlobalSet) return lowering_.set_global(imported, global_offset(index), lowering_.pop());
  lowering_.push(lowering_.global(slot_kind(module_.globals[index].type.value), imported, global_offset(index)));
}

void Translator::memory_access(const Instruction& instruction) {
  const OpInfo& row = info(instruction.op);
  const bool is_store = row.effect == Effect::Writes;
  const bool fast = variant_.key.guards_memory && instruction.index == 0;
  const NodeId value = is_store ? lowering_.pop() : no_node;
  const NodeId address = lowering_.pop();
  const Operation op = operation(instruction.op);
  if (fast && is_store) return lowering_.store(op, address, value, instruction.value);
  const ValueKind type = is_store ? ValueKind::I32 : kind_of_letter(row.signature[2]);
  if (fast) return lowering_.push(lowering_.load(op, type, address, instruction.value));
  // Explicit checks happen at once, after everything that could trap before them.
  lowering_.flush_hazards();
  const std::uint32_t address_slot = lowering_.slot_of(address);
  const std::uint32_t value_slot = is_store ? lowering_.slot_of(value) : 0;
  const std::uint32_t result = is_store ? 0 : lowering_.next_home();
  operands_.clear();
  if (!is_store) operands_.add(result * 8);
  operands_.add(address_slot * 8);
  if (is_store) operands_.add(value_slot * 8);
  operands_.add(instruction.index);
  operands_.add(std::uint32_t{0});
  operands_.add(instruction.value);
  lowering_.special(checked_access_handler(op), operands_);
  lowering_.release(address);
  lowering_.release(value);
  if (!is_store) lowering_.push_in_slot(type);
}

/// An instruction over the topmost `operands` entries, which it finds in their slots, without result.
void Translator::range_operation(Handler handler, std::uint32_t operands, std::uint32_t first, std::uint32_t second,
                                 bool has_second) {
  lowering_.flush_effects();
  lowering_.put_down(operands);
  operands_.clear();
  if (operands != 0) operands_.add(lowering_.home(lowering_.height() - operands) * 8);
  operands_.add(first);
  if (has_second) operands_.add(second);
  lowering_.special(handler, operands_);
  lowering_.drop_entries(operands);
}

/// An instruction that replaces the value in the slot of the topmost entry.
void Translator::unary_in_slot(Handler handler, std::uint32_t index, ValueKind result) {
  range_operation(handler, 1, index, 0, false);
  lowering_.push_in_slot(result);
}

/// An instruction without operands, whose result it writes to the slot of the new entry.
void Translator::produce_in_slot(Handler handler, std::uint32_t index, ValueKind result) {
  const std::uint32_t slot = lowering_.next_home();
  operands_.clear();
  operands_.add(slot * 8);
  operands_.add(index);
  lowering_.special(handler, operands_);
  lowering_.push_in_slot(result);
}

void Translator::memory(const Instruction& instruction) {
  const std::uint32_t index = instruction.index;
  switch (instruction.op) {
    case Op::MemorySize:
      return produce_in_slot(&memory_size, index, value_type(module_.memories[index].address_type).kind());
    case Op::MemoryGrow:
      return unary_in_slot(&outcall_memory_grow, index, value_type(module_.memories[index].address_type).kind());
    case Op::MemoryFill: return range_operation(&outcall_memory_fill, 3, index, 0, false);
    case Op::MemoryCopy: return range_operation(&outcall_memory_copy, 3, index, instruction.index2, true);
    case Op::MemoryInit: return range_operation(&outcall_memory_init, 3, index, instruction.index2, true);
    default: return range_operation(&outcall_data_drop, 0, index, 0, false);
  }
}

void Translator::table(const Instruction& instruction) {
  const std::uint32_t index = instruction.index;
  const auto address_kind = [&] { return value_type(module_.tables[index].type.address_type).kind(); };
  switch (instruction.op) {
    case Op::TableSize: return produce_in_slot(&table_size, index, address_kind());
    case Op::TableGet: return unary_in_slot(&outcall_table_get, index, ValueKind::I64);
    case Op::TableSet: return range_operation(&outcall_table_set, 2, index, 0, false);
    case Op::TableGrow:
      range_operation(&outcall_table_grow, 2, index, 0, false);
      return lowering_.push_in_slot(address_kind());
    case Op::TableFill: return range_operation(&outcall_table_fill, 3, index, 0, false);
    case Op::TableCopy: return range_operation(&outcall_table_copy, 3, index, instruction.index2, true);
    case Op::TableInit: return range_operation(&outcall_table_init, 3, index, instruction.index2, true);
    default: return range_operation(&outcall_element_drop, 0, index, 0, false);
  }
}

void Translator::reference(const Instruction& instruction) {
  switch (instruction.op) {
    case Op::RefNull: return lowering_.push(lowering_.constant(ValueKind::I64, 0));
    case Op::RefIsNull: {
      const NodeId reference = lowering_.pop();
      const NodeId zero = lowering_.constant(ValueKind::I64, 0);
      return lowering_.push(lowering_.binary(operation(Op::I64Eq), ValueKind::I32, reference, zero));
    }
    case Op::RefFunc: return produce_in_slot(&outcall_ref_func, instruction.index, ValueKind::I64);
    default:
      lowering_.flush_hazards();
      lowering_.put_down(1);
      operands_.clear();
      operands_.add(lowering_.home(lowering_.height() - 1) * 8);
      lowering_.special(&trap_if_null, operands_);
  }
}

void Translator::select() {
  const NodeId condition = lowering_.pop();
  const NodeId b = lowering_.pop();
  const NodeId a = lowering_.pop();
  lowering_.push(lowering_.select(lowering_.node(a).type, a, b, condition));
}

void Translator::numeric(const Instruction& instruction) {
  const OpInfo& row = info(instruction.op);
  const ValueKind result = kind_of_letter(row.signature.back());
  Op op = instruction.op;
  if (op == Op::I32Eqz || op == Op::I64Eqz) {
    const NodeId value = lowering_.pop();
    Node& node = lowering_.node(value);
    if (op == Op::I32Eqz && node.kind == NodeKind::Binary && is_integer_comparison(node.operation)) {
      static constexpr unsigned inverse[] = {1, 0, 8, 9, 6, 7, 4, 5, 2, 3};
      const unsigned base = node.operation <= operation(Op::I32GeU) ? operation(Op::I32Eq) : operation(Op::I64Eq);
      node.operation = static_cast<Operation>(base + inverse[node.operation - base]);
      return lowering_.push(value);
    }
    const bool wide = op == Op::I64Eqz;
    const NodeId zero = lowering_.constant(wide ? ValueKind::I64 : ValueKind::I32, 0);
    return lowering_.push(lowering_.binary(operation(wide ? Op::I64Eq : Op::I32Eq), ValueKind::I32, value, zero));
  }
  if (row.signature[1] == ':') return lowering_.push(lowering_.unary(operation(op), result, lowering_.pop()));
  NodeId b = lowering_.pop();
  NodeId a = lowering_.pop();
  // Constants and leaves to the right, where the patterns have them. Two parts that could trap keep their order.
  const Node& left = lowering_.node(a);
  const Node& other = lowering_.node(b);
  const bool constant_left = left.kind == NodeKind::Constant && other.kind != NodeKind::Constant;
  const bool leaf_left = left.is_leaf() && !other.is_leaf();
  if ((constant_left || leaf_left) && (is_commutative(op) || is_integer_comparison(operation(op)))) {
    std::swap(a, b);
    op = swapped(op);
  }
  const Node& right = lowering_.node(b);
  if (op == Op::I32Shl && right.kind == NodeKind::Constant && right.immediate >= 1 && right.immediate <= 3) {
    const auto shift = static_cast<Operation>(shift_left_1 + (right.immediate - 1));
    return lowering_.push(lowering_.unary(shift, result, a));
  }
  lowering_.push(lowering_.binary(operation(op), result, a, b));
}

}  // namespace tfvm::interpreter
