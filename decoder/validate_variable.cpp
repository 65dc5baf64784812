// Typing rules of locals, globals and select (sections 3.4.3, 3.4.4 of validation: parametric and variable
// instructions).
#include <algorithm>

#include "decoder/decode_types.hpp"
#include "decoder/validate_code.hpp"

namespace tfvm {

// REQUIRES: index < local_count_
ValueType CodeValidator::local_type(std::uint32_t index) const {
  if (index < locals_.size()) return locals_[index];
  return std::upper_bound(local_runs_.begin(), local_runs_.end(), index,
                          [](std::uint32_t local, const LocalRun& run) { return local < run.end; })
      ->type;
}

ValueType CodeValidator::checked_local(std::uint32_t index) const {
  if (index >= local_count_) fail_unknown("local", index);
  return local_type(index);
}

void CodeValidator::apply_local_get() {
  const ValueType type = checked_local(instruction_.index);
  const bool is_parameter = instruction_.index < function_->params.size();
  if (!type.is_defaultable() && !is_parameter &&
      (instruction_.index >= initialized_at_.size() || initialized_at_[instruction_.index] != epoch_))
    fail_invalid("uninitialized local " + std::to_string(instruction_.index));
  push(type);
}

void CodeValidator::apply_local_set(bool is_tee) {
  const ValueType type = checked_local(instruction_.index);
  pop(type);
  if (is_tee) push(type);
  if (!type.is_defaultable()) mark_initialized(instruction_.index);
}

void CodeValidator::mark_initialized(std::uint32_t local) {
  // Grows to the number of locals at most, once per module: the stamps of earlier functions are not cleared.
  if (local >= initialized_at_.size()) initialized_at_.resize(local_count_);
  if (initialized_at_[local] == epoch_) return;
  initialized_at_[local] = epoch_;
  initialized_.push_back(local);
}

void CodeValidator::apply_global_get() {
  if (instruction_.index >= module_.globals.size()) fail_unknown("global", instruction_.index);
  push(module_.globals[instruction_.index].type.value);
}

void CodeValidator::apply_global_set() {
  if (instruction_.index >= module_.globals.size()) fail_unknown("global", instruction_.index);
  const GlobalType& type = module_.globals[instruction_.index].type;
  if (!type.is_mutable) fail_invalid("immutable global " + std::to_string(instruction_.index));
  pop(type.value);
}

// Without a type: numbers and vectors only, both of the same type.
void CodeValidator::apply_select() {
  pop(ValueKind::I32);
  const ValueType second = pop_any();
  const ValueType first = pop_any();
  for (const ValueType type : {first, second})
    if (type.is_ref()) fail_mismatch("a number or vector", to_string(type));
  if (first != second && first.kind() != ValueKind::Bottom && second.kind() != ValueKind::Bottom)
    fail_mismatch(to_string(first), to_string(second));
  push(first.kind() == ValueKind::Bottom ? second : first);
}

void CodeValidator::apply_select_typed() {
  if (instruction_.label_count != 1)
    fail_invalid("invalid result arity: select of " + std::to_string(instruction_.label_count) + " types");
  const ValueType type = instruction_.type;
  features_used_.add(feature_of(type));
  pop(ValueKind::I32);
  pop(type);
  pop(type);
  push(type);
}

}  // namespace tfvm
