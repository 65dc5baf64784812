// Instructions, flat and folded, to bytes (WebAssembly 3.0, section 6.5). Blocks may be nested as deep as a text is
// long: what is open stands on a stack of its own, never on the native one.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "decoder/text/bytes.hpp"
#include "decoder/text/instruction_table.hpp"
#include "decoder/text/label_stack.hpp"
#include "decoder/text/module_scope.hpp"

namespace tfvm::text {

class InstructionParser {
 public:
  /// `scope` and `locals` must outlive the parser.
  InstructionParser(TokenStream& stream, ModuleScope& scope, const NameSpace& locals)
      : stream_(stream), scope_(scope), locals_(locals) {}

  /// instr*, up to the closing parenthesis of what they stand in, which is left. Without the end opcode.
  void sequence(Bytes& out) { run(out, false); }
  /// One folded instruction.
  void folded(Bytes& out) { run(out, true); }

 private:
  enum class FrameKind : std::uint8_t {
    Plain,      ///< (op ...): its operands come before it
    Block,      ///< (block ...), (loop ...), (try_table ...)
    Condition,  ///< (if ... before (then
    Then,       ///< inside of (then ...)
    AfterThen,
    Else,  ///< inside of (else ...)
    AfterElse,
    FlatBlock,  ///< block ... end, loop ... end, try_table ... end
    FlatIf,     ///< if ... (else ...)? end
    FlatElse,   ///< behind else
  };
  struct Frame {
    FrameKind kind;
    std::size_t pending;                    ///< Plain, Condition: where its bytes begin in pending_
    std::optional<std::string> label = {};  ///< Condition: comes into force with (then
  };

  void run(Bytes& out, bool is_one);
  void open();
  void open_folded(const InstructionRow& row);
  void close();
  void flat();
  void flat_block(const InstructionRow& row);
  void flat_else();
  void flat_end();
  void repeat_label();
  /// Opcode, block type and catch clauses into `out`.
  void block_head(const InstructionRow& row, Bytes& out);
  void catches(Bytes& out);
  const InstructionRow& instruction();
  bool takes_flat() const;

  TokenStream& stream_;
  ModuleScope& scope_;
  const NameSpace& locals_;
  Bytes* out_ = nullptr;
  Bytes pending_;
  std::vector<Frame> frames_;
  LabelStack labels_;
};

}  // namespace tfvm::text
