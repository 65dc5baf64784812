// The instructions of WebAssembly as data: enum Op, and what opcodes.def says of each.
// Decoding, validation, printing, translation and execution all read this table (WebAssembly 3.0, section 5.4).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "decoder/features.hpp"

namespace tfvm {

/// What follows an opcode in the binary format.
enum class ImmediateKind : std::uint8_t {
  None,
  Block,
  Label,
  LabelTable,
  Function,
  TypeTable,
  Type,
  Local,
  Global,
  Table,
  TableTable,
  ElementTable,
  Memory,
  MemoryMemory,
  DataMemory,
  Data,
  Element,
  Memarg,
  I32,
  I64,
  F32,
  F64,
  HeapType,
  SelectTypes,
  Tag,
  TryTable,
};

/// What an instruction can do besides computing its result.
enum class Effect : std::uint8_t {
  Pure,     ///< nothing: may be computed whenever its operands are there
  Traps,    ///< may trap, depends on its operands alone
  Local,    ///< reads or writes a local of its own frame
  Reads,    ///< reads what an instruction of class Writes or Calls may change; may trap
  Writes,   ///< changes memory, a table, a global or a segment; may trap
  Calls,    ///< may do anything
  Control,  ///< transfers control
};

/// One instruction; the order is that of opcodes.def.
enum class Op : std::uint16_t {
#define OP(prefix, code, name, spelling, immediate, signature, width, feature, effect) name,
#include "decoder/opcodes.def"
#undef OP
};

inline constexpr std::size_t op_count = 0
#define OP(prefix, code, name, spelling, immediate, signature, width, feature, effect) +1
#include "decoder/opcodes.def"
#undef OP
    ;

/// What the table says of an instruction.
struct OpInfo {
  std::uint8_t prefix;
  std::uint16_t code;
  std::string_view spelling;
  ImmediateKind immediate;
  std::string_view signature;
  std::uint8_t width;
  Feature feature;
  Effect effect;
};

inline constexpr std::array<OpInfo, op_count> op_infos = {{
#define OP(prefix, code, name, spelling, immediate, signature, width, feature, effect) \
  {prefix, code, spelling, ImmediateKind::immediate, signature, width, Feature::feature, Effect::effect},
#include "decoder/opcodes.def"
#undef OP
}};

constexpr const OpInfo& info(Op op) { return op_infos[static_cast<std::size_t>(op)]; }

inline constexpr std::uint16_t no_op = 0xffff;

namespace detail {
template <std::uint8_t Prefix, std::size_t Size>
consteval std::array<std::uint16_t, Size> ops_by_code() {
  std::array<std::uint16_t, Size> table{};
  for (auto& entry : table) entry = no_op;
  for (std::size_t i = 0; i < op_count; ++i)
    if (op_infos[i].prefix == Prefix) table.at(op_infos[i].code) = static_cast<std::uint16_t>(i);
  return table;
}
consteval bool ops_are_sorted() {
  for (std::size_t i = 1; i < op_count; ++i) {
    const auto key = [](const OpInfo& row) { return (row.prefix << 16) | row.code; };
    if (key(op_infos[i - 1]) >= key(op_infos[i])) return false;
  }
  return true;
}
static_assert(ops_are_sorted(), "opcodes.def must be sorted by prefix and code, without duplicates");
}  // namespace detail

/// Index of the Op of a one-byte opcode, or no_op.
inline constexpr auto ops_without_prefix = detail::ops_by_code<0x00, 256>();
/// Index of the Op of a code behind the prefix byte 0xfc, or no_op.
inline constexpr auto ops_with_prefix_fc = detail::ops_by_code<0xfc, 32>();

}  // namespace tfvm
