// Random function bodies: what productions share: writing instructions, choosing among what a module has, blocks.
#include "vm/fuzz/random_code.hpp"

#include <algorithm>
#include <bit>

namespace tfvm::fuzz {

using namespace test;

CodeGenerator::CodeGenerator(const ModuleShape& shape, Choices& choices, std::uint32_t function, std::size_t share)
    : shape_(shape), choices_(choices), function_(function), last_position_(choices.position() + share) {}

void CodeGenerator::generate() {
  const Signature& signature = shape_.signature(function_);
  local_types_ = signature.params;
  const std::uint32_t groups = choices_.below(6);
  local_declarations_ = unsigned_leb(groups);
  for (std::uint32_t i = 0; i < groups; ++i) {
    const std::uint32_t count = choices_.chance(6) ? choices_.below(300) : 1 + choices_.below(3);
    const TypeByte type = any_type();
    local_types_.insert(local_types_.end(), count, type);
    local_declarations_ = local_declarations_ + unsigned_leb(count) + Bytes{type};
  }
  labels_.push_back({signature.results, false});
  check_steps();
  statements(1 + choices_.below(6), whole_depth);
  if (choices_.chance(40)) {
    leave(whole_depth);
    dead_code(3);
  }
  if (!choices_.chance(100)) store_locals();
  values(signature.results, whole_depth);
}

// ---- writing

void CodeGenerator::opcode(Op op) {
  const OpInfo& row = info(op);
  if (row.prefix != 0) {
    code_.push_back(row.prefix);
    unsigned_number(row.code);
  } else {
    code_.push_back(static_cast<std::uint8_t>(row.code));
  }
}

void CodeGenerator::unsigned_number(std::uint64_t value) {
  for (; value > 0x7f; value >>= 7) code_.push_back(static_cast<std::uint8_t>(value | 0x80));
  code_.push_back(static_cast<std::uint8_t>(value));
}

void CodeGenerator::op_with_index(Op op, std::uint64_t index) {
  opcode(op);
  unsigned_number(index);
}

void CodeGenerator::i32_const(std::int64_t value) { constant(i32, static_cast<std::uint64_t>(value)); }

void CodeGenerator::constant(TypeByte type, std::uint64_t bits) {
  const auto append = [&](const Bytes& bytes) { code_.insert(code_.end(), bytes.begin(), bytes.end()); };
  const auto fixed = [&](unsigned count) {
    for (; count != 0; --count, bits >>= 8) code_.push_back(static_cast<std::uint8_t>(bits));
  };
  switch (type) {
    case i32: opcode(Op::I32Const); return append(signed_leb(static_cast<std::int32_t>(bits)));
    case i64: opcode(Op::I64Const); return append(signed_leb(static_cast<std::int64_t>(bits)));
    case f32: opcode(Op::F32Const); return fixed(4);
    case f64: opcode(Op::F64Const); return fixed(8);
    default: opcode(Op::RefNull); code_.push_back(type);
  }
}

void CodeGenerator::memarg(Op op, std::uint32_t memory, std::uint64_t offset) {
  opcode(op);
  const auto natural = static_cast<std::uint32_t>(std::countr_zero(info(op).width));
  const std::uint32_t alignment = choices_.below(natural + 1);
  unsigned_number(alignment | (memory != 0 ? 0x40u : 0u));
  if (memory != 0) unsigned_number(memory);
  unsigned_number(offset);
}

// ---- choosing

bool CodeGenerator::is_spent() const {
  return choices_.position() >= last_position_ || choices_.left() == 0 || code_.size() > most_code_bytes;
}

TypeByte CodeGenerator::any_number_type() {
  static constexpr TypeByte types[] = {i32, i32, i32, i64, i64, f64, f32, i32};
  return choices_.of(types);
}

TypeByte CodeGenerator::any_type() {
  if (!shape_.options.has_references || !choices_.chance(24)) return any_number_type();
  return choices_.chance(128) ? externref_byte : funcref_byte;
}

/// The first two locals of a type are hot.
bool CodeGenerator::choose_local(TypeByte type, std::uint32_t& index) {
  std::vector<std::uint32_t> candidates;
  for (std::uint32_t i = 0; i < local_types_.size(); ++i)
    if (local_types_[i] == type) candidates.push_back(i);
  if (candidates.empty()) return false;
  const auto count = static_cast<std::uint32_t>(candidates.size());
  index = candidates[choices_.below(choices_.chance(70) ? count : std::min(count, 2u))];
  return true;
}

bool CodeGenerator::choose_global(TypeByte type, bool to_write, std::uint32_t& index) {
  std::vector<std::uint32_t> candidates;
  for (std::uint32_t i = 0; i < shape_.globals.size(); ++i)
    if (shape_.globals[i].type == type && (!to_write || shape_.globals[i].is_mutable)) candidates.push_back(i);
  if (candidates.empty()) return false;
  index = choices_.of(candidates);
  return true;
}

/// Functions in front of this one, mostly: recursion is the exception.
bool CodeGenerator::choose_function(const Bytes* results, TypeByte first_result, std::uint32_t& index) {
  const auto all = static_cast<std::uint32_t>(shape_.functions.size());
  const std::uint32_t end = choices_.chance(24) ? all : function_;
  std::vector<std::uint32_t> candidates;
  for (std::uint32_t i = 0; i < end; ++i) {
    const Bytes& own = shape_.signature(i).results;
    if (results != nullptr ? own == *results : first_result == 0 || (!own.empty() && own[0] == first_result))
      candidates.push_back(i);
  }
  if (candidates.empty()) return false;
  index = choices_.of(candidates);
  return true;
}

bool CodeGenerator::choose_type(const Bytes* results, TypeByte first_result, std::uint32_t& index) {
  std::vector<std::uint32_t> candidates;
  for (std::uint32_t i = 0; i < shape_.types.size(); ++i) {
    const Bytes& own = shape_.types[i].results;
    if (results != nullptr ? own == *results : first_result == 0 || (!own.empty() && own[0] == first_result))
      candidates.push_back(i);
  }
  if (candidates.empty()) return false;
  index = choices_.of(candidates);
  return true;
}

/// Blocks rather than loops, so that not everything runs for ever.
bool CodeGenerator::choose_label(std::uint32_t& depth) {
  const auto count = static_cast<std::uint32_t>(labels_.size());
  depth = choices_.below(count);
  if (labels_[count - 1 - depth].is_loop && choices_.chance(190)) depth = choices_.below(count);
  return true;
}

namespace {

constexpr std::uint64_t interesting_integers[] = {0,
                                                  1,
                                                  UINT64_MAX,
                                                  2,
                                                  3,
                                                  4,
                                                  7,
                                                  8,
                                                  15,
                                                  16,
                                                  31,
                                                  32,
                                                  63,
                                                  64,
                                                  5,
                                                  24,
                                                  100,
                                                  127,
                                                  128,
                                                  255,
                                                  256,
                                                  65528,
                                                  65532,
                                                  65535,
                                                  65536,
                                                  0x7fff,
                                                  0x8000,
                                                  0x7fffffff,
                                                  10,
                                                  48,
                                                  0x80000000,
                                                  0x7fffffffffffffff,
                                                  0x8000000000000000,
                                                  0xffffffff,
                                                  UINT64_MAX - 7,
                                                  0x100000000};
constexpr float interesting_floats[] = {0.0f,  1.0f,          -1.0f,          0.5f,         2.0f,
                                        -0.0f, 100.25f,       -3.75f,         1e-40f,       2147483647.0f,
                                        1e20f, 2147483648.0f, -2147483904.0f, 4294967296.0f};
constexpr double interesting_doubles[] = {0.0,
                                          1.0,
                                          -1.0,
                                          0.5,
                                          2.0,
                                          -0.0,
                                          1e300,
                                          -2147483648.9,
                                          2147483647.9,
                                          1e-310,
                                          4294967295.5,
                                          9223372036854775808.0,
                                          -9223372036854775808.0,
                                          18446744073709551616.0};

}  // namespace

std::uint64_t CodeGenerator::interesting_bits(TypeByte type) {
  static constexpr std::uint32_t float_patterns[] = {0x7f800000, 0xff800000, 0x7fc00000, 0xffc00000,
                                                     0x7fa00000, 0x7fc12345, 0x00000001};
  static constexpr std::uint64_t double_patterns[] = {0x7ff0000000000000,
                                                      0xfff0000000000000,
                                                      0x7ff8000000000000,
                                                      0xfff8000000000000,
                                                      0x7ff4000000000000,
                                                      0x7ff8dead0000beef,
                                                      1};
  const unsigned size = type == i32 || type == f32 ? 4 : 8;
  if (choices_.chance(28)) return choices_.bits(size);
  switch (type) {
    case f32:
      return choices_.chance(60) ? choices_.of(float_patterns)
                                 : std::bit_cast<std::uint32_t>(choices_.of(interesting_floats));
    case f64:
      return choices_.chance(60) ? choices_.of(double_patterns)
                                 : std::bit_cast<std::uint64_t>(choices_.of(interesting_doubles));
    default: return choices_.of(interesting_integers);
  }
}

// ---- blocks

void CodeGenerator::open(Op op, const Signature& signature, std::uint32_t type_index, bool has_index) {
  opcode(op);
  if (has_index) {
    const Bytes index = signed_leb(type_index);
    code_.insert(code_.end(), index.begin(), index.end());
  } else {
    code_.push_back(signature.results.empty() ? empty_block : signature.results[0]);
  }
  const bool is_loop = op == Op::Loop;
  labels_.push_back({is_loop ? signature.params : signature.results, is_loop});
  if (is_loop) check_steps();
}

void CodeGenerator::close() {
  opcode(Op::End);
  labels_.pop_back();
}

/// A block, loop or if, with its parameters before it; leaves its results.
void CodeGenerator::structured(const Signature& signature, std::uint32_t type_index, bool has_index, unsigned depth) {
  static constexpr Op ops[] = {Op::Block, Op::If, Op::Loop, Op::If};
  const Op op = choices_.of(ops);
  values(signature.params, depth - 1);
  if (op == Op::If) condition(depth - 1);
  open(op, signature, type_index, has_index);
  block_body(signature, depth - 1);
  if (op == Op::If && (signature.params != signature.results || choices_.chance(150))) {
    opcode(Op::Else);
    block_body(signature, depth - 1);
  }
  close();
}

/// From the parameters of a block, which lie on the stack, to its results.
void CodeGenerator::block_body(const Signature& signature, unsigned depth) {
  statements(choices_.below(3), depth);
  if (signature.params == signature.results && choices_.chance(100)) return;
  consume(signature.params);
  statements(choices_.below(3), depth);
  if (choices_.chance(12)) {
    leave(depth);
    dead_code(2);
  }
  values(signature.results, depth);
}

void CodeGenerator::check_steps() {
  if (!shape_.options.counts_steps) return;
  op_with_index(Op::GlobalGet, shape_.step_global);
  opcode(Op::I32Eqz);
  opcode(Op::If);
  code_.push_back(empty_block);
  opcode(Op::Unreachable);
  opcode(Op::End);
  op_with_index(Op::GlobalGet, shape_.step_global);
  i32_const(1);
  opcode(Op::I32Sub);
  op_with_index(Op::GlobalSet, shape_.step_global);
}

}  // namespace tfvm::fuzz
