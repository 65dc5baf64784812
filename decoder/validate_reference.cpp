// Typing rules of references (section 3.4.5 of validation: reference instructions; 3.4.2 for the branches on null).
#include "decoder/decode_types.hpp"
#include "decoder/validate_code.hpp"

namespace tfvm {
namespace {

constexpr ValueType bottom_reference = ValueType::ref(false, HeapKind::Bottom);

}  // namespace

// Any reference; the reference below all of them in unreachable code.
ValueType CodeValidator::pop_reference() {
  const ValueType found = pop_any();
  if (found.kind() == ValueKind::Bottom) return bottom_reference;
  if (!found.is_ref()) fail_mismatch("a reference", to_string(found));
  return found;
}

void CodeValidator::apply_ref_null() {
  features_used_.add(feature_of(instruction_.type));
  push(instruction_.type);
}

void CodeValidator::apply_ref_is_null() {
  pop_reference();
  push(ValueKind::I32);
}

void CodeValidator::apply_ref_func() {
  if (instruction_.index >= module_.functions.size()) fail_unknown("function", instruction_.index);
  const Function& function = module_.functions[instruction_.index];
  if (!function.is_declared) fail_invalid("undeclared function reference " + std::to_string(instruction_.index));
  push(ValueType::ref(false, HeapKind::Defined, function.type->id));
}

void CodeValidator::apply_ref_eq() {
  pop(ValueType::ref(true, HeapKind::Eq));
  pop(ValueType::ref(true, HeapKind::Eq));
  push(ValueKind::I32);
}

void CodeValidator::apply_ref_as_non_null() { push(pop_reference().with_nullable(false)); }

// [t* (ref null ht)] -> [t* (ref ht)], where the label takes t*.
void CodeValidator::apply_br_on_null() {
  const ValueType reference = pop_reference();
  const Types types = label_types(instruction_.index);
  pop_all(types);
  push_all(types);
  push(reference.with_nullable(false));
}

// [t* (ref null ht)] -> [t*], where the label takes t* (ref ht).
void CodeValidator::apply_br_on_non_null() {
  const ValueType reference = pop_reference();
  const Types types = label_types(instruction_.index);
  if (types.empty()) fail_mismatch("a label that takes a reference", "one without values");
  const ValueType last = types.back();
  if (!is_subtype_of(reference.with_nullable(false), last)) fail_mismatch(to_string(last), to_string(reference));
  const Types others = types.first(types.size() - 1);
  pop_all(others);
  push_all(others);
}

}  // namespace tfvm
