// Translator: blocks, branches and calls (WebAssembly 3.0, sections 4.6.8 to 4.6.10).
// At every label the operand stack lies in its slots and nothing is pending, so that all ways there agree.
#include <algorithm>
#include <unordered_map>
#include <utility>

#include "vm/translate/translator.hpp"

namespace tfvm::interpreter {
bool Translator::control(const Instruction& instruction) {
  switch (instruction.op) {
    case Op::Unreachable:
      lowering_.flush_hazards();
      operands_.clear();
      operands_.add(static_cast<std::uint32_t>(TrapKind::Unreachable));
      lowering_.special(&trap_always, operands_);
      dead_from_here();
      return true;
    case Op::Block: open_block(instruction, Block::Kind::Block); return true;
    case Op::Loop: open_block(instruction, Block::Kind::Loop); return true;
    case Op::If: open_block(instruction, Block::Kind::If); return true;
    case Op::Else: else_block(); return true;
    case Op::End: end_block(); return true;
    case Op::Br: branch(instruction.index); return true;
    case Op::BrIf: branch_if(instruction.index); return true;
    case Op::BrTable: branch_table(instruction); return true;
    case Op::Return:
      leave_function();
      dead_from_here();
      return true;
    case Op::BrOnNull:
    case Op::BrOnNonNull: branch_on_null(instruction); return true;
    case Op::Call:
    case Op::CallIndirect:
    case Op::CallRef: call(instruction); return true;
    case Op::ReturnCall:
    case Op::ReturnCallIndirect:
    case Op::ReturnCallRef: return_call(instruction); return true;
    default: return false;
  }
}

// ---- blocks

void Translator::bind(Label label) {
  lowering_.bind(label);
  // On some way here a pin may have been assigned since it was last put into its slot.
  dirty_integers_ = pins_.written_integers;
  dirty_floats_ = pins_.written_floats;
}

void Translator::push_all(std::span<const ValueType> types) {
  for (const ValueType type : types) lowering_.push_in_slot(slot_kind(type));
}

void Translator::open_block(const Instruction& instruction, Block::Kind kind) {
  const BlockSignature signature = block_signature(module_, instruction.block);
  const NodeId condition = kind == Block::Kind::If ? lowering_.pop() : no_node;
  lowering_.flush_all();
  Block block;
  block.kind = kind;
  block.base = lowering_.height() - static_cast<std::uint32_t>(signature.params.size());
  // A block type of one result has its type inside of the instruction, which is gone soon.
  block.params = signature.params;
  block.results = signature.results;
  if (instruction.block.kind == BlockType::Kind::Value) {
    block.own_result = instruction.block.value;
    block.has_own_result = true;
  }
  block.label = emitter_.new_label();
  if (kind == Block::Kind::If) {
    block.else_label = emitter_.new_label();
    lowering_.branch_if(condition, block.else_label, false);
  }
  if (kind == Block::Kind::Loop) bind(block.label);
  blocks_.push_back(block);
}

void Translator::else_block() {
  Block& block = blocks_.back();
  if (!dead_) {
    to_label(block);
    lowering_.branch(block.label);
  }
  dead_ = false;
  lowering_.reset(block.base);
  push_all(block.params);
  bind(block.else_label);
  block.else_label = no_label;
}

void Translator::end_block() {
  const Block block = blocks_.back();
  if (block.kind == Block::Kind::Body) {
    // Branches to the body's label return where they stand.
    if (!dead_) leave_function();
    blocks_.pop_back();
    dead_ = false;
    return;
  }
  if (!dead_ && block.kind != Block::Kind::Loop) to_label(block);
  if (dead_ || block.kind != Block::Kind::Loop) {
    lowering_.reset(block.base);
    push_all(block.result_types());
  }
  blocks_.pop_back();
  dead_ = false;
  if (block.kind == Block::Kind::Loop) return;
  if (block.else_label != no_label) bind(block.else_label);
  bind(block.label);
}

/// What follows cannot be reached until the block ends.
void Translator::dead_from_here() {
  dead_ = true;
  dead_depth_ = 0;
}

void Translator::skip_dead(const Instruction& instruction) {
  switch (instruction.op) {
    case Op::Block:
    case Op::Loop:
    case Op::If: ++dead_depth_; break;
    case Op::Else:
      if (dead_depth_ == 0) else_block();
      break;
    case Op::End:
      if (dead_depth_ == 0) end_block();
      else --dead_depth_;
      break;
    default: break;
  }
}

// ---- branches

/// The topmost entries are where the label expects them.
bool Translator::lies_at_label(const Block& block) const {
  return lowering_.height() == block.base + block.branch_arity();
}

/// Puts the values that a branch takes along where the label expects them. The entries stay, lying in their slots, if a
/// conditional branch was not taken.
void Translator::to_label(const Block& block) {
  const std::uint32_t count = block.branch_arity();
  lowering_.flush_hazards();
  lowering_.put_down(count);
  if (count == 0 || lies_at_label(block)) return;
  operands_.clear();
  operands_.add(lowering_.home(block.base) * 8);
  operands_.add(lowering_.home(lowering_.height() - count) * 8);
  operands_.add(count);
  lowering_.special(&move_slots, operands_);
}

void Translator::branch(std::uint32_t depth) {
  const Block& block = blocks_[blocks_.size() - 1 - depth];
  if (block.kind == Block::Kind::Body) {
    leave_function();
  } else {
    to_label(block);
    lowering_.branch(block.label);
  }
  dead_from_here();
}

void Translator::branch_if(std::uint32_t depth) {
  const NodeId condition = lowering_.pop();
  const Block& block = blocks_[blocks_.size() - 1 - depth];
  const bool is_body = block.kind == Block::Kind::Body;
  if (!is_body && (block.branch_arity() == 0 || lies_at_label(block))) {
    lowering_.put_down(block.branch_arity());
    lowering_.branch_if(condition, block.label, true);
    return;
  }
  lowering_.flush_all();
  const Label not_taken = emitter_.new_label();
  lowering_.branch_if(condition, not_taken, false);
  if (is_body) {
    leave_function_keeping_stack();
  } else {
    to_label(block);
    lowering_.branch(block.label);
  }
  const PinMask integers = dirty_integers_;
  const PinMask floats = dirty_floats_;
  bind(not_taken);
  // Only one way leads here, and it assigned nothing.
  dirty_integers_ = integers;
  dirty_floats_ = floats;
}

void Translator::branch_on_null(const Instruction& instruction) {
  // The reference stays on the stack of the way that knows it is not null, so it must lie in its slot.
  lowering_.put_down(1);
  const NodeId reference = lowering_.pop();
  const Label not_taken = emitter_.new_label();
  lowering_.flush_all();
  const NodeId zero = lowering_.constant(ValueKind::I64, 0);
  const NodeId is_null = lowering_.binary(operation(Op::I64Eq), ValueKind::I32, reference, zero);
  const bool on_null = instruction.op == Op::BrOnNull;
  lowering_.branch_if(is_null, not_taken, !on_null);
  const Block& block = blocks_[blocks_.size() - 1 - instruction.index];
  if (!on_null) lowering_.push_in_slot(ValueKind::I64);
  if (block.kind == Block::Kind::Body) {
    leave_function_keeping_stack();
  } else {
    to_label(block);
    lowering_.branch(block.label);
  }
  if (!on_null) lowering_.release(lowering_.pop());
  bind(not_taken);
  if (on_null) lowering_.push_in_slot(ValueKind::I64);
}

void Translator::branch_table(const Instruction& instruction) {
  const NodeId index = lowering_.pop();
  lowering_.flush_all();
  const bool in_slot = lowering_.is_in_slot(index);
  if (!in_slot) lowering_.to_accumulator(index);
  Reader labels(module_.bytes(), instruction.labels_offset, module_.bytes().size());
  operands_.clear();
  operands_.add(instruction.label_count);
  operands_.add(in_slot ? lowering_.slot_of(index) * 8 : 0);
  for (std::uint32_t i = 0; i <= instruction.label_count; ++i) operands_.add(std::uint64_t{0});
  lowering_.release(index);
  const std::uint32_t at =
      lowering_.special(in_slot ? &branch_table_slot : &branch_table_accumulator, operands_) + handler_bytes + 8;
  // Labels that need values moved, or that leave the function, get a stub each.
  std::vector<std::pair<std::uint32_t, Label>> stubs;
  std::unordered_map<std::uint32_t, Label> stub_of_depth;
  for (std::uint32_t i = 0; i <= instruction.label_count; ++i) {
    const std::uint32_t depth = labels.u32();
    const Block& block = blocks_[blocks_.size() - 1 - depth];
    Label target = block.label;
    if (block.kind == Block::Kind::Body || (block.branch_arity() != 0 && !lies_at_label(block))) {
      const auto [stub, is_new] = stub_of_depth.try_emplace(depth, no_label);
      if (is_new) {
        stub->second = emitter_.new_label();
        stubs.emplace_back(depth, stub->second);
      }
      target = stub->second;
    }
    emitter_.fix_up(at + 8 * i, target);
  }
  for (const auto& [depth, label] : stubs) {
    lowering_.bind(label);
    const Block& block = blocks_[blocks_.size() - 1 - depth];
    if (block.kind == Block::Kind::Body) {
      leave_function_keeping_stack();
    } else {
      to_label(block);
      lowering_.branch(block.label);
    }
  }
  dead_from_here();
}

// ---- leaving

/// Returns with the topmost entries, which are used up.
void Translator::leave_function() {
  if (results_.size() == 1) {
    lowering_.return_value(lowering_.pop());
    return;
  }
  leave_function_keeping_stack();
}

/// Returns with the topmost entries; they stay, lying in their slots. REQUIRES for one result: it lies in its slot.
void Translator::leave_function_keeping_stack() {
  const auto count = static_cast<std::uint32_t>(results_.size());
  lowering_.flush_hazards();
  lowering_.put_down(count);
  if (count == 0) return lowering_.return_void();
  if (count == 1) {
    const NodeId result = lowering_.pop();
    lowering_.return_value(result);
    lowering_.push_in_slot(slot_kind(results_[0]));
    return;
  }
  operands_.clear();
  operands_.add(lowering_.home(lowering_.height() - count) * 8);
  operands_.add(count);
  lowering_.special(&return_slots, operands_);
}

// ---- calls

void Translator::spill_pins() {
  const PinMask integers = dirty_integers_ & pins_.integer_mask;
  const PinMask floats = dirty_floats_ & pins_.float_mask;
  if ((integers | floats) == 0) return;
  operands_.clear();
  for (unsigned n = 0; n < integer_pins; ++n)
    if ((integers >> n & 1) != 0) operands_.add(pins_.integers[n] * 8);
  for (unsigned n = 0; n < float_pins; ++n)
    if ((floats >> n & 1) != 0) operands_.add(pins_.floats[n] * 8);
  lowering_.special(spill_handler(integers, floats), operands_);
  dirty_integers_ = dirty_floats_ = 0;
}

void Translator::reload_pins() {
  if ((pins_.integer_mask | pins_.float_mask) == 0) return;
  operands_.clear();
  for (const std::uint32_t local : pins_.integers)
    if (local != no_local) operands_.add(local * 8);
  for (const std::uint32_t local : pins_.floats)
    if (local != no_local) operands_.add(local * 8);
  lowering_.special(reload_handler(pins_.integer_mask, pins_.float_mask), operands_);
}

void Translator::push_results(const FunctionType& type) {
  if (type.results.size() == 1) lowering_.push_in_accumulator(slot_kind(type.results[0]));
  else push_all(type.results);
}

void Translator::call(const Instruction& instruction) {
  const bool direct = instruction.op == Op::Call;
  const DefinedType* callee_type =
      direct ? module_.functions[instruction.index].type : module_.types[instruction.index];
  const FunctionType& type = callee_type->function();
  const auto params = static_cast<std::uint32_t>(type.params.size());
  const NodeId callee = direct ? no_node : lowering_.pop();
  lowering_.flush_for_call(params);
  const std::uint32_t frame = lowering_.home(lowering_.height() - params) * 8;
  Handler handler = nullptr;
  if (direct) {
    spill_pins();
    operands_.clear();
    operands_.add(frame);
    if (instruction.index < module_.imported_functions) {
      handler = &call_import;
      operands_.add(instruction.index);
    } else {
      handler = &call_function;
      operands_.add(std::uint32_t{0});
      operands_.add(&variant_.functions[instruction.index - module_.imported_functions]);
    }
  } else {
    // A reference lies in a slot; an index may stay in the accumulator, which nothing touches before the call.
    const bool in_slot = instruction.op == Op::CallRef || lowering_.is_in_slot(callee);
    const std::uint32_t slot = in_slot ? lowering_.slot_of(callee) : 0;
    if (!in_slot) lowering_.to_accumulator(callee);
    spill_pins();
    operands_.clear();
    operands_.add(frame);
    if (instruction.op == Op::CallRef) {
      handler = &call_reference;
      operands_.add(slot * 8);
    } else {
      handler = in_slot ? &call_indirect_slot : &call_indirect_accumulator;
      operands_.add(instruction.index2);
      operands_.add(callee_type->id);
      operands_.add(slot * 8);
      operands_.add(callee_type);
    }
    lowering_.release(callee);
  }
  lowering_.special(handler, operands_);
  lowering_.drop_entries(params);
  reload_pins();
  push_results(type);
}

void Translator::return_call(const Instruction& instruction) {
  const bool direct = instruction.op == Op::ReturnCall;
  const DefinedType* callee_type =
      direct ? module_.functions[instruction.index].type : module_.types[instruction.index];
  const auto params = static_cast<std::uint32_t>(callee_type->function().params.size());
  const NodeId callee = direct ? no_node : lowering_.pop();
  lowering_.flush_hazards();
  lowering_.put_down(params);
  // The callee's slot must survive the move of the arguments: it is read before.
  const std::uint32_t slot = direct ? 0 : lowering_.slot_of(callee);
  operands_.clear();
  operands_.add(lowering_.home(lowering_.height() - params) * 8);
  operands_.add(params);
  Handler handler = nullptr;
  if (direct && instruction.index < module_.imported_functions) {
    handler = &return_call_import;
    operands_.add(instruction.index);
  } else if (direct) {
    handler = &return_call_function;
    operands_.add(&variant_.functions[instruction.index - module_.imported_functions]);
  } else if (instruction.op == Op::ReturnCallRef) {
    handler = &return_call_reference;
    operands_.add(slot * 8);
  } else {
    handler = &outcall_return_call_indirect;
    operands_.add(instruction.index2);
    operands_.add(slot * 8);
    operands_.add(callee_type);
  }
  lowering_.special(handler, operands_);
  lowering_.release(callee);
  dead_from_here();
}

}  // namespace tfvm::interpreter
