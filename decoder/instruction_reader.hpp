// Reads one instruction: opcode and immediates, by the immediate kind of opcodes.def (section 5.4).
// Used by validator, translator, oracle, constant expressions and disassembler.
#pragma once

#include <cstdint>
#include <span>

#include "decoder/module.hpp"
#include "decoder/opcodes.hpp"
#include "decoder/reader.hpp"

namespace tfvm {

/// A block type (section 5.4.1): empty, one result, or a function type by index.
struct BlockType {
  enum class Kind : std::uint8_t { Empty, Value, TypeIndex } kind = Kind::Empty;
  ValueType value;
  std::uint32_t type_index = 0;
};

/// One decoded instruction. Which fields mean something is said by info(op).immediate.
struct Instruction {
  Op op = Op::Nop;
  std::uint32_t offset = 0;  ///< of the opcode, in the module
  std::uint32_t index = 0;   ///< label, function, type, local, global, table, memory, data, element; first of a pair:
                             ///< TypeTable (type), TableTable/MemoryMemory (destination), ElementTable (element),
                             ///< DataMemory (data); memarg: the memory
  std::uint32_t index2 = 0;  ///< second of a pair: table, source, memory
  std::uint64_t value = 0;   ///< constant as bits (i32 zero-extended), or memarg offset
  std::uint32_t align = 0;   ///< memarg: exponent
  BlockType block;
  ValueType type;                   ///< HeapType: (ref null ht); SelectTypes: the type, if label_count == 1
  std::uint32_t label_count = 0;    ///< LabelTable: labels without the default; SelectTypes: number of types
  std::uint32_t labels_offset = 0;  ///< LabelTable: where the label_count + 1 labels start
};

/// Reads the instruction at the reader's position into `out`.
/// Throws DecodeFailure: malformed, or Unsupported for an opcode of a feature outside `features`.
/// The reader ends behind the immediates (for LabelTable: behind all labels).
void read_instruction(Reader& reader, const Module& module, FeatureSet features, Instruction& out);

/// The parts of read_instruction for the commonest immediates. read_memarg sets index, align and value of `out`.
void read_block_type(Reader& reader, const Module& module, FeatureSet features, BlockType& out);
void read_memarg(Reader& reader, Instruction& out);

/// The function type that a block type stands for, as spans that live as long as the module (or `out.block`).
struct BlockSignature {
  std::span<const ValueType> params;
  std::span<const ValueType> results;
};
BlockSignature block_signature(const Module& module, const BlockType& type);

}  // namespace tfvm
