// Validation of function bodies: the algorithm of the standard's appendix, with an operand stack and a control stack.
// Instructions with a fixed signature are typed by opcodes.def; the others by the rules here, one file per family:
// validate_control.cpp, _variable, _memory, _table, _reference. Internal to decoder/.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "decoder/instruction_reader.hpp"
#include "decoder/limits.hpp"
#include "decoder/module.hpp"
#include "decoder/reader.hpp"

namespace tfvm {

/// The signature of a row of opcodes.def, parsed.
struct OpSignature {
  static constexpr std::size_t max_params = 3;
  std::uint8_t param_count = 0;
  std::uint8_t result_count = 0;
  bool is_rule = false;  ///< "*": the typing rule is code
  ValueType params[max_params];
  ValueType result;
  std::uint8_t address_params = 0;  ///< bit i: params[i] is the address type of the memory
  bool has_address_result = false;
};

/// Parses the signature column of opcodes.def; a mistake there does not compile.
consteval OpSignature parse_signature(std::string_view text) {
  OpSignature signature;
  if (text == "*") {
    signature.is_rule = true;
    return signature;
  }
  bool is_result = false;
  for (const char letter : text) {
    if (letter == ':') {
      is_result = true;
      continue;
    }
    ValueType type;
    switch (letter) {
      case 'i':
      case 'a': type = ValueKind::I32; break;
      case 'I': type = ValueKind::I64; break;
      case 'f': type = ValueKind::F32; break;
      case 'F': type = ValueKind::F64; break;
      default: throw "opcodes.def: unknown letter in a signature";
    }
    if (is_result) {
      if (signature.result_count++ != 0) throw "opcodes.def: more than one result";
      signature.result = type;
      signature.has_address_result = letter == 'a';
    } else {
      if (signature.param_count == OpSignature::max_params) throw "opcodes.def: too many operands";
      if (letter == 'a')
        signature.address_params = static_cast<std::uint8_t>(signature.address_params | 1u << signature.param_count);
      signature.params[signature.param_count++] = type;
    }
  }
  if (!is_result) throw "opcodes.def: a signature needs a colon";
  return signature;
}

/// Plain applies the rules alone. Fast first tries the shortcuts of validate_fast.cpp, with the same verdicts.
enum class ValidationPath : std::uint8_t { Fast, Plain };

/// validate_module of module.hpp, by a path of the caller's choice: for tests that compare the two.
Result<Done> validate_module(Module& module, FeatureSet features, ValidationPath path);

/// Validates the bodies of one module, one after the other, in the same buffers. Not thread-safe.
class CodeValidator {
 public:
  /// `module` must be valid in all but its bodies. Features of instructions are added to `features_used`.
  CodeValidator(const Module& module, FeatureSet features, FeatureSet& features_used,
                ValidationPath path = ValidationPath::Fast);

  /// Throws DecodeFailure: Invalid, Malformed, Unsupported or Limit. Linear in the size of the body.
  /// REQUIRES: function_index is no import.
  void validate(std::uint32_t function_index);

 private:
  using Types = std::span<const ValueType>;

  /// An open block. Its operands are those above `height`.
  struct ControlFrame {
    Op op = Op::Block;  ///< Block, Loop, If, Else; Block for the function itself
    bool is_unreachable = false;
    std::uint16_t label_arity = 0;  ///< values that a branch here carries
    std::uint32_t height = 0;
    std::uint32_t initialized_height = 0;  ///< of initialized_
    BlockType block;                       ///< of a function: unused
  };

  /// A run of equal locals; `end` is the index behind the last.
  struct LocalRun {
    std::uint32_t end;
    ValueType type;
  };

  // The loop over the instructions of a body.
  void read_locals(Types params);
  void run();
  void run_fast();
  ValueType* call_fast(std::uint32_t function_index, ValueType* top) const;
  void step();
  void apply_signature(const OpSignature& signature);
  void apply_rule();

  // Operands. pop(expected) and pop_any() give Bottom below the operands of unreachable code.
  void push(ValueType type) {
    if (top_ == limit_) [[unlikely]]
      make_room(1);
    *top_++ = type;
  }
  ValueType pop(ValueType expected) {
    if (top_ != floor_ && top_[-1] == expected) [[likely]]
      return *--top_;
    return pop_slow(expected);
  }
  ValueType pop_any();
  ValueType pop_reference();
  ValueType pop_slow(ValueType expected);
  void pop_all(Types types);
  void push_all(Types types);
  void make_room(std::size_t more);
  void check_top(Types types);
  bool is_subtype_of(ValueType sub, ValueType super) const;

