// Numbers of the text format (WebAssembly 3.0, section 6.3.1 and 6.3.2): from characters to bits, correctly rounded.
#pragma once

#include <cstdint>
#include <string_view>

namespace tfvm::text {

enum class NumberStatus : std::uint8_t {
  Ok,
  NoNumber,    ///< the characters are not of this form
  OutOfRange,  ///< they are, but the type does not hold the number
};

/// uN: digits, decimal or hexadecimal, without a sign. REQUIRES: bits is 8, 16, 32 or 64
NumberStatus parse_unsigned(std::string_view text, unsigned bits, std::uint64_t& value);

/// iN: uN, or sN with a sign, from -2^(N-1) to 2^N - 1; negative numbers as their lower N bits.
NumberStatus parse_integer(std::string_view text, unsigned bits, std::uint64_t& value);

/// fN as bits: decimal, hexadecimal, "inf", "nan", "nan:0x...". A value beyond the largest is OutOfRange, and so is a
/// payload of 0 or one that does not fit.
NumberStatus parse_f32(std::string_view text, std::uint64_t& bits);
NumberStatus parse_f64(std::string_view text, std::uint64_t& bits);

/// Whether the characters are a number of any form, of whatever size.
bool is_number(std::string_view text);

}  // namespace tfvm::text
