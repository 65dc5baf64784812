// Digits to bits (number.hpp). Decimal floats by std::from_chars, which rounds correctly; hexadecimal ones here.
#include "decoder/text/number.hpp"

#include <algorithm>
#include <bit>
#include <charconv>
#include <string>
#include <system_error>

namespace tfvm::text {
namespace {

constexpr unsigned no_digit = 16;

constexpr unsigned digit_value(char character) {
  if (character >= '0' && character <= '9') return static_cast<unsigned>(character - '0');
  if (character >= 'a' && character <= 'f') return static_cast<unsigned>(character - 'a') + 10;
  if (character >= 'A' && character <= 'F') return static_cast<unsigned>(character - 'A') + 10;
  return no_digit;
}

/// True if a leading minus was there; takes one sign off.
bool take_sign(std::string_view& text) {
  const bool is_negative = text.starts_with('-');
  if (is_negative || text.starts_with('+')) text.remove_prefix(1);
  return is_negative;
}

bool take_hexadecimal_mark(std::string_view& text) {
  if (!text.starts_with("0x")) return false;
  text.remove_prefix(2);
  return true;
}

/// Takes digit (_? digit)* off; empty: there is none, or an underscore stands wrong.
std::string_view take_digits(std::string_view& text, unsigned base) {
  std::size_t size = 0;
  while (size < text.size()) {
    const bool is_separator = text[size] == '_' && size > 0 && size + 1 < text.size();
    if (digit_value(text[is_separator ? size + 1 : size]) >= base) break;
    size += is_separator ? 2 : 1;
  }
  const std::string_view digits = text.substr(0, size);
  text.remove_prefix(size);
  return digits;
}

/// The parts of a number with a point or an exponent.
struct FloatParts {
  bool is_hexadecimal = false;
  std::string_view whole;
  std::string_view fraction;
  bool exponent_is_negative = false;
  std::string_view exponent;  ///< empty: none
};

/// The parts of `text`, which has no sign. False: it is no number.
bool split_float(std::string_view text, FloatParts& parts) {
  parts.is_hexadecimal = take_hexadecimal_mark(text);
  const unsigned base = parts.is_hexadecimal ? 16 : 10;
  parts.whole = take_digits(text, base);
  if (parts.whole.empty()) return false;
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    parts.fraction = take_digits(text, base);
  }
  if (text.empty()) return true;
  const char mark = static_cast<char>(text[0] | 0x20);
  if (mark != (parts.is_hexadecimal ? 'p' : 'e')) return false;
  text.remove_prefix(1);
  parts.exponent_is_negative = take_sign(text);
  parts.exponent = take_digits(text, 10);
  return !parts.exponent.empty() && text.empty();
}

/// Far beyond what any number of digits in memory can make up for.
constexpr std::int64_t huge_exponent = std::int64_t{1} << 60;

std::int64_t exponent_value(const FloatParts& parts) {
  std::int64_t value = 0;
  for (const char character : parts.exponent)
    if (character != '_') value = std::min(value * 10 + digit_value(character), huge_exponent / 10);
  return parts.exponent_is_negative ? -value : value;
}

template <class Bits>
struct Format;
template <>
struct Format<std::uint32_t> {
  using Float = float;
  static constexpr int fraction_bits = 23;
  static constexpr int maximum_exponent = 127;
};
template <>
struct Format<std::uint64_t> {
  using Float = double;
  static constexpr int fraction_bits = 52;
  static constexpr int maximum_exponent = 1023;
};

/// mantissa x 2^exponent, where `is_inexact` says that a bit less than a mantissa's unit is missing; round to even.
template <class Bits>
NumberStatus round_to_float(std::uint64_t mantissa, std::int64_t exponent, bool is_inexact, std::uint64_t& bits) {
  using F = Format<Bits>;
  bits = 0;
  if (mantissa == 0) return NumberStatus::Ok;
  const int leading = std::countl_zero(mantissa);
  mantissa <<= leading;
  exponent += 63 - leading;  // of the topmost bit
  if (exponent > F::maximum_exponent) return NumberStatus::OutOfRange;
  constexpr std::int64_t minimum_exponent = 1 - F::maximum_exponent;
  std::int64_t dropped = 63 - F::fraction_bits;
  if (exponent < minimum_exponent) dropped += minimum_exponent - exponent;  // subnormal
  if (dropped > 64) return NumberStatus::Ok;
  const std::uint64_t kept = dropped == 64 ? 0 : mantissa >> dropped;
  const std::uint64_t half = std::uint64_t{1} << (dropped - 1);
  const std::uint64_t rest = dropped == 64 ? mantissa : mantissa & ((half << 1) - 1);
  const bool rounds_up = rest > half || (rest == half && (is_inexact || (kept & 1) != 0));
  const std::uint64_t biased =
      exponent < minimum_exponent ? 0 : static_cast<std::uint64_t>(exponent - minimum_exponent);
  // The implicit bit of `kept` and a carry out of the fraction both go into the exponent.
  bits = (biased << F::fraction_bits) + kept + (rounds_up ? 1 : 0);
  constexpr std::uint64_t infinity = static_cast<std::uint64_t>(2 * F::maximum_exponent + 1) << F::fraction_bits;
  return bits >= infinity ? NumberStatus::OutOfRange : NumberStatus::Ok;
}

template <class Bits>
NumberStatus parse_hexadecimal(const FloatParts& parts, std::uint64_t& bits) {
  std::uint64_t mantissa = 0;
  std::int64_t exponent = exponent_value(parts);
  bool is_inexact = false;
  const auto take = [&](std::string_view digits, bool is_fraction) {
    for (const char character : digits) {
      if (character == '_') continue;
      const bool fits = mantissa >> 60 == 0;
      if (fits) mantissa = mantissa << 4 | digit_value(character);
      else if (digit_value(character) != 0) is_inexact = true;
      if (fits && is_fraction) exponent -= 4;
      if (!fits && !is_fraction) exponent += 4;
    }
  };
  take(parts.whole, false);
  take(parts.fraction, true);
  return round_to_float<Bits>(mantissa, exponent, is_inexact, bits);
}

/// Where the decimal point stands, in digits from the first one that is not 0: 12.5 gives 2, 0.01 gives -1.
std::int64_t decimal_magnitude(const FloatParts& parts) {
  std::int64_t magnitude = 0;
  bool is_leading = true;
  for (const char character : parts.whole) {
    if (character == '_') continue;
    if (character != '0') is_leading = false;
    if (!is_leading) ++magnitude;
  }
  for (const char character : parts.fraction) {
    if (!is_leading) break;
    if (character == '_') continue;
    if (character != '0') is_leading = false;
    else --magnitude;
  }
  return magnitude + exponent_value(parts);
}

template <class Bits>
NumberStatus parse_decimal(const FloatParts& parts, std::string_view text, std::uint64_t& bits) {
  std::string plain(text);
  std::erase(plain, '_');
  typename Format<Bits>::Float value = 0;
  const auto result = std::from_chars(plain.data(), plain.data() + plain.size(), value);
  if (result.ec == std::errc::result_out_of_range) {
    // Too large, or rounded to zero: the library does not say which.
    if (decimal_magnitude(parts) > 0) return NumberStatus::OutOfRange;
    value = 0;
  }
  bits = std::bit_cast<Bits>(value);
  constexpr std::uint64_t infinity = static_cast<std::uint64_t>(2 * Format<Bits>::maximum_exponent + 1)
                                     << Format<Bits>::fraction_bits;
  return bits >= infinity ? NumberStatus::OutOfRange : NumberStatus::Ok;
}

template <class Bits>
NumberStatus parse_float(std::string_view text, std::uint64_t& bits) {
  constexpr int fraction_bits = Format<Bits>::fraction_bits;
  constexpr std::uint64_t infinity = static_cast<std::uint64_t>(2 * Format<Bits>::maximum_exponent + 1)
                                     << fraction_bits;
  const std::uint64_t sign = take_sign(text) ? std::uint64_t{1} << (sizeof(Bits) * 8 - 1) : 0;
  auto status = NumberStatus::Ok;
  FloatParts parts;
  if (text == "inf") {
    bits = infinity;
  } else if (text == "nan") {
    bits = infinity | std::uint64_t{1} << (fraction_bits - 1);
  } else if (text.starts_with("nan:0x")) {
    std::uint64_t payload = 0;
    status = parse_unsigned(text.substr(4), 64, payload);
    if (status == NumberStatus::Ok && (payload == 0 || payload >> fraction_bits != 0))
      status = NumberStatus::OutOfRange;
    bits = infinity | payload;
  } else if (!split_float(text, parts)) {
    return NumberStatus::NoNumber;
  } else {
    status = parts.is_hexadecimal ? parse_hexadecimal<Bits>(parts, bits) : parse_decimal<Bits>(parts, text, bits);
  }
  bits |= sign;
  return status;
}

}  // namespace

