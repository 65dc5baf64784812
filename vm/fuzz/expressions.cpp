// Random function bodies: productions that leave one value of a type.
#include <array>

#include "vm/fuzz/random_code.hpp"

namespace tfvm::fuzz {

using namespace test;

namespace {

constexpr std::string_view letters = "iIfF";

unsigned number(TypeByte type) { return static_cast<unsigned>(i32 - type); }
TypeByte type_of_letter(char letter) { return static_cast<TypeByte>(i32 - letters.find(letter)); }

/// The instructions that compute a number from numbers, and the loads, by the type of their result.
struct Operators {
  std::array<std::vector<Op>, 4> pure, trapping, loads;
  Operators() {
    for (std::size_t i = 0; i < op_count; ++i) {
      const OpInfo& row = op_infos[i];
      if (row.signature.size() < 3 || row.signature.find('a') != std::string_view::npos) {
        if (row.immediate == ImmediateKind::Memarg && row.effect == Effect::Reads)
          loads[letters.find(row.signature.back())].push_back(static_cast<Op>(i));
        continue;
      }
      if (row.immediate != ImmediateKind::None || row.signature.back() == ':') continue;
      auto& list = row.effect == Effect::Traps ? trapping : pure;
      list[letters.find(row.signature.back())].push_back(static_cast<Op>(i));
    }
  }
};
const Operators& operators() {
  static const Operators all;
  return all;
}

bool may_make_nan(Op op) {
  const std::string_view signature = info(op).signature;
  if ((signature[0] | 0x20) != 'f' || (signature.back() | 0x20) != 'f') return false;
  switch (op) {
    case Op::F32Abs:
    case Op::F32Neg:
    case Op::F32Copysign:
    case Op::F64Abs:
    case Op::F64Neg:
    case Op::F64Copysign: return false;
    default: return true;
  }
}

}  // namespace

void CodeGenerator::values(const Bytes& types, unsigned depth) {
  for (const TypeByte type : types) expression(type, depth);
}

void CodeGenerator::expression(TypeByte type, unsigned depth) {
  if (depth == 0 || is_spent()) return leaf(type);
  if (choices_.chance(14)) statement(depth - 1);  // while the values before this one wait
  if (is_number(type)) return number_expression(type, depth);
  reference_expression(type, depth);
}

void CodeGenerator::number_expression(TypeByte type, unsigned depth) {
  switch (choices_.below(32)) {
    case 0:
    case 1:
    case 2:
    case 3: return leaf(type);
    case 4:
    case 5:
    case 6:
    case 7: return load(type, depth);
    case 8:
    case 9: return tee(type, depth);
    case 10:
    case 11: return select(type, depth);
    case 12:
    case 13:
    case 14: return call_expression(type, depth);
    case 15:
    case 16: return block_expression(type, depth);
    case 17: return branch_expression(type, depth);
    case 18: return waiting_expression(type, depth);
    case 19: return size_expression(type, depth);
    default: return operation(type, depth);
  }
}

void CodeGenerator::reference_expression(TypeByte type, unsigned depth) {
  switch (choices_.below(8)) {
    case 0:
    case 1: return leaf(type);
    case 2: return tee(type, depth);
    case 3: return select(type, depth);
    case 4: return call_expression(type, depth);
    case 5: return block_expression(type, depth);
    default: break;
  }
  for (std::uint32_t table = 0; table < shape_.tables.size(); ++table) {
    if (shape_.tables[table].element != type) continue;
    index_into(shape_.tables[table].size, shape_.tables[table].has_wide_addresses, depth - 1);
    return op_with_index(Op::TableGet, table);
  }
  leaf(type);
}

void CodeGenerator::leaf(TypeByte type) {
  const std::uint32_t choice = choices_.below(8);
  std::uint32_t index = 0;
  if (choice >= 2 && choice < 7 && choose_local(type, index)) return op_with_index(Op::LocalGet, index);
  if (choice == 7 && choose_global(type, false, index)) return op_with_index(Op::GlobalGet, index);
  if (is_number(type)) return constant(type, interesting_bits(type));
  if (type == funcref_byte && choice != 0 && !shape_.functions.empty())
    return op_with_index(Op::RefFunc, choices_.below(static_cast<std::uint32_t>(shape_.functions.size())));
  constant(type, 0);
}

void CodeGenerator::operation(TypeByte type, unsigned depth) {
  const auto& trapping = operators().trapping[number(type)];
  const bool traps = !trapping.empty() && choices_.chance(60);
  const Op op = choices_.of(traps ? trapping : operators().pure[number(type)]);
  const std::string_view signature = info(op).signature;
  const std::size_t count = signature.find(':');
  for (std::size_t i = 0; i < count; ++i) operand(op, type_of_letter(signature[i]), i + 1 == count, depth - 1);
  opcode(op);
  if (may_make_nan(op)) make_canonical(type);
}

/// Divisors and what is truncated are mostly such that nothing traps.
void CodeGenerator::operand(Op op, TypeByte type, bool is_last, unsigned depth) {
  const bool matters = info(op).effect == Effect::Traps && is_last;
  if (!matters || choices_.chance(50)) return expression(type, depth);
  if (type == i32 || type == i64) {
    if (choices_.chance(90)) return constant(type, 1 + choices_.below(9));
    expression(type, depth);
    constant(type, 1);
    return opcode(type == i32 ? Op::I32Or : Op::I64Or);
  }
  if (choices_.chance(90)) return constant(type, type == f32 ? 0x42280000 : 0x4045800000000000);  // 42, 43
  expression(i32, depth);
  i32_const(0xffff);
  opcode(Op::I32And);
  opcode(type == f32 ? Op::F32ConvertI32S : Op::F64ConvertI32U);
}

void CodeGenerator::make_canonical(TypeByte type) {
  if (!shape_.options.canonical_nans) return;
  op_with_index(Op::Call, type == f32 ? shape_.canonical_f32 : shape_.canonical_f64);
}

/// An address and the offset to go with it, for the memory that is returned.
std::uint32_t CodeGenerator::address(Op op, unsigned depth, std::uint64_t& offset) {
  static constexpr std::uint64_t offsets[] = {0, 1, 2, 4, 8, 16, 60, 1000, 65520, 65535, 65536, 0x7fffffff, 0xffffffff};
  const std::uint32_t memory = choices_.below(static_cast<std::uint32_t>(shape_.memories.size()));
  const MemoryShape& shape = shape_.memories[memory];
  const TypeByte type = shape.has_wide_addresses ? i64 : i32;
  const std::uint32_t choice = choices_.below(16);
  offset = offsets[choices_.below(choices_.chance(20) ? std::size(offsets) : 6)];
  if (choice < 3) {
    constant(type, choices_.below(64));
  } else if (choice == 3) {  // at the end
    const std::uint64_t end = shape.pages * page_size_bytes - offset;
    constant(type, end - info(op).width + choices_.below(3) - 1);
  } else if (choice == 4) {
    expression(type, depth);
  } else {
    static constexpr std::uint64_t masks[] = {0x3f, 0xff, 0x7fff, 0xfff8};
    expression(type, depth);
    constant(type, choices_.of(masks));
    opcode(type == i32 ? Op::I32And : Op::I64And);
  }
  return memory;
}

void CodeGenerator::load(TypeByte type, unsigned depth) {
  if (shape_.memories.empty()) return operation(type, depth);
  const Op op = choices_.of(operators().loads[number(type)]);
  std::uint64_t offset = 0;
  const std::uint32_t memory = address(op, depth - 1, offset);
  memarg(op, memory, offset);
}

void CodeGenerator::tee(TypeByte type, unsigned depth) {
  std::uint32_t index = 0;
  if (!choose_local(type, index)) return leaf(type);
  expression(type, depth - 1);
  op_with_index(Op::LocalTee, index);
}

void CodeGenerator::select(TypeByte type, unsigned depth) {
  expression(type, depth - 1);
  expression(type, depth - 1);
  condition(depth - 1);
  if (is_number(type) && !choices_.chance(20)) return opcode(Op::Select);
  opcode(Op::SelectTyped);
  code_.push_back(1);
  code_.push_back(type);
}

void CodeGenerator::call_expression(TypeByte type, unsigned depth) {
  Bytes left;
  if (!call_any(nullptr, type, false, depth, left)) return leaf(type);
  consume({left.begin() + 1, left.end()});
}

void CodeGenerator::block_expression(TypeByte type, unsigned depth) {
  Signature signature{{}, {type}};
  std::uint32_t index = 0;
  const bool has_index = choices_.chance(140) && choose_type(&signature.results, 0, index);
  if (has_index) signature = shape_.types[index];
  structured(signature, index, has_index, depth);
}

/// A value that br_if takes along or leaves.
void CodeGenerator::branch_expression(TypeByte type, unsigned depth) {
  std::uint32_t label = 0;
  choose_label(label);
  const Bytes types = labels_[labels_.size() - 1 - label].types;
  values(types, depth - 1);
  condition(depth - 1);
  op_with_index(Op::BrIf, label);
  if (types == Bytes{type}) return;
  consume(types);
  expression(type, depth - 1);
}

/// Values that wait on the stack while other things happen, and are put together afterwards.
void CodeGenerator::waiting_expression(TypeByte type, unsigned depth) {
  const bool many = choices_.chance(16);
  const std::uint32_t count = many ? 20 + choices_.below(60) : 1 + choices_.below(5);
  for (std::uint32_t i = 0; i < count; ++i) expression(type, many ? 1 : i == 0 ? depth - 1 : depth / 2);
  statements(1 + choices_.below(2), depth - 1);
  static constexpr Op integers[][2] = {{Op::I32Add, Op::I64Add},   {Op::I32Sub, Op::I64Sub},
                                       {Op::I32Xor, Op::I64Xor},   {Op::I32Mul, Op::I64Mul},
                                       {Op::I32DivU, Op::I64DivU}, {Op::I32Rotl, Op::I64Rotl}};
  static constexpr Op floats[][2] = {
      {Op::F32Add, Op::F64Add}, {Op::F32Sub, Op::F64Sub}, {Op::F32Copysign, Op::F64Copysign}, {Op::F32Min, Op::F64Min}};
  for (std::uint32_t i = 1; i < count; ++i) {
    const bool is_wide = type == i64 || type == f64;
    const Op op = type == i32 || type == i64 ? choices_.of(integers)[is_wide] : choices_.of(floats)[is_wide];
    opcode(op);
    if (may_make_nan(op)) make_canonical(type);
  }
}

/// Sizes, growth, tests of references: what gives an integer and is no operator.
void CodeGenerator::size_expression(TypeByte type, unsigned depth) {
  if (type != i32 && type != i64) return leaf(type);
  const std::uint32_t choice = choices_.below(6);
  const bool is_wide = type == i64;
  if (choice < 3) {
    for (std::uint32_t memory = 0; memory < shape_.memories.size(); ++memory) {
      if (shape_.memories[memory].has_wide_addresses != is_wide) continue;
      if (choice == 0) return op_with_index(Op::MemorySize, memory);
      if (choice == 1) constant(type, choices_.below(3));
      else expression(type, depth - 1);
      return op_with_index(Op::MemoryGrow, memory);
    }
  }
  if (choice >= 4 && type == i32 && shape_.options.has_references) {
    expression(choices_.chance(200) ? funcref_byte : externref_byte, depth - 1);
    return opcode(Op::RefIsNull);
  }
  for (std::uint32_t table = 0; table < shape_.tables.size(); ++table)
    if (shape_.tables[table].has_wide_addresses == is_wide && shape_.options.has_references)
      return op_with_index(Op::TableSize, table);
  leaf(type);
}

/// Something that is sometimes zero.
void CodeGenerator::condition(unsigned depth) {
  expression(i32, depth);
  if (!choices_.chance(110)) return;
  i32_const(1 + choices_.below(7));
  opcode(choices_.chance(128) ? Op::I32And : Op::I32RemU);
}

/// An index that mostly is below `size`.
void CodeGenerator::index_into(std::uint64_t size, bool wide, unsigned depth) {
  const TypeByte type = wide ? i64 : i32;
  if (choices_.chance(100)) return constant(type, choices_.below(static_cast<std::uint32_t>(size) + 1));
  expression(type, depth);
  if (choices_.chance(20)) return;
  constant(type, size == 0 ? 1 : size);
  opcode(wide ? Op::I64RemU : Op::I32RemU);
}

}  // namespace tfvm::fuzz
