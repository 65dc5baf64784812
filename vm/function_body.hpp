// What readers of validated code share: the head of a function body (section 5.5.13), and which code is reached.
#pragma once

#include <cstdint>

#include "decoder/instruction_reader.hpp"
#include "decoder/module.hpp"
#include "decoder/reader.hpp"

namespace tfvm {

/// Moves the reader behind the local declarations at its position. Calls visit(count, type) for each, where `type` is
/// the first byte of the type's encoding (section 5.3.4). REQUIRES: the body was validated.
template <class Visit>
void read_local_declarations(Reader& reader, Visit&& visit) {
  constexpr std::uint8_t nullable_reference = 0x63;
  constexpr std::uint8_t reference = 0x64;
  for (std::uint32_t entries = reader.u32(); entries > 0; --entries) {
    const std::uint32_t count = reader.u32();
    const std::uint8_t type = reader.byte();
    if (type == nullable_reference || type == reference) reader.s33();
    visit(count, type);
  }
}

/// Moves the reader behind the local declarations at its position; returns how many locals they declare.
inline std::uint32_t skip_local_declarations(Reader& reader) {
  std::uint32_t locals = 0;
  read_local_declarations(reader, [&](std::uint32_t count, std::uint8_t) { locals += count; });
  return locals;
}

/// Follows a body to tell what is reached: nothing behind an instruction that always leaves, up to the `else` or `end`
/// of its block.
class LiveCode {
 public:
  /// Call for every instruction, in order. False: it is in dead code. The `else` or `end` that makes code live again
  /// counts as reached; revived() tells it from others.
  bool reaches(const Instruction& instruction) {
    revived_ = false;
    if (!is_dead_) {
      is_dead_ = always_leaves(instruction.op);
      return true;
    }
    if (instruction.op == Op::Block || instruction.op == Op::Loop || instruction.op == Op::If) ++dead_blocks_;
    if (instruction.op != Op::Else && instruction.op != Op::End) return false;
    if (dead_blocks_ == 0) {
      is_dead_ = false;
      revived_ = true;
      return true;
    }
    if (instruction.op == Op::End) --dead_blocks_;
    return false;
  }
  bool revived() const { return revived_; }

  static bool always_leaves(Op op) {
    switch (op) {
      case Op::Unreachable:
      case Op::Br:
      case Op::BrTable:
      case Op::Return:
      case Op::ReturnCall:
      case Op::ReturnCallIndirect:
      case Op::ReturnCallRef: return true;
      default: return false;
    }
  }

 private:
  bool is_dead_ = false;
  bool revived_ = false;
  std::uint32_t dead_blocks_ = 0;  ///< opened in dead code
};

/// A reader of the body of a function with code. REQUIRES: not an import.
inline Reader body_reader(const Module& module, std::uint32_t function_index) {
  const ByteRange body = module.functions[function_index].body;
  return Reader(module.bytes(), body.offset, std::size_t{body.offset} + body.size);
}

/// Every feature: what reads validated code does not judge again.
constexpr FeatureSet all_features() {
  FeatureSet features;
  for (std::size_t i = 0; i < feature_count; ++i) features.add(static_cast<Feature>(i));
  return features;
}

}  // namespace tfvm
