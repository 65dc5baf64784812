// Expression trees while a function is translated: nodes in an arena, reached by number.
#pragma once

#include <cstdint>
#include <vector>

#include "decoder/types.hpp"
#include "vm/patterns.hpp"

namespace tfvm::interpreter {

using NodeId = std::uint32_t;
inline constexpr NodeId no_node = UINT32_MAX;

enum class NodeKind : std::uint8_t {
  Local,           ///< leaf: local `immediate`, in its slot or its pinned register
  Slot,            ///< leaf: computed, lies in slot `home`
  Accumulator,     ///< leaf: computed, lies in the accumulator of its class
  Constant,        ///< leaf: `immediate`
  Global,          ///< leaf: global at byte `immediate` of the instance block
  ImportedGlobal,  ///< leaf: same, through its cell
  Unary,
  Binary,
  Load,
  Select,
};

/// One node. Every node has one user: a parent or an entry of the operand stack.
struct Node {
  NodeKind kind = NodeKind::Constant;
  ValueKind type = ValueKind::I32;  ///< I32, I64, F32 or F64; references count as I64
  std::uint8_t hazard = 0;          ///< Hazard of the whole tree (handlers/pattern.hpp)
  bool reads_global = false;        ///< a Global leaf is in the tree
  bool uses_accumulator = false;    ///< an Accumulator leaf is in the tree
  bool on_stack = false;            ///< an entry of the operand stack: its home is there
  std::uint16_t operators = 0;      ///< inner nodes of the tree
  Operation operation = 0;
  NodeId children[3] = {no_node, no_node, no_node};
  std::uint32_t home = 0;           ///< slot for the value if it must be put down
  std::uint32_t reach = 0;          ///< highest slot of the operand stack that the tree reads, or 0
  std::uint32_t trap_offset = 0;    ///< module offset of the first instruction in the tree with an arithmetic hazard
  std::uint32_t memory_offset = 0;  ///< of the first one with a memory hazard
  std::uint64_t immediate = 0;      ///< constant bits, local index, offset of a load or global
  std::uint64_t locals = 0;         ///< bit x % 64 set: the tree reads local x

  bool is_leaf() const { return kind < NodeKind::Unary; }
  bool is_float() const { return type == ValueKind::F32 || type == ValueKind::F64; }
  unsigned child_count() const {
    switch (kind) {
      case NodeKind::Unary:
      case NodeKind::Load: return 1;
      case NodeKind::Binary: return 2;
      case NodeKind::Select: return 3;
      default: return 0;
    }
  }
};

/// Slots do not know references from integers.
constexpr ValueKind slot_kind(ValueType type) { return type.is_ref() ? ValueKind::I64 : type.kind(); }

constexpr std::uint64_t local_bit(std::uint64_t local) { return std::uint64_t{1} << (local % 64); }

}  // namespace tfvm::interpreter
