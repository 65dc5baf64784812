// NaN patterns at their borders, references, alternatives, texts.
#include "spectests/match.hpp"

#include <gtest/gtest.h>

namespace tfvm::spectests {
namespace {

Pattern pattern(Pattern::Kind kind, Value value) { return {kind, value}; }
Value f32_bits(std::uint32_t bits) { return {ValueKind::F32, Slot::i32(bits)}; }
Value f64_bits(std::uint64_t bits) { return {ValueKind::F64, Slot::i64(bits)}; }

TEST(Match, ExactComparesBits) {
  const auto zero = pattern(Pattern::Kind::Exact, Value::f32(0.0f));
  EXPECT_TRUE(matches(zero, Value::f32(0.0f)));
  EXPECT_FALSE(matches(zero, Value::f32(-0.0f)));
  const auto nan = pattern(Pattern::Kind::Exact, f32_bits(0x7fc0'0001));
  EXPECT_TRUE(matches(nan, f32_bits(0x7fc0'0001)));
  EXPECT_FALSE(matches(nan, f32_bits(0x7fc0'0000)));
}

TEST(Match, TypesMustAgree) {
  EXPECT_FALSE(matches(pattern(Pattern::Kind::Exact, Value::i32(1)), Value::i64(1)));
  EXPECT_FALSE(matches(pattern(Pattern::Kind::CanonicalNan, Value::f32(0)), f64_bits(0x7ff8'0000'0000'0000)));
  EXPECT_FALSE(matches(pattern(Pattern::Kind::Exact, {funcref, Slot::null()}), {externref, Slot::null()}));
}

TEST(Match, CanonicalNanHasOnePayloadAndAnySign) {
  const auto nan32 = pattern(Pattern::Kind::CanonicalNan, Value::f32(0));
  EXPECT_TRUE(matches(nan32, f32_bits(0x7fc0'0000)));
  EXPECT_TRUE(matches(nan32, f32_bits(0xffc0'0000)));
  EXPECT_FALSE(matches(nan32, f32_bits(0x7fc0'0001)));
  EXPECT_FALSE(matches(nan32, f32_bits(0x7f80'0000)));  // infinity
  const auto nan64 = pattern(Pattern::Kind::CanonicalNan, Value::f64(0));
  EXPECT_TRUE(matches(nan64, f64_bits(0xfff8'0000'0000'0000)));
  EXPECT_FALSE(matches(nan64, f64_bits(0x7ff8'0000'0000'0001)));
}

TEST(Match, ArithmeticNanIsAnyQuietOne) {
  const auto nan32 = pattern(Pattern::Kind::ArithmeticNan, Value::f32(0));
  EXPECT_TRUE(matches(nan32, f32_bits(0x7fff'ffff)));
  EXPECT_TRUE(matches(nan32, f32_bits(0xffc0'0000)));
  EXPECT_FALSE(matches(nan32, f32_bits(0x7f80'0001)));  // signalling
  EXPECT_FALSE(matches(nan32, Value::f32(1.0f)));
  const auto nan64 = pattern(Pattern::Kind::ArithmeticNan, Value::f64(0));
  EXPECT_TRUE(matches(nan64, f64_bits(0x7fff'ffff'ffff'ffff)));
  EXPECT_FALSE(matches(nan64, f64_bits(0x7ff7'ffff'ffff'ffff)));
}

TEST(Match, References) {
  const auto some_function = pattern(Pattern::Kind::NonNull, {funcref, Slot::null()});
  EXPECT_FALSE(matches(some_function, {funcref, Slot::null()}));
  EXPECT_TRUE(matches(some_function, {ValueType::ref(false, HeapKind::Defined, 3), Slot{8}}));
  const auto three = pattern(Pattern::Kind::Exact, {externref, Slot::external(3)});
  EXPECT_TRUE(matches(three, {externref, Slot::external(3)}));
  EXPECT_FALSE(matches(three, {externref, Slot::external(4)}));
  EXPECT_FALSE(matches(pattern(Pattern::Kind::Exact, {externref, Slot::null()}), {externref, Slot::external(0)}));
}

TEST(Match, ListsAndAlternatives) {
  Command command;
  command.expected = {pattern(Pattern::Kind::Exact, Value::i32(1)), pattern(Pattern::Kind::Exact, Value::i32(2))};
  const Value both[] = {Value::i32(1), Value::i32(2)};
  EXPECT_TRUE(matches(command, both));
  EXPECT_FALSE(matches(command, std::span(both).first(1)));
  command.is_either = true;
  EXPECT_FALSE(matches(command, both));
  EXPECT_TRUE(matches(command, std::span(both).last(1)));
  const Value three[] = {Value::i32(3)};
  EXPECT_FALSE(matches(command, three));
}

TEST(Match, NothingIsExpectedAndGot) { EXPECT_TRUE(matches(Command{}, std::span<const Value>())); }

TEST(Match, TextsShareTheirStart) {
  EXPECT_TRUE(matches_text("uninitialized element 2", "uninitialized element"));
  EXPECT_TRUE(matches_text("unknown import", "unknown import: env.f"));
  EXPECT_FALSE(matches_text("undefined element", "uninitialized element"));
  EXPECT_FALSE(matches_text("unreachable", ""));
  EXPECT_FALSE(matches_text("", "unreachable"));
}

TEST(Match, Descriptions) {
  const Value values[] = {Value::i32(7), f32_bits(0x7fc0'0000), {externref, Slot::null()}};
  EXPECT_EQ(describe(values), "i32:7 f32:0x7fc00000 externref:null");
  EXPECT_EQ(describe(std::span<const Value>()), "nothing");
}

}  // namespace
}  // namespace tfvm::spectests
