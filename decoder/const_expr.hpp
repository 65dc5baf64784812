// Constant expressions (section 3.4.12 of validation): where one ends, whether it is valid, and walking over it.
// Their evaluation needs values and lives in vm/.
#pragma once

#include <cstdint>

#include "decoder/instruction_reader.hpp"
#include "decoder/module.hpp"
#include "decoder/reader.hpp"

namespace tfvm {

/// Moves the reader behind the expression at its position and returns its range, the final `end` included.
/// Only well-formedness is looked at. Throws DecodeFailure.
ByteRange skip_expression(Reader& reader, const Module& module, FeatureSet features);

/// Validates the constant expression at the reader, up to and with its `end`, to produce one `expected`.
/// `visible_globals`: global.get may name globals below this index, if they are immutable.
/// Marks what it uses: features_used, and functions named by ref.func as declared. Throws DecodeFailure.
void validate_constant_expression(Reader& reader, Module& module, FeatureSet features, ValueType expected,
                                  std::uint32_t visible_globals);

/// Calls visit(const Instruction&) for each instruction of a validated constant expression, without its `end`.
/// For the items of an element segment, which stand one behind the other, call it `count` times with one reader.
template <class Visit>
void for_each_instruction(Reader& reader, const Module& module, Visit&& visit) {
  Instruction instruction;
  for (;;) {
    read_instruction(reader, module, FeatureSet::all(), instruction);  // validation has judged features
    if (instruction.op == Op::End) return;
    visit(instruction);
  }
}

/// The same for an expression given by its range: an initialiser or offset of the module.
template <class Visit>
void for_each_instruction(const Module& module, ByteRange expression, Visit&& visit) {
  Reader reader(module.bytes(), expression.offset, expression.offset + expression.size);
  for_each_instruction(reader, module, visit);
}

/// Calls visit(function_index) for each item of an element segment that holds no expressions.
/// REQUIRES: !segment.holds_expressions
template <class Visit>
void for_each_function_index(const Module& module, const ElementSegment& segment, Visit&& visit) {
  Reader reader(module.bytes(), segment.items.offset, segment.items.offset + segment.items.size);
  for (std::uint32_t i = 0; i < segment.count; ++i) visit(reader.u32());
}

}  // namespace tfvm
