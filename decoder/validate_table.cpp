// Typing rules of tables and element segments (section 3.4.6 of validation: table instructions).
#include "decoder/validate_code.hpp"

namespace tfvm {

const TableType& CodeValidator::table(std::uint32_t index) const {
  if (index >= module_.tables.size()) fail_unknown("table", index);
  return module_.tables[index].type;
}

const ElementSegment& CodeValidator::element(std::uint32_t index) const {
  if (index >= module_.elements.size()) fail_unknown("elem segment", index);
  return module_.elements[index];
}

void CodeValidator::apply_table_get() {
  const TableType& type = table(instruction_.index);
  pop(value_type(type.address_type));
  push(type.element);
}

void CodeValidator::apply_table_set() {
  const TableType& type = table(instruction_.index);
  pop(type.element);
  pop(value_type(type.address_type));
}

// [at i32 i32] -> []: offsets into segments are i32.
void CodeValidator::apply_table_init() {
  const TableType& type = table(instruction_.index2);
  const ElementSegment& segment = element(instruction_.index);
  if (!is_subtype_of(segment.type, type.element))
    fail_mismatch("elements of " + to_string(type.element), to_string(segment.type));
  pop(ValueKind::I32);
  pop(ValueKind::I32);
  pop(value_type(type.address_type));
}

// The length has the smaller of the two address types.
void CodeValidator::apply_table_copy() {
  const TableType& destination = table(instruction_.index);
  const TableType& source = table(instruction_.index2);
  if (!is_subtype_of(source.element, destination.element))
    fail_mismatch("elements of " + to_string(destination.element), to_string(source.element));
  const bool is_short = destination.address_type == AddressType::I32 || source.address_type == AddressType::I32;
  pop(is_short ? ValueKind::I32 : ValueKind::I64);
  pop(value_type(source.address_type));
  pop(value_type(destination.address_type));
}

void CodeValidator::apply_table_grow() {
  const TableType& type = table(instruction_.index);
  pop(value_type(type.address_type));
  pop(type.element);
  push(value_type(type.address_type));
}

void CodeValidator::apply_table_size() { push(value_type(table(instruction_.index).address_type)); }

void CodeValidator::apply_table_fill() {
  const TableType& type = table(instruction_.index);
  pop(value_type(type.address_type));
  pop(type.element);
  pop(value_type(type.address_type));
}

}  // namespace tfvm
