// The instructions by their spelling: the rows of opcodes.def, and those that are still missing there
// (missing_opcodes.def), with what the text format expects behind the name (WebAssembly 3.0, section 6.5).
#pragma once

#include <cstdint>
#include <string_view>

namespace tfvm::text {

/// What stands behind an instruction's name. The first part has the names of ImmediateKind.
enum class Operands : std::uint8_t {
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
  Vector,         ///< v128.const: a shape and its lanes
  Shuffle,        ///< sixteen lanes
  Lane,           ///< one lane
  MemargLane,     ///< memarg, then one lane
  StructField,    ///< a type and a field of it
  TypeCount,      ///< a type and a number
  TypeData,       ///< a type and a data segment
  TypeElement,    ///< a type and an element segment
  TypeType,       ///< two types
  ReferenceType,  ///< (ref null? ht); the code is one higher for null
  BranchOnCast,   ///< a label and two reference types
};

struct InstructionRow {
  std::string_view spelling;
  std::uint8_t prefix;  ///< 0: the code is the byte
  std::uint16_t code;
  Operands operands;
  std::uint8_t width;  ///< bytes of memory that it touches: its natural alignment
};

/// The row of an instruction; null: there is none. "else" and "end" are rows, "select" is the one with types.
const InstructionRow* find_instruction(std::string_view spelling);

}  // namespace tfvm::text