NumberStatus parse_unsigned(std::string_view text, unsigned bits, std::uint64_t& value) {
  const unsigned base = take_hexadecimal_mark(text) ? 16 : 10;
  const std::string_view digits = take_digits(text, base);
  if (digits.empty() || !text.empty()) return NumberStatus::NoNumber;
  const std::uint64_t maximum = UINT64_MAX >> (64 - bits);
  value = 0;
  for (const char character : digits) {
    if (character == '_') continue;
    const unsigned digit = digit_value(character);
    if (value > (maximum - digit) / base) return NumberStatus::OutOfRange;
    value = value * base + digit;
  }
  return NumberStatus::Ok;
}

NumberStatus parse_integer(std::string_view text, unsigned bits, std::uint64_t& value) {
  const bool is_signed = text.starts_with('-') || text.starts_with('+');
  const bool is_negative = take_sign(text);
  const NumberStatus status = parse_unsigned(text, bits, value);
  if (status != NumberStatus::Ok || !is_signed) return status;
  const std::uint64_t largest = (std::uint64_t{1} << (bits - 1)) - (is_negative ? 0 : 1);
  if (value > largest) return NumberStatus::OutOfRange;
  if (is_negative) value = (0 - value) & (UINT64_MAX >> (64 - bits));
  return NumberStatus::Ok;
}

NumberStatus parse_f32(std::string_view text, std::uint64_t& bits) { return parse_float<std::uint32_t>(text, bits); }
NumberStatus parse_f64(std::string_view text, std::uint64_t& bits) { return parse_float<std::uint64_t>(text, bits); }

bool is_number(std::string_view text) {
  take_sign(text);
  if (text == "inf" || text == "nan") return true;
  std::uint64_t payload = 0;
  if (text.starts_with("nan:0x")) return parse_unsigned(text.substr(4), 64, payload) != NumberStatus::NoNumber;
  FloatParts parts;
  return split_float(text, parts);
}

}  // namespace tfvm::text
