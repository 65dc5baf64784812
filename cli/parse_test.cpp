#include "cli/parse.hpp"

#include <bit>
#include <gtest/gtest.h>
#include <limits>

namespace tfvm::cli {
namespace {

using std::chrono::nanoseconds;

TEST(Parse, Counts) {
  EXPECT_EQ(parse_count("0"), 0u);
  EXPECT_EQ(parse_count("1_000_000"), 1'000'000u);
  EXPECT_EQ(parse_count("18446744073709551615"), UINT64_MAX);
  for (const char* wrong : {"", "-1", "+1", "1.5", "18446744073709551616", "1k", "_1", "1_", "0x10", " 1"})
    EXPECT_FALSE(parse_count(wrong)) << wrong;
}

TEST(Parse, Sizes) {
  EXPECT_EQ(parse_size("65536"), 65536u);
  EXPECT_EQ(parse_size("64KiB"), 65536u);
  EXPECT_EQ(parse_size("64K"), 65536u);
  EXPECT_EQ(parse_size("64k"), 65536u);
  EXPECT_EQ(parse_size("64KB"), 64000u);
  EXPECT_EQ(parse_size("1.5MiB"), 1536u * 1024);
  EXPECT_EQ(parse_size("2G"), std::uint64_t{2} << 30);
  EXPECT_EQ(parse_size("3TiB"), std::uint64_t{3} << 40);
  EXPECT_EQ(parse_size("7B"), 7u);
  for (const char* wrong : {"", "K", "-1", "1.5", "1.K", ".5K", "1..5K", "1KiBs", "1 K", "99999999999T", "1e3"})
    EXPECT_FALSE(parse_size(wrong)) << wrong;
}

TEST(Parse, Durations) {
  EXPECT_EQ(parse_duration("300ms"), nanoseconds(300'000'000));
  EXPECT_EQ(parse_duration("2s"), nanoseconds(2'000'000'000));
  EXPECT_EQ(parse_duration("2"), nanoseconds(2'000'000'000));
  EXPECT_EQ(parse_duration("0.25"), nanoseconds(250'000'000));
  EXPECT_EQ(parse_duration("1m"), nanoseconds(60'000'000'000));
  EXPECT_EQ(parse_duration("1.5h"), nanoseconds(5'400'000'000'000));
  EXPECT_EQ(parse_duration("7ns"), nanoseconds(7));
  EXPECT_EQ(parse_duration("7us"), nanoseconds(7'000));
  for (const char* wrong : {"", "0", "0ms", "-1s", "1.5ns", "s", "1 s", "1d", "10000000000000", "999999999h"})
    EXPECT_FALSE(parse_duration(wrong)) << wrong;
}

std::optional<std::uint64_t> bits_of(ValueType type, std::string_view text) {
  const std::optional<Value> value = parse_value(type, text);
  if (!value) return std::nullopt;
  EXPECT_EQ(value->type, type);
  return value->slot.bits;
}

TEST(Parse, I32TakesSignedAndUnsigned) {
  EXPECT_EQ(bits_of(ValueKind::I32, "42"), 42u);
  EXPECT_EQ(bits_of(ValueKind::I32, "+42"), 42u);
  EXPECT_EQ(bits_of(ValueKind::I32, "-1"), 0xffffffffu);
  EXPECT_EQ(bits_of(ValueKind::I32, "4294967295"), 0xffffffffu);
  EXPECT_EQ(bits_of(ValueKind::I32, "-2147483648"), 0x80000000u);
  EXPECT_EQ(bits_of(ValueKind::I32, "0xFFffFFff"), 0xffffffffu);
  EXPECT_EQ(bits_of(ValueKind::I32, "-0x80000000"), 0x80000000u);
  for (const char* wrong : {"", "-", "0x", "4294967296", "-2147483649", "1.0", "0x1ffffffff", "--1", "1 ", "ten"})
    EXPECT_FALSE(bits_of(ValueKind::I32, wrong)) << wrong;
}

TEST(Parse, I64TakesSignedAndUnsigned) {
  EXPECT_EQ(bits_of(ValueKind::I64, "18446744073709551615"), UINT64_MAX);
  EXPECT_EQ(bits_of(ValueKind::I64, "-9223372036854775808"), std::uint64_t{1} << 63);
  EXPECT_EQ(bits_of(ValueKind::I64, "0xffffffffffffffff"), UINT64_MAX);
  EXPECT_FALSE(bits_of(ValueKind::I64, "18446744073709551616"));
  EXPECT_FALSE(bits_of(ValueKind::I64, "-9223372036854775809"));
}

TEST(Parse, FloatsWithTheirBits) {
  EXPECT_EQ(bits_of(ValueKind::F32, "1.5"), 0x3fc00000u);
  EXPECT_EQ(bits_of(ValueKind::F32, "-0"), 0x80000000u);
  EXPECT_EQ(bits_of(ValueKind::F32, "0x1p-149"), 1u);
  EXPECT_EQ(bits_of(ValueKind::F32, "inf"), 0x7f800000u);
  EXPECT_EQ(bits_of(ValueKind::F32, "-inf"), 0xff800000u);
  EXPECT_EQ(bits_of(ValueKind::F32, "nan"), 0x7fc00000u);
  EXPECT_EQ(bits_of(ValueKind::F32, "-nan:0x200000"), 0xffa00000u);
  EXPECT_EQ(bits_of(ValueKind::F64, "0.1"), std::bit_cast<std::uint64_t>(0.1));
  EXPECT_EQ(bits_of(ValueKind::F64, "1e308"), std::bit_cast<std::uint64_t>(1e308));
  EXPECT_EQ(bits_of(ValueKind::F64, "nan:0xfffffffffffff"), 0x7fffffffffffffffu);
  for (const char* wrong : {"", "-", "nan:0x0", "nan:0x800000", "nan:1", "nanx", "1e999", "1.5f", "--1", "0x",
                            "infinit", "nan(1)", "NaN", "-+1"})
    EXPECT_FALSE(bits_of(ValueKind::F32, wrong)) << wrong;
}

TEST(Parse, ReferencesAreNullOnly) {
  EXPECT_EQ(bits_of(externref, "null"), 0u);
  EXPECT_EQ(bits_of(funcref, "null"), 0u);
  EXPECT_FALSE(bits_of(externref, "0"));
  EXPECT_FALSE(bits_of(ValueType::ref(false, HeapKind::Func), "null"));
  EXPECT_FALSE(bits_of(ValueKind::V128, "0"));
}

TEST(Format, Values) {
  EXPECT_EQ(format_value(Value::i32(0xffffffff)), "-1");
  EXPECT_EQ(format_value(Value::i64(std::uint64_t{1} << 63)), "-9223372036854775808");
  EXPECT_EQ(format_value(Value::f32(0.1f)), "0.1");
  EXPECT_EQ(format_value(Value::f64(0.1)), "0.1");
  EXPECT_EQ(format_value(Value::f64(-0.0)), "-0");
  EXPECT_EQ(format_value(Value::f64(1e300)), "1e+300");
  EXPECT_EQ(format_value(Value::f64(-std::numeric_limits<double>::infinity())), "-inf");
  EXPECT_EQ(format_value({ValueKind::F32, Slot::i32(0x7fc00000)}), "nan");
  EXPECT_EQ(format_value({ValueKind::F32, Slot::i32(0xffa00000)}), "-nan:0x200000");
  EXPECT_EQ(format_value({externref, Slot::null()}), "null");
  EXPECT_EQ(format_value({externref, Slot::external(7)}), "externref 7");
}

TEST(Format, ParsingReadsItBack) {
  for (const std::uint32_t bits : {0u, 1u, 0x80000000u, 0x3f800000u, 0x7f7fffffu, 0x7f800000u, 0x7fc00000u, 0xffc00000u,
                                   0x7f800001u, 0xff812345u, 0x00800000u}) {
    const Value value{ValueKind::F32, Slot::i32(bits)};
    EXPECT_EQ(bits_of(ValueKind::F32, format_value(value)), bits) << format_value(value);
  }
  for (const std::uint64_t bits : {std::uint64_t{1}, std::uint64_t{0x7fefffffffffffff},
                                   std::uint64_t{0x7ff0000000000001}, std::bit_cast<std::uint64_t>(1.0 / 3)}) {
    const Value value{ValueKind::F64, Slot::i64(bits)};
    EXPECT_EQ(bits_of(ValueKind::F64, format_value(value)), bits) << format_value(value);
  }
}

}  // namespace
}  // namespace tfvm::cli
