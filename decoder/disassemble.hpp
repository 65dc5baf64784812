// Text of instructions and functions, from opcodes.def, in the notation of the text format (chapter 6).
// For traces, listings and tests; what it prints is not meant to be assembled again.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <unordered_map>

#include "decoder/instruction_reader.hpp"
#include "decoder/module.hpp"
#include "decoder/name_section.hpp"

namespace tfvm {

/// One line of a listing.
struct DisassemblyLine {
  std::uint32_t offset;  ///< of the instruction, in the module
  std::uint32_t depth;   ///< enclosing blocks
  std::string text;
};

/// Disassembles one module, which must outlive it. Does not need validated code.
class Disassembler {
 public:
  explicit Disassembler(const Module& module);

  /// "i32.load offset=8 align=4", "call 3 ;; name". Names are printable.
  std::string instruction(const Instruction& instruction) const;

  /// "func 3 'name' (i32) -> (i64)"
  std::string function_header(std::uint32_t function_index) const;

  /// Calls emit for the locals and then for each instruction of a function. Linear in the body.
  /// Errors: Malformed or Unsupported bodies, after the lines before the fault; Invalid for an index without a body.
  Result<Done> function(std::uint32_t function_index, const std::function<void(const DisassemblyLine&)>& emit) const;

 private:
  std::string type_text(ValueType type) const;
  std::string block_text(const BlockType& block) const;
  std::string labels_text(const Instruction& instruction) const;
  std::string memarg_text(const Instruction& instruction) const;
  std::string immediates(const Instruction& instruction) const;
  std::string function_name(std::uint32_t function_index) const;

  const Module& module_;
  NameSection names_;
  std::unordered_map<TypeId, std::uint32_t> type_indices_;  ///< the first index of each canonical type
};

}  // namespace tfvm
