// Numbers: ranges, underscores, and rounding at its hard spots.
#include "decoder/text/number.hpp"

#include <gtest/gtest.h>
#include <string>

namespace tfvm::text {
namespace {

std::string integer(std::string_view text, unsigned bits) {
  std::uint64_t value = 0;
  switch (parse_integer(text, bits, value)) {
    case NumberStatus::Ok: return std::to_string(value);
    case NumberStatus::NoNumber: return "no";
    case NumberStatus::OutOfRange: return "range";
  }
  return {};
}

template <auto Parse>
std::string floating(std::string_view text) {
  std::uint64_t bits = 0;
  const NumberStatus status = Parse(text, bits);
  if (status != NumberStatus::Ok) return status == NumberStatus::NoNumber ? "no" : "range";
  char hexadecimal[32];
  std::snprintf(hexadecimal, sizeof hexadecimal, "%llx", static_cast<unsigned long long>(bits));
  return hexadecimal;
}
std::string f32(std::string_view text) { return floating<parse_f32>(text); }
std::string f64(std::string_view text) { return floating<parse_f64>(text); }

TEST(TextNumber, Integers) {
  EXPECT_EQ(integer("0", 32), "0");
  EXPECT_EQ(integer("4294967295", 32), "4294967295");
  EXPECT_EQ(integer("4294967296", 32), "range");
  EXPECT_EQ(integer("-2147483648", 32), "2147483648");
  EXPECT_EQ(integer("-2147483649", 32), "range");
  EXPECT_EQ(integer("+2147483647", 32), "2147483647");
  EXPECT_EQ(integer("-1", 8), "255");
  EXPECT_EQ(integer("256", 8), "range");
  EXPECT_EQ(integer("0xffff_ffff_ffff_ffff", 64), "18446744073709551615");
  EXPECT_EQ(integer("0x1_0000_0000_0000_0000", 64), "range");
  EXPECT_EQ(integer("18446744073709551616", 64), "range");
  EXPECT_EQ(integer("1_000", 32), "1000");
  for (const char* text : {"", "-", "+", "0x", "_1", "1_", "1__0", "0x_1", "1a", "0xg", "--1", "1.0", " 1", "0X1"})
    EXPECT_EQ(integer(text, 32), "no") << text;
}

TEST(TextNumber, UnsignedNumbersHaveNoSign) {
  std::uint64_t value = 0;
  EXPECT_EQ(parse_unsigned("+1", 32, value), NumberStatus::NoNumber);
  EXPECT_EQ(parse_unsigned("-1", 32, value), NumberStatus::NoNumber);
  EXPECT_EQ(parse_unsigned("65535", 16, value), NumberStatus::Ok);
  EXPECT_EQ(value, 65535u);
}

TEST(TextNumber, SpecialFloats) {
  EXPECT_EQ(f32("inf"), "7f800000");
  EXPECT_EQ(f32("-inf"), "ff800000");
  EXPECT_EQ(f32("nan"), "7fc00000");
  EXPECT_EQ(f32("-nan:0x1"), "ff800001");
  EXPECT_EQ(f32("nan:0x7f_ffff"), "7fffffff");
  EXPECT_EQ(f32("nan:0x800000"), "range");
  EXPECT_EQ(f32("nan:0x0"), "range");
  EXPECT_EQ(f64("nan:0xfffffffffffff"), "7fffffffffffffff");
  EXPECT_EQ(f64("-0"), "8000000000000000");
  for (const char* text :
       {"nan:", "nan:1", "nan:canonical", "infinity", "Inf", "0x1p", "1e", "1e+", ".5", "0x.5", "1_.0", "1._0"})
    EXPECT_EQ(f64(text), "no") << text;
}

TEST(TextNumber, DecimalFloatsRoundToEven) {
  EXPECT_EQ(f32("1"), "3f800000");
  EXPECT_EQ(f32("1."), "3f800000");
  EXPECT_EQ(f32("1_0.5_0e-0_1"), "3f866666");
  EXPECT_EQ(f32("16777217"), "4b800000");  // half way, to even
  EXPECT_EQ(f32("16777219"), "4b800002");
  EXPECT_EQ(f32("16777217.0000001"), "4b800001");
  EXPECT_EQ(f32("3.4028235677973366e38"), "7f7fffff");
  EXPECT_EQ(f32("3.4028235677973367e38"), "range");
  EXPECT_EQ(f32("1.4e-45"), "1");
  EXPECT_EQ(f32("0.7e-45"), "0");
  EXPECT_EQ(f32("1e-99999999999999999999"), "0");
  EXPECT_EQ(f64("1e99999999999999999999"), "range");
  EXPECT_EQ(f64("0e99999999999999999999"), "0");
  EXPECT_EQ(f64("2.2250738585072011e-308"), "fffffffffffff");
}

TEST(TextNumber, HexadecimalFloatsRoundToEven) {
  EXPECT_EQ(f32("0x1p0"), "3f800000");
  EXPECT_EQ(f32("-0x1.8P+1"), "c0400000");
  EXPECT_EQ(f32("0x1.000001p0"), "3f800000");  // half way, to even
  EXPECT_EQ(f32("0x1.000003p0"), "3f800002");
  EXPECT_EQ(f32("0x1.00000100000000000000001p0"), "3f800001");
  EXPECT_EQ(f32("0x1.fffffefp127"), "7f7fffff");
  EXPECT_EQ(f32("0x1.ffffffp127"), "range");
  EXPECT_EQ(f32("0x1p128"), "range");
  EXPECT_EQ(f32("0x1p-149"), "1");
  EXPECT_EQ(f32("0x1p-150"), "0");
  EXPECT_EQ(f32("0x1.000002p-150"), "1");
  EXPECT_EQ(f32("0x1.fffffep-127"), "800000");  // rounds up to the smallest normal number
  EXPECT_EQ(f64("0x0.0000000000001p-1022"), "1");
  EXPECT_EQ(f64("0x1p-1075"), "0");
  EXPECT_EQ(f64("0x1.8p-1075"), "1");
  EXPECT_EQ(f64("0x123456789abcdef01"), "43f23456789abcdf");
  EXPECT_EQ(f64("0x1p99999999999999999999"), "range");
  EXPECT_EQ(f64("0x0p99999999999999999999"), "0");
  EXPECT_EQ(f64("0x1p-99999999999999999999"), "0");
}

TEST(TextNumber, WhatLooksLikeANumber) {
  for (const char* text : {"0", "-1", "0x1", "1e5", "nan", "-inf", "nan:0x1", "1.5", "0x1p-2"})
    EXPECT_TRUE(is_number(text)) << text;
  for (const char* text : {"", "i32", "0x", "nan:canonical", "1x", "$1", "-"}) EXPECT_FALSE(is_number(text)) << text;
}

}  // namespace
}  // namespace tfvm::text