  // Blocks.
  void push_frame(Op op, const BlockType& block, std::size_t label_arity) {
    if (frames_.size() > limits::block_depth) [[unlikely]]
      fail_block_depth();
    ControlFrame frame;
    frame.op = op;
    frame.label_arity = static_cast<std::uint16_t>(label_arity);
    frame.height = static_cast<std::uint32_t>(top_ - operands_.data());
    frame.initialized_height = static_cast<std::uint32_t>(initialized_.size());
    frame.block = block;
    frames_.push_back(frame);
    floor_ = top_;
  }
  [[noreturn]] void fail_block_depth() const;
  void set_floor() { floor_ = operands_.data() + frames_.back().height; }
  void pop_frame() {
    frames_.pop_back();
    if (!frames_.empty()) set_floor();
  }
  void set_unreachable();
  void check_results(const ControlFrame& frame);
  Types start_types(const ControlFrame& frame) const;
  Types end_types(const ControlFrame& frame) const;
  Types label_types(std::uint32_t label) const;
  void forget_initialized(std::uint32_t height);

  // Control instructions.
  void apply_block();
  void apply_else();
  void apply_end();
  void apply_br();
  void apply_br_if();
  void apply_br_table();
  void apply_return();
  void apply_call(const FunctionType& type);
  void apply_return_call(const FunctionType& type);
  const FunctionType& called_function();
  const FunctionType& called_indirect();
  const FunctionType& called_reference();

  // Variables and parametric instructions.
  ValueType local_type(std::uint32_t index) const;
  ValueType checked_local(std::uint32_t index) const;
  void apply_local_get();
  void apply_local_set(bool is_tee);
  void mark_initialized(std::uint32_t local);
  void apply_global_get();
  void apply_global_set();
  void apply_select();
  void apply_select_typed();

  // Memories.
  void check_memarg(const OpInfo& row);
  ValueType memory_address(std::uint32_t memory) const;
  ValueType named_address(const OpInfo& row) const;
  void apply_memory_copy();
  void check_data(std::uint32_t index) const;

  // Tables.
  const TableType& table(std::uint32_t index) const;
  const ElementSegment& element(std::uint32_t index) const;
  void apply_table_get();
  void apply_table_set();
  void apply_table_init();
  void apply_table_copy();
  void apply_table_grow();
  void apply_table_size();
  void apply_table_fill();

  // References.
  void apply_ref_null();
  void apply_ref_is_null();
  void apply_ref_func();
  void apply_ref_eq();
  void apply_ref_as_non_null();
  void apply_br_on_null();
  void apply_br_on_non_null();

  // Failures at the current instruction.
  [[noreturn]] void fail_invalid(std::string message) const;
  [[noreturn]] void fail_mismatch(const std::string& expected, const std::string& found) const;
  [[noreturn]] void fail_unknown(const char* what, std::uint32_t index) const;

  const Module& module_;
  FeatureSet features_;
  FeatureSet& features_used_;
  ValidationPath path_;

  const FunctionType* function_ = nullptr;
  Reader reader_;
  Instruction instruction_;  ///< the current one

  std::vector<ValueType> operands_;  ///< all of it is room; top_ says what is in use
  ValueType* floor_ = nullptr;       ///< first operand of the innermost block
  ValueType* top_ = nullptr;
  ValueType* limit_ = nullptr;
  std::vector<ControlFrame> frames_;

  std::uint32_t local_count_ = 0;
  std::vector<ValueType> locals_;              ///< types of the first locals, as many as the body pays for
  std::vector<LocalRun> local_runs_;           ///< all locals
  std::vector<std::uint32_t> initialized_at_;  ///< by local: equals epoch_ if a non-defaultable local has its value
  std::vector<std::uint32_t> initialized_;     ///< those locals, in the order of their first local.set
  std::uint32_t epoch_ = 0;                    ///< counts functions
  bool has_plain_memory_ = false;              ///< memory 0 exists and has i32 addresses
};

/// The parsed signature of an instruction.
const OpSignature& signature_of(Op op);

}  // namespace tfvm
