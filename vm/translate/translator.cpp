// Translator: the walk over a body. See translator.hpp.
#include "vm/translate/translator.hpp"

#include <algorithm>

#include "vm/function_body.hpp"

namespace tfvm::interpreter {
void Translator::translate(std::uint32_t function_index) {
  translate_body(function_index, Lowering::few_temporaries);
  if (lowering_.ran_out()) translate_body(function_index, Lowering::most_temporaries);
}

/// Reads the local declarations; returns the offset of the first instruction.
std::uint32_t Translator::read_locals(std::uint32_t function_index) {
  const Function& function = module_.functions[function_index];
  locals_.clear();
  for (const ValueType type : function.type->function().params) locals_.push_back(slot_kind(type));
  Reader reader = body_reader(module_, function_index);
  read_local_declarations(reader, [&](std::uint32_t count, std::uint8_t type) {
    static constexpr ValueKind numbers[] = {ValueKind::F64, ValueKind::F32, ValueKind::I64, ValueKind::I32};
    const bool is_number = type <= 0x7f && type >= 0x7c;  // else a reference
    locals_.insert(locals_.end(), count, is_number ? numbers[type - 0x7c] : ValueKind::I64);
  });
  return reader.offset();
}

/// Starts the frame: charges the first region, zeroes what is no parameter, fills the pinned registers.
void Translator::emit_enter(std::uint32_t params, std::uint32_t body) {
  const auto zeroes = static_cast<std::uint32_t>(locals_.size()) - params;
  if (zeroes == 0 && pins_.integer_mask == 0 && pins_.float_mask == 0) return;
  const bool charges = !fuel_.empty() && fuel_[0].offset == body;
  operands_.clear();
  operands_.add(params * 8);
  operands_.add(zeroes);
  if (charges) operands_.add(fuel_[next_fuel_++].cost);
  for (const std::uint32_t local : pins_.integers)
    if (local != no_local) operands_.add(local * 8);
  for (const std::uint32_t local : pins_.floats)
    if (local != no_local) operands_.add(local * 8);
  lowering_.special(enter_handler(zeroes != 0, charges, pins_.integer_mask, pins_.float_mask), operands_);
}

void Translator::charge(std::uint32_t offset) {
  while (next_fuel_ < fuel_.size() && fuel_[next_fuel_].offset < offset) ++next_fuel_;
  if (next_fuel_ == fuel_.size() || fuel_[next_fuel_].offset != offset) return;
  lowering_.flush_hazards();  // they belong to the block before
  operands_.clear();
  operands_.add(fuel_[next_fuel_].cost);
  lowering_.special(&charge_fuel, operands_);
}

void Translator::translate_body(std::uint32_t function_index, std::uint32_t temporaries) {
  const Function& function = module_.functions[function_index];
  const FunctionType& type = function.type->function();
  emitter_.clear();
  blocks_.clear();
  dead_ = false;
  results_ = type.results;
  const std::uint32_t body = read_locals(function_index);
  pins_ = choose_pins(module_, function_index, locals_, body);
  dirty_integers_ = dirty_floats_ = 0;
  std::vector<std::uint8_t> registers(locals_.size());
  for (unsigned n = 0; n < integer_pins; ++n)
    if (pins_.integers[n] != no_local) registers[pins_.integers[n]] = static_cast<std::uint8_t>(n + 1);
  for (unsigned n = 0; n < float_pins; ++n)
    if (pins_.floats[n] != no_local) registers[pins_.floats[n]] = static_cast<std::uint8_t>(n + 1);
  lowering_.start(locals_, std::move(registers), temporaries, variant_.key.counts_fuel);
  lowering_.need_slots(static_cast<std::uint32_t>(std::max(type.params.size(), type.results.size())));
  fuel_.clear();
  next_fuel_ = 0;
  if (variant_.key.counts_fuel) fuel_ = fuel_regions(module_, function_index);

  lowering_.set_position(body);
  emit_enter(static_cast<std::uint32_t>(type.params.size()), body);
  Block body_block;
  body_block.kind = Block::Kind::Body;
  body_block.results = type.results;
  blocks_.push_back(body_block);

  Reader reader(module_.bytes(), body, function.body.offset + function.body.size);
  Instruction next;
  while (!blocks_.empty()) {
    read_instruction(reader, module_, module_.features_used, next);
    if (dead_) {
      skip_dead(next);
      continue;
    }
    lowering_.set_position(next.offset);
    lowering_.limit_pending();
    charge(next.offset);
    instruction(next);
  }
  lowering_.fuse_charges();
}

void Translator::instruction(const Instruction& instruction) {
  if (control(instruction)) return;
  switch (info(instruction.op).immediate) {
    case ImmediateKind::Local:
    case ImmediateKind::Global: return variable(instruction);
    case ImmediateKind::Memarg: return memory_access(instruction);
    case ImmediateKind::Memory:
    case ImmediateKind::MemoryMemory:
    case ImmediateKind::DataMemory:
    case ImmediateKind::Data: return memory(instruction);
    case ImmediateKind::Table:
    case ImmediateKind::TableTable:
    case ImmediateKind::ElementTable:
    case ImmediateKind::Element: return table(instruction);
    case ImmediateKind::I32: return lowering_.push(lowering_.constant(ValueKind::I32, instruction.value));
    case ImmediateKind::I64: return lowering_.push(lowering_.constant(ValueKind::I64, instruction.value));
    case ImmediateKind::F32: return lowering_.push(lowering_.constant(ValueKind::F32, instruction.value));
    case ImmediateKind::F64: return lowering_.push(lowering_.constant(ValueKind::F64, instruction.value));
    default: break;
  }
  switch (instruction.op) {
    case Op::Drop: return lowering_.drop(lowering_.pop());
    case Op::Select:
    case Op::SelectTyped: return select();
    case Op::RefNull:
    case Op::RefIsNull:
    case Op::RefFunc:
    case Op::RefAsNonNull: return reference(instruction);
    case Op::Nop: return;
    default: return numeric(instruction);
  }
}

}  // namespace tfvm::interpreter
