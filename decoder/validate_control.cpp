// Typing rules of blocks, branches and calls (sections 3.4.2 and 3.4.10 of validation: control instructions).
#include <algorithm>

#include "decoder/decode_types.hpp"
#include "decoder/limits.hpp"
#include "decoder/validate_code.hpp"

namespace tfvm {

void CodeValidator::fail_block_depth() const {
  fail(ErrorKind::Limit, "too many nested blocks: more than " + std::to_string(limits::block_depth),
       instruction_.offset);
}

// What follows cannot be reached: its operands may be of any type.
void CodeValidator::set_unreachable() {
  top_ = floor_;
  frames_.back().is_unreachable = true;
}

CodeValidator::Types CodeValidator::start_types(const ControlFrame& frame) const {
  if (&frame == frames_.data()) return {};
  return block_signature(module_, frame.block).params;
}

CodeValidator::Types CodeValidator::end_types(const ControlFrame& frame) const {
  if (&frame == frames_.data()) return function_->results;
  return block_signature(module_, frame.block).results;
}

// What a branch to `label` carries: to a loop its parameters, else the results of the block.
CodeValidator::Types CodeValidator::label_types(std::uint32_t label) const {
  if (label >= frames_.size()) fail_unknown("label", label);
  const ControlFrame& frame = frames_[frames_.size() - 1 - label];
  return frame.op == Op::Loop ? start_types(frame) : end_types(frame);
}

// The operands of the innermost block must be exactly its results.
void CodeValidator::check_results(const ControlFrame& frame) {
  pop_all(end_types(frame));
  if (top_ != floor_) fail_mismatch("the end of the block", to_string(top_[-1]) + " left on the stack");
}

void CodeValidator::forget_initialized(std::uint32_t height) {
  while (initialized_.size() > height) {
    initialized_at_[initialized_.back()] = 0;
    initialized_.pop_back();
  }
}

void CodeValidator::apply_block() {
  const BlockType block = instruction_.block;
  if (block.kind == BlockType::Kind::TypeIndex) features_used_.add(Feature::MultiValue);
  if (block.kind == BlockType::Kind::Value) features_used_.add(feature_of(block.value));
  if (instruction_.op == Op::If) pop(ValueKind::I32);
  const BlockSignature signature = block_signature(module_, block);
  pop_all(signature.params);
  push_frame(instruction_.op, block, instruction_.op == Op::Loop ? signature.params.size() : signature.results.size());
  push_all(signature.params);
}

void CodeValidator::apply_else() {
  ControlFrame& frame = frames_.back();
  if (frame.op != Op::If) fail_malformed("END opcode expected: else without if", instruction_.offset);
  check_results(frame);
  forget_initialized(frame.initialized_height);
  frame.op = Op::Else;
  frame.is_unreachable = false;
  push_all(start_types(frame));
}

void CodeValidator::apply_end() {
  const ControlFrame& frame = frames_.back();
  check_results(frame);
  const Types results = end_types(frame);
  if (frame.op == Op::If) {  // without else: the operands pass through
    const Types params = start_types(frame);
    if (!std::equal(params.begin(), params.end(), results.begin(), results.end(),
                    [this](ValueType param, ValueType result) { return is_subtype_of(param, result); }))
      fail_invalid("type mismatch: if without else must have the same parameters and results");
  }
  forget_initialized(frame.initialized_height);
  if (frames_.size() > 1) push_all(results);
  pop_frame();
}

void CodeValidator::apply_br() {
  check_top(label_types(instruction_.index));
  set_unreachable();
}

void CodeValidator::apply_br_if() {
  pop(ValueKind::I32);
  const Types types = label_types(instruction_.index);
  pop_all(types);
  push_all(types);
}

void CodeValidator::apply_br_table() {
  pop(ValueKind::I32);
  Reader labels = reader_;
  labels.seek(instruction_.labels_offset);
  std::size_t arity = 0;
  for (std::uint32_t i = 0; i <= instruction_.label_count; ++i) {
    const std::uint32_t label = labels.u32();
    if (label >= frames_.size()) fail_unknown("label", label);
    const std::uint16_t label_arity = frames_[frames_.size() - 1 - label].label_arity;
    if (i == 0) arity = label_arity;
    if (label_arity != arity)
      fail_mismatch("labels with " + std::to_string(arity) + " values", "one with " + std::to_string(label_arity));
    if (arity != 0) check_top(label_types(label));
  }
  set_unreachable();
}

void CodeValidator::apply_return() {
  check_top(function_->results);
  set_unreachable();
}

const FunctionType& CodeValidator::called_function() {
  if (instruction_.index >= module_.functions.size()) fail_unknown("function", instruction_.index);
  return module_.function_type(instruction_.index);
}

const FunctionType& CodeValidator::called_indirect() {
  const TableType& type = table(instruction_.index2);
  if (!is_subtype_of(type.element, funcref))
    fail_invalid("type mismatch: expected a table of funcref, found one of " + to_string(type.element));
  if (instruction_.index >= module_.types.size()) fail_unknown("type", instruction_.index);
  const DefinedType& callee = *module_.types[instruction_.index];
  if (!callee.is_function())
    fail_invalid("type mismatch: type " + std::to_string(instruction_.index) + " is no function type");
  if (instruction_.index2 != 0) features_used_.add(Feature::ReferenceTypes);
  pop(value_type(type.address_type));
  return callee.function();
}

const FunctionType& CodeValidator::called_reference() {
  if (instruction_.index >= module_.types.size()) fail_unknown("type", instruction_.index);
  const DefinedType& callee = *module_.types[instruction_.index];
  if (!callee.is_function())
    fail_invalid("type mismatch: type " + std::to_string(instruction_.index) + " is no function type");
  pop(ValueType::ref(true, HeapKind::Defined, callee.id));
  return callee.function();
}

void CodeValidator::apply_call(const FunctionType& type) {
  pop_all(type.params);
  push_all(type.results);
}

void CodeValidator::apply_return_call(const FunctionType& type) {
  pop_all(type.params);
  const bool fits =
      std::equal(type.results.begin(), type.results.end(), function_->results.begin(), function_->results.end(),
                 [this](ValueType sub, ValueType super) { return is_subtype_of(sub, super); });
  if (!fits)
    fail_invalid("type mismatch: results of the tail call " + to_string(type) + " are not those of the function");
  set_unreachable();
}

}  // namespace tfvm
