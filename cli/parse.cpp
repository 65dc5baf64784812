// Numbers of the command line (parse.hpp).
#include "cli/parse.hpp"

#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <limits>
#include <span>
#include <type_traits>

namespace tfvm::cli {
namespace {

struct Unit {
  std::string_view name;
  std::uint64_t factor;
};

constexpr std::uint64_t kibi = 1024;
constexpr std::uint64_t kilo = 1000;

// Lower case. The single letter is the binary unit, as in dd and head.
constexpr std::array<Unit, 14> size_units = {{
    {"", 1},
    {"b", 1},
    {"k", kibi},
    {"kib", kibi},
    {"kb", kilo},
    {"m", kibi* kibi},
    {"mib", kibi* kibi},
    {"mb", kilo* kilo},
    {"g", kibi* kibi* kibi},
    {"gib", kibi* kibi* kibi},
    {"gb", kilo* kilo* kilo},
    {"t", kibi* kibi* kibi* kibi},
    {"tib", kibi* kibi* kibi* kibi},
    {"tb", kilo* kilo* kilo* kilo},
}};

// In nanoseconds.
constexpr std::array<Unit, 8> time_units = {{
    {"ns", 1},
    {"us", 1'000},
    {"ms", 1'000'000},
    {"", 1'000'000'000},
    {"s", 1'000'000'000},
    {"m", 60'000'000'000},
    {"min", 60'000'000'000},
    {"h", 3'600'000'000'000},
}};

constexpr std::uint64_t longest_duration_ns = std::uint64_t{100} * 365 * 24 * 3'600'000'000'000;

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Digits, at most nine of them behind a point, and a unit. The product must be a whole number.
std::optional<std::uint64_t> parse_with_unit(std::string_view text, std::span<const Unit> units) {
  std::uint64_t digits = 0;
  std::uint64_t scale = 1;
  bool behind_point = false;
  std::size_t i = 0;
  for (; i < text.size() && (is_digit(text[i]) || (text[i] == '.' && !behind_point)); ++i) {
    if (text[i] == '.') {
      behind_point = true;
      if (i == 0 || i + 1 == text.size() || !is_digit(text[i + 1])) return std::nullopt;
      continue;
    }
    if (__builtin_mul_overflow(digits, std::uint64_t{10}, &digits) ||
        __builtin_add_overflow(digits, static_cast<std::uint64_t>(text[i] - '0'), &digits))
      return std::nullopt;
    if (behind_point) scale *= 10;
    if (scale > 1'000'000'000) return std::nullopt;
  }
  if (i == 0) return std::nullopt;

  std::string name;
  for (const char c : text.substr(i)) name += lower(c);
  for (const Unit& unit : units) {
    if (unit.name != name) continue;
    std::uint64_t product = 0;
    if (__builtin_mul_overflow(digits, unit.factor, &product) || product % scale != 0) return std::nullopt;
    return product / scale;
  }
  return std::nullopt;
}

template <class Unsigned>
std::optional<Unsigned> parse_integer(std::string_view text) {
  using Signed = std::make_signed_t<Unsigned>;
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  int base = 10;
  if (text.starts_with("0x") || text.starts_with("0X")) {
    base = 16;
    text.remove_prefix(2);
  }
  Unsigned magnitude = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), magnitude, base);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  if (!negative) return magnitude;
  constexpr auto lowest = static_cast<Unsigned>(std::numeric_limits<Signed>::min());
  if (magnitude > lowest) return std::nullopt;
  return static_cast<Unsigned>(Unsigned{0} - magnitude);
}

// The bit layout of a float (section 4.3.3: payloads of NaNs are visible to programs).
template <class Float>
struct Layout {
  using Bits = std::conditional_t<sizeof(Float) == 4, std::uint32_t, std::uint64_t>;
  static constexpr int fraction_bits = sizeof(Float) == 4 ? 23 : 52;
  static constexpr Bits sign = Bits{1} << (sizeof(Float) * 8 - 1);
  static constexpr Bits fraction_mask = (Bits{1} << fraction_bits) - 1;
  static constexpr Bits canonical = Bits{1} << (fraction_bits - 1);
  static constexpr Bits exponent_mask = static_cast<Bits>(sign - 1) & static_cast<Bits>(~fraction_mask);
};

template <class Float>
std::optional<Float> parse_magnitude(std::string_view text) {
  using L = Layout<Float>;
  using Bits = typename L::Bits;
  if (text == "inf" || text == "infinity") return std::numeric_limits<Float>::infinity();
  if (text == "nan") return std::bit_cast<Float>(static_cast<Bits>(L::exponent_mask | L::canonical));
  if (text.starts_with("nan:0x")) {
    const auto payload = parse_integer<Bits>(text.substr(4));
    if (!payload || *payload == 0 || *payload > L::fraction_mask) return std::nullopt;
    return std::bit_cast<Float>(static_cast<Bits>(L::exponent_mask | *payload));
  }
  auto format = std::chars_format::general;
  if (text.starts_with("0x") || text.starts_with("0X")) {
    format = std::chars_format::hex;
    text.remove_prefix(2);
  }
  // from_chars also takes "-1", "infinity" and "nan(..)", which are no magnitudes of ours.
  if (text.empty() || !(is_digit(text[0]) || text[0] == '.' || format == std::chars_format::hex) || text[0] == '-')
    return std::nullopt;
  Float value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, format);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(value)) return std::nullopt;
  return value;
}

template <class Float>
std::optional<Float> parse_float(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  const std::optional<Float> magnitude = parse_magnitude<Float>(text);
  if (!magnitude || !negative) return magnitude;
  using Bits = typename Layout<Float>::Bits;
  return std::bit_cast<Float>(static_cast<Bits>(std::bit_cast<Bits>(*magnitude) ^ Layout<Float>::sign));
}

template <class Float>
std::string format_float(typename Layout<Float>::Bits bits) {
  using L = Layout<Float>;
  const auto value = std::bit_cast<Float>(bits);
  char text[64];
  if (std::isnan(value)) {
    std::string result = (bits & L::sign) != 0 ? "-nan" : "nan";
    const auto payload = bits & L::fraction_mask;
    if (payload == L::canonical) return result;
    const auto [end, error] = std::to_chars(text, text + sizeof text, payload, 16);
    (void)error;
    return result + ":0x" + std::string(text, end);
  }
  const auto [end, error] = std::to_chars(text, text + sizeof text, value);
  (void)error;
  return std::string(text, end);
}

}  // namespace

std::optional<std::uint64_t> parse_count(std::string_view text) {
  if (text.empty() || !is_digit(text.front()) || !is_digit(text.back())) return std::nullopt;
  std::uint64_t count = 0;
  for (const char c : text) {
    if (c == '_') continue;
    if (!is_digit(c) || __builtin_mul_overflow(count, std::uint64_t{10}, &count) ||
        __builtin_add_overflow(count, static_cast<std::uint64_t>(c - '0'), &count))
      return std::nullopt;
  }
  return count;
}

std::optional<std::uint64_t> parse_size(std::string_view text) { return parse_with_unit(text, size_units); }

std::optional<std::chrono::nanoseconds> parse_duration(std::string_view text) {
  const std::optional<std::uint64_t> nanoseconds = parse_with_unit(text, time_units);
  if (!nanoseconds || *nanoseconds == 0 || *nanoseconds > longest_duration_ns) return std::nullopt;
  return std::chrono::nanoseconds(static_cast<std::int64_t>(*nanoseconds));
}

std::optional<Value> parse_value(ValueType type, std::string_view text) {
  switch (type.kind()) {
    case ValueKind::I32:
      if (const auto value = parse_integer<std::uint32_t>(text)) return Value::i32(*value);
      return std::nullopt;
    case ValueKind::I64:
      if (const auto value = parse_integer<std::uint64_t>(text)) return Value::i64(*value);
      return std::nullopt;
    case ValueKind::F32:
      if (const auto value = parse_float<float>(text)) return Value::f32(*value);
      return std::nullopt;
    case ValueKind::F64:
      if (const auto value = parse_float<double>(text)) return Value::f64(*value);
      return std::nullopt;
    case ValueKind::Ref:
      if (type.is_nullable() && text == "null") return Value{type, Slot::null()};
      return std::nullopt;
    default: return std::nullopt;
  }
}

std::string format_value(const Value& value) {
  switch (value.type.kind()) {
    case ValueKind::I32: return std::to_string(static_cast<std::int32_t>(value.slot.as_i32()));
    case ValueKind::I64: return std::to_string(static_cast<std::int64_t>(value.slot.as_i64()));
    case ValueKind::F32: return format_float<float>(value.slot.as_i32());
    case ValueKind::F64: return format_float<double>(value.slot.as_i64());
    case ValueKind::Ref:
      if (value.slot.is_null()) return "null";
      if (value.type.heap() == HeapKind::Extern) return "externref " + std::to_string(value.slot.as_external());
      return "funcref";
    default: return "?";
  }
}

}  // namespace tfvm::cli
