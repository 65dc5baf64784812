// Comparison of bits; NaN patterns as the core specification's test suite defines them.
#include "spectests/match.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

namespace tfvm::spectests {

namespace {

struct FloatFormat {
  std::uint64_t quiet_bits;    ///< exponent and topmost payload bit
  std::uint64_t payload_bits;  ///< below the topmost one
};
constexpr FloatFormat f32_format = {0x7fc0'0000, 0x003f'ffff};
constexpr FloatFormat f64_format = {0x7ff8'0000'0000'0000, 0x0007'ffff'ffff'ffff};

bool is_nan(const Pattern& pattern, std::uint64_t bits) {
  const FloatFormat& format = pattern.value.type.kind() == ValueKind::F32 ? f32_format : f64_format;
  if ((bits & format.quiet_bits) != format.quiet_bits) return false;
  return pattern.kind == Pattern::Kind::ArithmeticNan || (bits & format.payload_bits) == 0;
}

/// A reference type fits a broader or narrower one: scripts say funcref where a module says (ref $t).
bool same_kind(ValueType left, ValueType right) {
  if (left.kind() != right.kind()) return false;
  const bool left_is_external = left.heap() == HeapKind::Extern || left.heap() == HeapKind::NoExtern;
  const bool right_is_external = right.heap() == HeapKind::Extern || right.heap() == HeapKind::NoExtern;
  return !left.is_ref() || left_is_external == right_is_external;
}

std::string hexadecimal(std::uint64_t bits) {
  std::array<char, 24> text;
  std::snprintf(text.data(), text.size(), "0x%llx", static_cast<unsigned long long>(bits));
  return text.data();
}

std::string describe(const Value& value) {
  std::string text = to_string(value.type) + ":";
  switch (value.type.kind()) {
    case ValueKind::I32: return text + std::to_string(value.slot.as_i32());
    case ValueKind::I64: return text + std::to_string(value.slot.as_i64());
    case ValueKind::Ref:
      if (value.slot.is_null()) return text + "null";
      return text + (value.type.heap() == HeapKind::Extern ? std::to_string(value.slot.as_external()) : "a function");
    default: return text + hexadecimal(value.slot.bits);
  }
}

std::string describe(const Pattern& pattern) {
  switch (pattern.kind) {
    case Pattern::Kind::Exact: return describe(pattern.value);
    case Pattern::Kind::CanonicalNan: return to_string(pattern.value.type) + ":nan:canonical";
    case Pattern::Kind::ArithmeticNan: return to_string(pattern.value.type) + ":nan:arithmetic";
    case Pattern::Kind::NonNull: return to_string(pattern.value.type) + ":not null";
    case Pattern::Kind::AnyNull: return "null";
    case Pattern::Kind::Vector: return "v128";
  }
  return {};
}

void append(std::string& list, const std::string& item, std::string_view separator) {
  if (!list.empty()) list += separator;
  list += item;
}

}  // namespace

bool matches(const Pattern& pattern, const Value& value) {
  if (pattern.kind == Pattern::Kind::AnyNull) return value.type.is_ref() && value.slot.is_null();
  if (!same_kind(pattern.value.type, value.type)) return false;
  switch (pattern.kind) {
    case Pattern::Kind::Exact: return pattern.value.slot.bits == value.slot.bits;
    case Pattern::Kind::NonNull: return !value.slot.is_null();
    case Pattern::Kind::CanonicalNan:
    case Pattern::Kind::ArithmeticNan: return is_nan(pattern, value.slot.bits);
    case Pattern::Kind::AnyNull:
    case Pattern::Kind::Vector: return false;
  }
  return false;
}

bool matches(const Command& command, std::span<const Value> values) {
  const auto& expected = command.expected;
  if (command.is_either)
    return values.size() == 1 && std::any_of(expected.begin(), expected.end(),
                                             [&](const Pattern& pattern) { return matches(pattern, values[0]); });
  return std::equal(expected.begin(), expected.end(), values.begin(), values.end(),
                    [](const Pattern& pattern, const Value& value) { return matches(pattern, value); });
}

bool matches_text(std::string_view expected, std::string_view actual) {
  return !expected.empty() && !actual.empty() && (expected.starts_with(actual) || actual.starts_with(expected));
}

std::string describe(std::span<const Value> values) {
  std::string text;
  for (const Value& value : values) append(text, describe(value), " ");
  return text.empty() ? "nothing" : text;
}

std::string describe(const Command& command) {
  std::string text;
  for (const Pattern& pattern : command.expected) append(text, describe(pattern), command.is_either ? " or " : " ");
  return text.empty() ? "nothing" : text;
}

}  // namespace tfvm::spectests
