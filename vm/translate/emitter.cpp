// Emitter, see emitter.hpp.
#include "vm/translate/emitter.hpp"

namespace tfvm::interpreter {

void Emitter::clear() {
  code_.clear();
  labels_.clear();
  fix_ups_.clear();
  positions_.clear();
}

std::uint32_t Emitter::instruction(Handler handler, const Operands& operands, std::uint32_t module_offset,
                                   std::uint32_t memory_offset) {
  const std::uint32_t at = size();
  code_.resize(at + instruction_bytes(operands.size()));
  std::memcpy(code_.data() + at, &handler, sizeof handler);
  if (operands.size() != 0) std::memcpy(code_.data() + at + handler_bytes, operands.data(), operands.size());
  positions_.push_back({at, module_offset, memory_offset});
  return at;
}

Label Emitter::new_label() {
  labels_.push_back(UINT32_MAX);
  return static_cast<Label>(labels_.size() - 1);
}

void Emitter::place(Byte* code) const {
  std::memcpy(code, code_.data(), code_.size());
  for (const FixUp& fix_up : fix_ups_) {
    const Byte* target = code + labels_[fix_up.label];
    std::memcpy(code + fix_up.at, &target, sizeof target);
  }
}

}  // namespace tfvm::interpreter
