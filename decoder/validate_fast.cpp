// Shortcuts of body validation for the commonest instructions while nothing is wrong with them: all but one percent of
// compiled code, at twice the speed. They decide nothing of their own: in front of the first instruction that is
// not obviously right run_fast returns, and the rules (validate_code.cpp and its families) take over. A test and a fuzz
// target compare the verdicts of both paths.
#include <algorithm>
#include <array>
#include <cstring>

#include "decoder/validate_code.hpp"

namespace tfvm {
namespace {

enum class Shape : std::uint8_t {
  Rule,  ///< no shortcut
  Nop,
  Constant,
  Unary,
  Binary,
  Load,
  Store,
  LocalGet,
  LocalSet,
  LocalTee,
  GlobalGet,
  GlobalSet,
  Block,
  Loop,
  If,
  End,
  Br,
  BrIf,
  Call,
  Return,
  Unreachable,
  Drop,
  Select,
};

/// What a shortcut needs of the row of an opcode byte.
struct FastRow {
  Shape shape = Shape::Rule;
  std::uint8_t natural_alignment = 0;
  ImmediateKind immediate = ImmediateKind::None;
  ValueType operand;  ///< the last one
  ValueType result;
};

constexpr struct {
  Op op;
  Shape shape;
} rule_shapes[] = {
    {Op::LocalGet, Shape::LocalGet},
    {Op::LocalSet, Shape::LocalSet},
    {Op::LocalTee, Shape::LocalTee},
    {Op::GlobalGet, Shape::GlobalGet},
    {Op::GlobalSet, Shape::GlobalSet},
    {Op::Block, Shape::Block},
    {Op::Loop, Shape::Loop},
    {Op::If, Shape::If},
    {Op::End, Shape::End},
    {Op::Br, Shape::Br},
    {Op::BrIf, Shape::BrIf},
    {Op::Call, Shape::Call},
    {Op::Return, Shape::Return},
    {Op::Unreachable, Shape::Unreachable},
    {Op::Drop, Shape::Drop},
    {Op::Select, Shape::Select},
    {Op::Nop, Shape::Nop},
};

consteval FastRow fast_row(std::size_t op) {
  const OpInfo& row = op_infos[op];
  const OpSignature signature = parse_signature(row.signature);
  FastRow fast;
  if (row.feature != Feature::Mvp) return fast;  // the rules keep account of features
  for (const auto& rule : rule_shapes)
    if (rule.op == static_cast<Op>(op)) fast.shape = rule.shape;
  if (signature.is_rule || signature.result_count > 1) return fast;
  fast.immediate = row.immediate;
  fast.result = signature.result;
  if (signature.param_count != 0) fast.operand = signature.params[signature.param_count - 1];
  if (signature.param_count == 0 && signature.result_count == 1 && row.immediate != ImmediateKind::Memory)
    fast.shape = Shape::Constant;
  if (row.immediate == ImmediateKind::None && signature.result_count == 1) {
    if (signature.param_count == 1) fast.shape = Shape::Unary;
    if (signature.param_count == 2 && signature.params[0] == signature.params[1]) fast.shape = Shape::Binary;
  }
  if (row.immediate == ImmediateKind::Memarg) {
    fast.shape = signature.result_count == 1 ? Shape::Load : Shape::Store;
    while ((2u << fast.natural_alignment) <= row.width) ++fast.natural_alignment;
  }
  return fast;
}

consteval std::array<FastRow, 256> make_fast_rows() {
  std::array<FastRow, 256> rows{};
  for (std::size_t byte = 0; byte < 256; ++byte)
    if (ops_without_prefix[byte] != no_op) rows[byte] = fast_row(ops_without_prefix[byte]);
  return rows;
}

constexpr std::array<FastRow, 256> fast_rows = make_fast_rows();
constexpr ValueType i32 = ValueKind::I32;

void skip_constant(Reader& reader, ImmediateKind immediate) {
  switch (immediate) {
    case ImmediateKind::I32: reader.s32(); break;
    case ImmediateKind::I64: reader.s64(); break;
    case ImmediateKind::F32: reader.skip(4); break;
    default: reader.skip(8); break;
  }
}

}  // namespace

// The operands behind the call, or null if the rule has to look at it.
ValueType* CodeValidator::call_fast(std::uint32_t function_index, ValueType* top) const {
  if (function_index >= module_.functions.size()) return nullptr;
  const FunctionType& type = module_.function_type(function_index);
  const std::size_t count = type.params.size();
  if (static_cast<std::size_t>(top - floor_) < count) return nullptr;
  top -= count;
  for (std::size_t i = 0; i < count; ++i)
    if (top[i] != type.params[i]) return nullptr;
  if (static_cast<std::size_t>(limit_ - top) < type.results.size()) return nullptr;
  return std::copy(type.results.begin(), type.results.end(), top);
}

void CodeValidator::run_fast() {  // NOLINT(readability-function-size): a dispatch
  Reader reader = reader_;
  ValueType* top = top_;
  const ValueType* const locals = locals_.data();
  const std::size_t local_count = locals_.size();
  std::uint32_t start = reader.offset();
  for (; !reader.at_end(); start = reader.offset()) {
    const FastRow& row = fast_rows[reader.byte()];
    switch (row.shape) {
      case Shape::Rule: break;
      case Shape::Nop: continue;
      case Shape::Constant:
        skip_constant(reader, row.immediate);
        if (top == limit_) break;
        *top++ = row.result;
        continue;
      case Shape::Unary:
        if (top == floor_ || top[-1] != row.operand) break;
        top[-1] = row.result;
        continue;
      case Shape::Binary:
        if (top - floor_ < 2 || top[-1] != row.operand || top[-2] != row.operand) break;
        --top;
        top[-1] = row.result;
        continue;
      case Shape::Load:
        if (!has_plain_memory_ || reader.byte() > row.natural_alignment || reader.u64() > UINT32_MAX) break;
        if (top == floor_ || top[-1] != i32) break;
        top[-1] = row.result;
        continue;
      case Shape::Store:
        if (!has_plain_memory_ || reader.byte() > row.natural_alignment || reader.u64() > UINT32_MAX) break;
        if (top - floor_ < 2 || top[-1] != row.operand || top[-2] != i32) break;
        top -= 2;
        continue;
      case Shape::LocalGet: {
        const std::uint32_t index = reader.u32();
        if (index >= local_count || !locals[index].is_defaultable() || top == limit_) break;
        *top++ = locals[index];
        continue;
      }
      case Shape::LocalSet: {
        const std::uint32_t index = reader.u32();
        if (index >= local_count || !locals[index].is_defaultable() || top == floor_ || top[-1] != locals[index]) break;
        --top;
        continue;
      }
      case Shape::LocalTee: {
        const std::uint32_t index = reader.u32();
        if (index >= local_count || !locals[index].is_defaultable() || top == floor_ || top[-1] != locals[index]) break;
        continue;
      }
      case Shape::GlobalGet: {
        const std::uint32_t index = reader.u32();
        if (index >= module_.globals.size() || top == limit_) break;
        *top++ = module_.globals[index].type.value;
        continue;
      }
      case Shape::GlobalSet: {
        const std::uint32_t index = reader.u32();
        if (index >= module_.globals.size() || top == floor_) break;
        const GlobalType& type = module_.globals[index].type;
        if (!type.is_mutable || top[-1] != type.value) break;
        --top;
        continue;
      }
      case Shape::Block:
      case Shape::Loop:
      case Shape::If: {
        if (reader.byte() != 0x40) break;
        if (row.shape == Shape::If) {
          if (top == floor_ || top[-1] != i32) break;
          --top;
        }
        top_ = top;
        instruction_.offset = start;
        push_frame(row.shape == Shape::Block ? Op::Block : row.shape == Shape::Loop ? Op::Loop : Op::If, {}, 0);
        continue;
      }
      case Shape::End: {
        const ControlFrame& frame = frames_.back();
        if (frames_.size() == 1 || frame.block.kind != BlockType::Kind::Empty || top != floor_ ||
            initialized_.size() != frame.initialized_height)
          break;
        pop_frame();
        continue;
      }
      case Shape::Br:
      case Shape::BrIf: {
        const std::uint32_t label = reader.u32();
        if (label >= frames_.size() || frames_[frames_.size() - 1 - label].label_arity != 0) break;
        if (row.shape == Shape::BrIf) {
          if (top == floor_ || top[-1] != i32) break;
          --top;
          continue;
        }
        top = floor_;
        frames_.back().is_unreachable = true;
        continue;
      }
      case Shape::Call: {
        ValueType* const after = call_fast(reader.u32(), top);
        if (after == nullptr) break;
        top = after;
        continue;
      }
      case Shape::Return: {
        const std::size_t count = function_->results.size();
        if (count > 1 || static_cast<std::size_t>(top - floor_) < count) break;
        if (count == 1 && top[-1] != function_->results[0]) break;
        top = floor_;
        frames_.back().is_unreachable = true;
        continue;
      }
      case Shape::Unreachable:
        top = floor_;
        frames_.back().is_unreachable = true;
        continue;
      case Shape::Drop:
        if (top == floor_) break;
        --top;
        continue;
      case Shape::Select:
        if (top - floor_ < 3 || top[-1] != i32 || top[-2] != top[-3] || !top[-2].is_numeric()) break;
        top -= 2;
        continue;
    }
    break;
  }
  reader.seek(start);
  reader_ = reader;
  top_ = top;
}

}  // namespace tfvm
