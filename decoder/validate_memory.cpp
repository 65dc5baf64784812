// Typing rules of memories and data segments (section 3.4.7 of validation: memory instructions).
#include "decoder/validate_code.hpp"

namespace tfvm {

ValueType CodeValidator::memory_address(std::uint32_t memory) const {
  if (memory >= module_.memories.size()) fail_unknown("memory", memory);
  return value_type(module_.memories[memory].address_type);
}

// The address type of the memory that the immediate names.
ValueType CodeValidator::named_address(const OpInfo& row) const {
  return memory_address(row.immediate == ImmediateKind::DataMemory ? instruction_.index2 : instruction_.index);
}

void CodeValidator::check_memarg(const OpInfo& row) {
  const ValueType address = memory_address(instruction_.index);
  if (instruction_.align > 31 || (std::uint64_t{1} << instruction_.align) > row.width)
    fail_invalid("alignment must not be larger than natural: 2^" + std::to_string(instruction_.align) + " for " +
                 std::to_string(row.width) + " bytes");
  if (address == ValueType(ValueKind::I32) && instruction_.value > UINT32_MAX)
    fail_invalid("offset out of range: " + std::to_string(instruction_.value));
}

void CodeValidator::check_data(std::uint32_t index) const {
  if (!module_.data_count) fail_malformed("data count section required", instruction_.offset);
  if (index >= *module_.data_count) fail_unknown("data segment", index);
}

// The length has the smaller of the two address types.
void CodeValidator::apply_memory_copy() {
  const ValueType destination = memory_address(instruction_.index);
  const ValueType source = memory_address(instruction_.index2);
  const ValueType i32 = ValueKind::I32;
  pop(destination == i32 || source == i32 ? i32 : destination);
  pop(source);
  pop(destination);
}

}  // namespace tfvm
