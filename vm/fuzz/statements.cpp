// Random function bodies: productions that leave the operand stack as they found it.
#include <algorithm>

#include "vm/fuzz/random_code.hpp"

namespace tfvm::fuzz {

using namespace test;

void CodeGenerator::statements(unsigned count, unsigned depth) {
  for (; count != 0; --count) statement(depth);
}

void CodeGenerator::statement(unsigned depth) {
  if (depth == 0 || is_spent()) return;
  switch (choices_.below(48)) {
    case 0: return;
    case 1: return opcode(Op::Nop);
    case 2:
    case 3:
    case 4:
    case 5:
    case 6:
    case 7: return set_local(depth);
    case 8:
    case 9:
    case 10:
    case 11: return store(depth);
    case 12:
    case 13:
    case 14: return set_global(depth);
    case 15:
    case 16: expression(any_type(), depth - 1); return opcode(Op::Drop);
    case 17:
    case 18:
    case 19: return call_statement(depth);
    case 20:
    case 21:
    case 22:
    case 23: return block_statement(depth);
    case 24:
    case 25: return branch_statement(depth);
    case 26:
    case 27:
    case 28: return counted_loop(depth);
    case 29: return switch_statement(depth);
    case 30:
    case 31: return leave_conditionally(depth);
    case 32: return bulk_memory(depth);
    case 33:
    case 34: return bulk_table(depth);
    case 35:
    case 36: return parked_values(depth);
    case 37:
    case 38: return exchange_locals();
    case 39:
    case 40:
    case 41:
    case 42:
    case 43: return trap_before_effect(depth);
    case 44:
    case 45:
    case 46: return global_before_change(depth);
    default:
      if (!choices_.chance(60)) return set_local(depth);
      leave(depth);
      return dead_code(2);
  }
}

/// Takes values of these types from the stack, the last one first.
void CodeGenerator::consume(const Bytes& types) {
  for (std::size_t i = types.size(); i-- > 0;) {
    const TypeByte type = types[i];
    std::uint32_t index = 0;
    const std::uint32_t choice = choices_.below(8);
    if (choice >= 2 && choice < 6 && choose_local(type, index)) {
      op_with_index(Op::LocalSet, index);
    } else if (choice == 6 && choose_global(type, true, index)) {
      op_with_index(Op::GlobalSet, index);
    } else if (choice == 7 && i > 0 && types[i - 1] == type && (type == i32 || type == i64)) {
      opcode(type == i32 ? Op::I32Sub : Op::I64Sub);
    } else if (choice == 7 && i > 0 && types[i - 1] == i32 && type == f64 && !shape_.memories.empty() &&
               !shape_.memories[0].has_wide_addresses) {
      memarg(Op::F64Store, 0, 0);
      --i;
    } else {
      opcode(Op::Drop);
    }
  }
}

void CodeGenerator::set_local(unsigned depth) {
  if (local_types_.empty()) return;
  const auto count = static_cast<std::uint32_t>(local_types_.size());
  const std::uint32_t index = choices_.below(choices_.chance(50) ? count : std::min(count, 4u));
  expression(local_types_[index], depth - 1);
  op_with_index(Op::LocalSet, index);
}

void CodeGenerator::set_global(unsigned depth) {
  std::uint32_t index = 0;
  const TypeByte type = any_type();
  if (!choose_global(type, true, index)) return;
  expression(type, depth - 1);
  op_with_index(Op::GlobalSet, index);
}

void CodeGenerator::store(unsigned depth) {
  static constexpr Op stores[] = {Op::I32Store,   Op::I64Store,  Op::F32Store,   Op::F64Store,  Op::I32Store8,
                                  Op::I32Store16, Op::I64Store8, Op::I64Store16, Op::I64Store32};
  if (shape_.memories.empty()) return;
  const Op op = choices_.of(stores);
  std::uint64_t offset = 0;
  const std::uint32_t memory = address(op, depth - 1, offset);
  const char letter = info(op).signature[1];
  expression(letter == 'i' ? i32 : letter == 'I' ? i64 : letter == 'f' ? f32 : f64, depth - 1);
  memarg(op, memory, offset);
}

void CodeGenerator::call_statement(unsigned depth) {
  Bytes results;
  if (call_any(nullptr, 0, false, depth, results)) consume(results);
}

/// A call of a function that gives `results`, or, without them, any whose first result is `first_result` (0: no
/// matter). What it leaves on the stack is in `left`. False: there is no such function, nothing was written.
bool CodeGenerator::call_any(const Bytes* results, TypeByte first_result, bool is_tail, unsigned depth, Bytes& left) {
  std::uint32_t index = 0;
  const bool is_indirect = choices_.chance(60) && !shape_.tables.empty() && shape_.tables[0].element == funcref_byte;
  if (is_indirect ? !choose_type(results, first_result, index) : !choose_function(results, first_result, index))
    return false;
  if (!is_indirect) {
    values(shape_.signature(index).params, depth - 1);
    op_with_index(is_tail ? Op::ReturnCall : Op::Call, index);
    left = shape_.signature(index).results;
    return true;
  }
  values(shape_.types[index].params, depth - 1);
  // An index of a function with this type, if there is one: others trap.
  std::vector<std::uint32_t> fitting;
  for (std::uint32_t i = 0; i < shape_.functions.size(); ++i)
    if (shape_.signature(i) == shape_.types[index] && i < shape_.tables[0].size) fitting.push_back(i);
  const bool is_wide = shape_.tables[0].has_wide_addresses;
  if (!fitting.empty() && !choices_.chance(40)) {
    constant(is_wide ? i64 : i32, choices_.of(fitting));
    if (choices_.chance(60)) {
      constant(is_wide ? i64 : i32, 0);
      opcode(is_wide ? Op::I64Add : Op::I32Add);
    }
  } else {
    index_into(shape_.tables[0].size, is_wide, depth - 1);
  }
  op_with_index(is_tail ? Op::ReturnCallIndirect : Op::CallIndirect, index);
  unsigned_number(0);
  left = shape_.types[index].results;
  return true;
}

void CodeGenerator::block_statement(unsigned depth) {
  Signature signature;
  std::uint32_t index = 0;
  const bool has_index = choices_.chance(110);
  if (has_index) {
    index = choices_.below(static_cast<std::uint32_t>(shape_.types.size()));
    signature = shape_.types[index];
  }
  structured(signature, index, has_index, depth);
  consume(signature.results);
}

void CodeGenerator::branch_statement(unsigned depth) {
  std::uint32_t label = 0;
  choose_label(label);
  const Bytes types = labels_[labels_.size() - 1 - label].types;
  values(types, depth - 1);
  condition(depth - 1);
  op_with_index(Op::BrIf, label);
  consume(types);
}

/// for (counter = n; --counter != 0;) over a local, with values that the loop carries.
void CodeGenerator::counted_loop(unsigned depth) {
  std::uint32_t counter = 0;
  if (!choose_local(i32, counter)) return block_statement(depth);
  i32_const(1 + choices_.below(12));
  op_with_index(Op::LocalSet, counter);
  Signature signature;
  std::uint32_t index = 0;
  const bool carries_values = choices_.chance(80);
  if (carries_values) {
    index = choices_.below(static_cast<std::uint32_t>(shape_.types.size()));
    signature = shape_.types[index];
  }
  values(signature.params, depth - 1);
  open(Op::Loop, signature, index, carries_values);
  statements(1 + choices_.below(3), depth - 1);
  consume(signature.params);
  statements(choices_.below(3), depth - 1);
  values(signature.params, depth / 2);
  op_with_index(Op::LocalGet, counter);
  i32_const(1);
  opcode(Op::I32Sub);
  op_with_index(Op::LocalTee, counter);
  op_with_index(Op::BrIf, 0);
  consume(signature.params);
  values(signature.results, depth - 1);
  close();
  consume(signature.results);
}

/// Blocks inside each other and a br_table in the innermost.
void CodeGenerator::switch_statement(unsigned depth) {
  Signature signature;
  std::uint32_t index = 0;
  bool has_index = false;
  if (choices_.chance(128)) {
    index = choices_.below(static_cast<std::uint32_t>(shape_.types.size()));
    has_index = shape_.types[index].params.empty();
    if (has_index) signature = shape_.types[index];
  }
  const std::uint32_t blocks = 1 + choices_.below(4);
  for (std::uint32_t i = 0; i < blocks; ++i) {
    open(Op::Block, signature, index, has_index);
    if (i + 1 < blocks) statements(choices_.below(2), depth - 1);
  }
  std::vector<std::uint32_t> targets;
  for (std::uint32_t i = 0; i < labels_.size(); ++i)
    if (labels_[labels_.size() - 1 - i].types == signature.results) targets.push_back(i);
  values(signature.results, depth - 1);
  const std::uint32_t count = choices_.chance(10) ? choices_.below(300) : choices_.below(6);
  index_into(count + 1, false, depth - 1);
  opcode(Op::BrTable);
  unsigned_number(count);
  for (std::uint32_t i = 0; i <= count; ++i) unsigned_number(choices_.of(targets));
  for (std::uint32_t i = 0; i < blocks; ++i) {
    close();
    consume(signature.results);
    if (i + 1 == blocks) break;
    statements(1 + choices_.below(2), depth - 1);
    values(signature.results, depth - 1);
  }
}

void CodeGenerator::leave_conditionally(unsigned depth) {
  condition(depth - 1);
  open(Op::If, {}, 0, false);
  statements(choices_.below(2), depth - 1);
  leave(depth);
  if (choices_.chance(60)) {
    opcode(Op::Else);
    statements(1, depth - 1);
  }
  close();
}

/// Something behind which no control arrives.
void CodeGenerator::leave(unsigned depth) {
  if (depth == 0) return opcode(Op::Unreachable);
  switch (choices_.below(8)) {
    case 0: return opcode(Op::Unreachable);
    case 1:
    case 2: {
      values(labels_[0].types, depth - 1);
      return opcode(Op::Return);
    }
    case 3:
    case 4: {
      Bytes left;
      const Bytes results = labels_[0].types;
      if (call_any(&results, 0, true, depth, left)) return;
      break;
    }
    default: break;
  }
  std::uint32_t label = 0;
  choose_label(label);
  values(labels_[labels_.size() - 1 - label].types, depth - 1);
  op_with_index(Op::Br, label);
}

/// Code that no control reaches, with operands out of nowhere.
void CodeGenerator::dead_code(unsigned depth) {
  std::uint32_t index = 0;
  switch (choices_.below(6)) {
    case 1: opcode(Op::I32Add); return opcode(Op::Drop);
    case 2: opcode(Op::Select); return opcode(Op::Drop);
    case 3:
      if (choose_local(i64, index)) op_with_index(Op::LocalSet, index);
      return;
    case 4: return block_statement(depth);
    case 5:
      constant(f64, 0);
      opcode(Op::F64Add);
      return opcode(Op::Drop);
    default: return;
  }
}

void CodeGenerator::bulk_memory(unsigned depth) {
  if (shape_.memories.empty()) return;
  const auto count = static_cast<std::uint32_t>(shape_.memories.size());
  const std::uint32_t memory = choices_.below(count);
  const auto range = [&](std::uint32_t of, std::uint64_t size) {
    index_into(size, shape_.memories[of].has_wide_addresses, depth - 1);
  };
  const auto small = [&] { i32_const(choices_.below(80)); };
  switch (choices_.below(5)) {
    case 0:
    case 1: {
      range(memory, page_size_bytes);
      expression(i32, depth - 1);
      range(memory, 100);
      return op_with_index(Op::MemoryFill, memory);
    }
    case 2: {
      const std::uint32_t source = choices_.below(count);
      const bool is_length_wide =
          shape_.memories[memory].has_wide_addresses && shape_.memories[source].has_wide_addresses;
      range(memory, page_size_bytes);
      range(source, page_size_bytes);
      index_into(300, is_length_wide, depth - 1);
      op_with_index(Op::MemoryCopy, memory);
      return unsigned_number(source);
    }
    default: break;
  }
  if (shape_.data_sizes.empty()) return;
  const std::uint32_t data = choices_.below(static_cast<std::uint32_t>(shape_.data_sizes.size()));
  if (choices_.chance(40)) return op_with_index(Op::DataDrop, data);
  range(memory, page_size_bytes);
  if (choices_.chance(200)) i32_const(choices_.below(8));
  else expression(i32, depth - 1);
  small();
  op_with_index(Op::MemoryInit, data);
  unsigned_number(memory);
}

void CodeGenerator::bulk_table(unsigned depth) {
  if (shape_.tables.empty() || !shape_.options.has_references) return;
  const auto count = static_cast<std::uint32_t>(shape_.tables.size());
  const std::uint32_t table = choices_.below(count);
  const TableShape& shape = shape_.tables[table];
  const bool is_wide = shape.has_wide_addresses;
  const auto small = [&](bool wide) { constant(wide ? i64 : i32, choices_.below(5)); };
  switch (choices_.below(6)) {
    case 0:
    case 1:
      index_into(shape.size, is_wide, depth - 1);
      expression(shape.element, depth - 1);
      return op_with_index(Op::TableSet, table);
    case 2:
      small(is_wide);
      expression(shape.element, depth - 1);
      small(is_wide);
      return op_with_index(Op::TableFill, table);
    case 3:
      expression(shape.element, depth - 1);
      if (choices_.chance(200)) small(is_wide);
      else expression(is_wide ? i64 : i32, depth - 1);
      op_with_index(Op::TableGrow, table);
      return consume({is_wide ? i64 : i32});
    case 4: {
      const std::uint32_t source = choices_.below(count);
      if (shape_.tables[source].element != shape.element) return;
      index_into(shape.size, is_wide, depth - 1);
      index_into(shape.size, shape_.tables[source].has_wide_addresses, depth - 1);
      small(is_wide && shape_.tables[source].has_wide_addresses);
      op_with_index(Op::TableCopy, table);
      return unsigned_number(source);
    }
    default: break;
  }
  if (shape_.elements.empty()) return;
  const std::uint32_t element = choices_.below(static_cast<std::uint32_t>(shape_.elements.size()));
  if (shape_.elements[element].type != shape.element) return;
  if (choices_.chance(40)) return op_with_index(Op::ElemDrop, element);
  index_into(shape.size, is_wide, depth - 1);
  small(false);
  small(false);
  op_with_index(Op::TableInit, element);
  unsigned_number(table);
}

/// Values of several types that wait while statements run.
void CodeGenerator::parked_values(unsigned depth) {
  Bytes types;
  for (std::uint32_t count = 1 + choices_.below(6); count != 0; --count) types.push_back(any_type());
  values(types, depth / 2);
  statements(1 + choices_.below(3), depth - 1);
  consume(types);
}

/// a, b = b, a
void CodeGenerator::exchange_locals() {
  const TypeByte type = any_number_type();
  std::uint32_t a = 0;
  std::uint32_t b = 0;
  if (!choose_local(type, a) || !choose_local(type, b)) return;
  op_with_index(Op::LocalGet, a);
  op_with_index(Op::LocalGet, b);
  const bool tees = choices_.chance(40);
  op_with_index(tees ? Op::LocalTee : Op::LocalSet, a);
  if (tees) opcode(Op::Drop);
  op_with_index(Op::LocalSet, b);
}

}  // namespace tfvm::fuzz
