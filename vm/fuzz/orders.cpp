// Random function bodies: statements that a wrong order of traps and effects, or a forgotten value, shows in.
#include <algorithm>

#include "vm/fuzz/random_code.hpp"

namespace tfvm::fuzz {

using namespace test;

/// A short tree that may trap when it is computed: mostly it does not.
void CodeGenerator::trapping_value(TypeByte type) {
  static constexpr Op divisions[][2] = {
      {Op::I32DivS, Op::I64DivS}, {Op::I32RemU, Op::I64RemU}, {Op::I32DivU, Op::I64DivU}};
  static constexpr Op loads[] = {Op::I32Load, Op::I64Load, Op::F32Load, Op::F64Load};
  static constexpr Op truncations[] = {Op::I32TruncF64S, Op::I64TruncF64U};
  const bool is_integer = type == i32 || type == i64;
  const std::uint32_t choice = choices_.below(4);
  if (is_integer && choice < 2) {
    leaf(type);
    leaf(type);
    return opcode(choices_.of(divisions)[type == i64]);
  }
  if (is_integer && choice == 2) {
    leaf(f64);
    return opcode(truncations[type == i64]);
  }
  if (shape_.memories.empty() || shape_.memories[0].has_wide_addresses) return expression(type, 2);
  if (choices_.chance(128)) {
    leaf(i32);
  } else {
    i32_const(static_cast<std::int64_t>(shape_.memories[0].pages * page_size_bytes) - 8 + choices_.below(10));
  }
  memarg(loads[i32 - type], 0, 0);
}

/// Something that others see, or that leaves.
void CodeGenerator::effect(unsigned depth) {
  switch (choices_.below(12)) {
    case 0:
    case 1: return set_global(2);
    case 2: return store(2);
    case 3: return call_statement(2);
    case 4:
    case 5: return branch_statement(3);
    case 6: return leave_conditionally(3);
    case 7: return counted_loop(std::min(depth, 3u));
    case 8: return bulk_memory(2);
    case 9: return bulk_table(2);
    case 10: return block_statement(std::min(depth, 3u));
    default:
      if (!choices_.chance(80)) return set_local(2);
      leave(3);
      return dead_code(1);
  }
}

/// Values that may trap wait on the stack while something has an effect.
void CodeGenerator::trap_before_effect(unsigned depth) {
  Bytes types;
  for (std::uint32_t count = 1 + choices_.below(3); count != 0; --count) {
    types.push_back(any_number_type());
    trapping_value(types.back());
  }
  for (std::uint32_t count = 1 + choices_.below(2); count != 0; --count) effect(depth - 1);
  consume(types);
}

/// The value of a global waits on the stack while the global changes; what waited goes where it is seen.
void CodeGenerator::global_before_change(unsigned depth) {
  std::uint32_t global = 0;
  std::uint32_t destination = 0;
  const TypeByte type = any_number_type();
  if (!choose_global(type, true, global) || !choose_local(type, destination)) return;
  op_with_index(Op::GlobalGet, global);
  if (choices_.chance(60)) {
    op_with_index(Op::GlobalGet, global);
    static constexpr Op additions[] = {Op::I32Add, Op::I64Add, Op::F32Sub, Op::F64Sub};
    opcode(additions[i32 - type]);
    if (type == f32 || type == f64) make_canonical(type);
  }
  switch (choices_.below(3)) {
    case 0:
      expression(type, std::min(depth, 3u));
      op_with_index(Op::GlobalSet, global);
      break;
    case 1: call_statement(2); break;
    default: effect(depth - 1);
  }
  op_with_index(Op::LocalSet, destination);
}

/// Puts numbers that locals hold into memory, where everybody sees them in the end.
void CodeGenerator::store_locals() {
  static constexpr Op stores[] = {Op::I32Store, Op::I64Store, Op::F32Store, Op::F64Store};
  if (shape_.memories.empty() || shape_.memories[0].has_wide_addresses || shape_.memories[0].pages == 0) return;
  for (std::uint32_t i = 0; i < std::min<std::size_t>(local_types_.size(), 8); ++i) {
    if (!is_number(local_types_[i])) continue;
    i32_const(8 * (i + function_ * 8));
    op_with_index(Op::LocalGet, i);
    memarg(stores[i32 - local_types_[i]], 0, 0);
  }
}

}  // namespace tfvm::fuzz
