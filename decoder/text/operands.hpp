// What stands behind the name of an instruction without a body: indices, constants, lanes, memory arguments
// (WebAssembly 3.0, section 6.5). Reads them and writes the whole instruction, opcode first.
#pragma once

#include "decoder/text/bytes.hpp"
#include "decoder/text/instruction_table.hpp"
#include "decoder/text/label_stack.hpp"
#include "decoder/text/module_scope.hpp"

namespace tfvm::text {

void put_opcode(std::uint8_t prefix, std::uint32_t code, Bytes& out);

/// Writes the instruction `row`, whose name the stream is behind. REQUIRES: row has no block type.
void put_plain_instruction(TokenStream& stream, const InstructionRow& row, ModuleScope& scope, const NameSpace& locals,
                           const LabelStack& labels, Bytes& out);

/// The number of an atom, for i32.const and its like; fails with "constant out of range".
/// `bits` is 8, 16, 32 or 64.
std::uint64_t integer_constant(TokenStream& stream, unsigned bits);
std::uint64_t float_constant(TokenStream& stream, unsigned bits);

/// A shape's width of a lane and number of lanes.
struct Shape {
  unsigned bits = 0;
  unsigned lanes = 0;
  bool is_float = false;
};
/// Reads "i8x16", ...
Shape shape(TokenStream& stream);

}  // namespace tfvm::text
