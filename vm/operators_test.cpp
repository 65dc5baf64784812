// The pure operators: integer corners, exact bounds of truncation, NaN bits, signed zeros, rounding (pitfalls 27, 28).
#include "vm/operators.hpp"

#include <cmath>
#include <gtest/gtest.h>

namespace tfvm {
namespace {

using namespace number;

constexpr u32 least32 = 0x80000000;
constexpr u64 least64 = 0x8000000000000000;
constexpr f32 infinity32 = std::numeric_limits<f32>::infinity();
constexpr f64 infinity64 = std::numeric_limits<f64>::infinity();

f32 from_bits(u32 bits) { return std::bit_cast<f32>(bits); }
f64 from_bits(u64 bits) { return std::bit_cast<f64>(bits); }
u32 bits(f32 value) { return std::bit_cast<u32>(value); }
u64 bits(f64 value) { return std::bit_cast<u64>(value); }

template <Op op, class... Operands>
auto compute(Operands... operands) {
  return Operator<op>::compute(static_cast<typename Operator<op>::Operand>(operands)...);
}
template <Op op, class... Operands>
TrapKind check(Operands... operands) {
  return Operator<op>::check(static_cast<typename Operator<op>::Operand>(operands)...);
}

TEST(Operators, DivisionTraps) {
  EXPECT_EQ(check<Op::I32DivS>(1, 0), TrapKind::IntegerDivideByZero);
  EXPECT_EQ(check<Op::I32DivS>(least32, -1), TrapKind::IntegerOverflow);
  EXPECT_EQ(check<Op::I32DivS>(least32, 1), TrapKind::None);
  EXPECT_EQ(check<Op::I32DivU>(least32, -1), TrapKind::None);
  EXPECT_EQ(check<Op::I32RemS>(least32, -1), TrapKind::None);
  EXPECT_EQ(check<Op::I32RemS>(5, 0), TrapKind::IntegerDivideByZero);
  EXPECT_EQ(check<Op::I32RemU>(5, 0), TrapKind::IntegerDivideByZero);
  EXPECT_EQ(check<Op::I64DivS>(least64, -1), TrapKind::IntegerOverflow);
  EXPECT_EQ(check<Op::I64DivS>(u64{least32}, -1), TrapKind::None);
  EXPECT_EQ(check<Op::I64DivU>(1, 0), TrapKind::IntegerDivideByZero);
}

TEST(Operators, DivisionAndRemainder) {
  EXPECT_EQ(compute<Op::I32RemS>(least32, -1), 0u);
  EXPECT_EQ(compute<Op::I64RemS>(least64, -1), 0u);
  EXPECT_EQ(compute<Op::I32DivS>(-7, 2), static_cast<u32>(-3));
  EXPECT_EQ(compute<Op::I32RemS>(-7, 2), static_cast<u32>(-1));
  EXPECT_EQ(compute<Op::I32DivU>(-7, 2), 0x7ffffffcu);
  EXPECT_EQ(compute<Op::I64RemU>(-7, 10), (~u64{0} - 6) % 10);
}

TEST(Operators, ShiftsAndRotationsTakeTheirCountModulo) {
  EXPECT_EQ(compute<Op::I32Shl>(1, 33), 2u);
  EXPECT_EQ(compute<Op::I32ShrS>(least32, 32), least32);
  EXPECT_EQ(compute<Op::I32ShrS>(least32, 31), 0xffffffffu);
  EXPECT_EQ(compute<Op::I32ShrU>(least32, 63), 1u);
  EXPECT_EQ(compute<Op::I64Shl>(1, 65), 2u);
  EXPECT_EQ(compute<Op::I64ShrS>(least64, 127), ~u64{0});
  EXPECT_EQ(compute<Op::I32Rotl>(0x80000001, 33), 3u);
  EXPECT_EQ(compute<Op::I32Rotr>(1, 33), least32);
  EXPECT_EQ(compute<Op::I64Rotr>(1, 64), 1u);
  EXPECT_EQ(compute<Op::I64Rotl>(least64, 1), 1u);
}

TEST(Operators, CountsOfZeroAreTheWidth) {
  EXPECT_EQ(compute<Op::I32Clz>(0), 32u);
  EXPECT_EQ(compute<Op::I32Ctz>(0), 32u);
  EXPECT_EQ(compute<Op::I64Clz>(0), 64u);
  EXPECT_EQ(compute<Op::I64Ctz>(0), 64u);
  EXPECT_EQ(compute<Op::I64Popcnt>(-1), 64u);
}

TEST(Operators, SignExtensionAndComparison) {
  EXPECT_EQ(compute<Op::I32Extend8S>(0x1ff), 0xffffffffu);
  EXPECT_EQ(compute<Op::I32Extend16S>(0x18000), 0xffff8000u);
  EXPECT_EQ(compute<Op::I64Extend8S>(0x80), ~u64{0} - 127);
  EXPECT_EQ(compute<Op::I64Extend32S>(0x180000000), 0xffffffff80000000u);
  EXPECT_EQ(compute<Op::I64ExtendI32S>(least32), 0xffffffff80000000u);
  EXPECT_EQ(compute<Op::I64ExtendI32U>(least32), u64{least32});
  EXPECT_EQ(compute<Op::I32WrapI64>(0x123456789abcdef0), 0x9abcdef0u);
  EXPECT_EQ(compute<Op::I32LtS>(-1, 0), 1u);
  EXPECT_EQ(compute<Op::I32LtU>(-1, 0), 0u);
  EXPECT_EQ(compute<Op::I64GeS>(least64, 0), 0u);
  EXPECT_EQ(compute<Op::I64GeU>(least64, 0), 1u);
}

/// The last floats that truncate and the first that do not, for a trapping operator and its saturating twin.
template <Op trapping, Op saturating, class Float, class Integer>
void expect_bounds(Float last_below, Float first_below, Float last_above, Float first_above) {
  using Result = typename Operator<trapping>::Result;
  const auto least = static_cast<Result>(std::numeric_limits<Integer>::min());
  const auto most = static_cast<Result>(std::numeric_limits<Integer>::max());
  EXPECT_EQ(check<trapping>(last_below), TrapKind::None);
  EXPECT_EQ(check<trapping>(first_below), TrapKind::IntegerOverflow);
  EXPECT_EQ(check<trapping>(last_above), TrapKind::None);
  EXPECT_EQ(check<trapping>(first_above), TrapKind::IntegerOverflow);
  EXPECT_EQ(compute<trapping>(last_above), static_cast<Result>(static_cast<Integer>(last_above)));
  EXPECT_EQ(compute<trapping>(last_below), static_cast<Result>(static_cast<Integer>(last_below)));
  EXPECT_EQ(compute<saturating>(last_above), static_cast<Result>(static_cast<Integer>(last_above)));
  EXPECT_EQ(compute<saturating>(first_above), most);
  EXPECT_EQ(compute<saturating>(first_below), least);
  for (const Float sign : {Float{1}, Float{-1}}) {
    const Float nan = std::copysign(std::numeric_limits<Float>::quiet_NaN(), sign);
    const Float infinite = std::copysign(std::numeric_limits<Float>::infinity(), sign);
    EXPECT_EQ(check<trapping>(nan), TrapKind::InvalidConversion);
    EXPECT_EQ(compute<saturating>(nan), Result{0});
    EXPECT_EQ(check<trapping>(infinite), TrapKind::IntegerOverflow);
    EXPECT_EQ(compute<saturating>(infinite), sign < 0 ? least : most);
  }
}

TEST(Operators, TruncationBoundsAreExact) {
  constexpr f32 nearly_minus_one = -0x1.fffffep-1F;
  constexpr f64 nearly_minus_one64 = -0x1.fffffffffffffp-1;
  expect_bounds<Op::I32TruncF32S, Op::I32TruncSatF32S, f32, s32>(-0x1p31F, -0x1.000002p31F, 0x1.fffffep30F, 0x1p31F);
  expect_bounds<Op::I32TruncF32U, Op::I32TruncSatF32U, f32, u32>(nearly_minus_one, -1, 0x1.fffffep31F, 0x1p32F);
  expect_bounds<Op::I32TruncF64S, Op::I32TruncSatF64S, f64, s32>(-2147483648.9999995, -2147483649.0, 2147483647.9999998,
                                                                 2147483648.0);
  expect_bounds<Op::I32TruncF64U, Op::I32TruncSatF64U, f64, u32>(nearly_minus_one64, -1, 4294967295.9999995,
                                                                 4294967296.0);
  expect_bounds<Op::I64TruncF32S, Op::I64TruncSatF32S, f32, s64>(-0x1p63F, -0x1.000002p63F, 0x1.fffffep62F, 0x1p63F);
  expect_bounds<Op::I64TruncF32U, Op::I64TruncSatF32U, f32, u64>(nearly_minus_one, -1, 0x1.fffffep63F, 0x1p64F);
  expect_bounds<Op::I64TruncF64S, Op::I64TruncSatF64S, f64, s64>(-0x1p63, -0x1.0000000000001p63, 0x1.fffffffffffffp62,
                                                                 0x1p63);
  expect_bounds<Op::I64TruncF64U, Op::I64TruncSatF64U, f64, u64>(nearly_minus_one64, -1, 0x1.fffffffffffffp63, 0x1p64);
}

TEST(Operators, ConversionsRoundToNearestEven) {
  EXPECT_EQ(compute<Op::F32ConvertI32S>(16777217), 16777216.0F);
  EXPECT_EQ(compute<Op::F32ConvertI32S>(16777219), 16777220.0F);
  EXPECT_EQ(compute<Op::F32ConvertI32U>(UINT32_MAX), 4294967296.0F);
  EXPECT_EQ(compute<Op::F32ConvertI64U>(0x8000008000000001), 0x1.000002p63F);
  EXPECT_EQ(compute<Op::F64ConvertI64U>(0x8000000000000400), 0x1p63);
  EXPECT_EQ(compute<Op::F64ConvertI64U>(0x8000000000000401), 0x1.0000000000001p63);
  EXPECT_EQ(compute<Op::F64ConvertI64S>(-1), -1.0);
  EXPECT_EQ(compute<Op::F32DemoteF64>(0x1.0000010000001p0), 0x1.000002p0F);
  EXPECT_EQ(bits(compute<Op::F32DemoteF64>(-1e-300)), 0x80000000u);
}

TEST(Operators, SignOperatorsKeepEveryNanBit) {
  const u32 signalling = 0x7f800001;
  EXPECT_EQ(bits(compute<Op::F32Neg>(from_bits(signalling))), 0xff800001u);
  EXPECT_EQ(bits(compute<Op::F32Abs>(from_bits(u32{0xff800001}))), signalling);
  EXPECT_EQ(bits(compute<Op::F32Copysign>(from_bits(signalling), -1.0F)), 0xff800001u);
  EXPECT_EQ(bits(compute<Op::F64Neg>(from_bits(u64{0x7ff0000000000001}))), 0xfff0000000000001u);
  EXPECT_EQ(compute<Op::I32ReinterpretF32>(from_bits(signalling)), signalling);
  EXPECT_EQ(bits(compute<Op::F64ReinterpretI64>(u64{0xfff0000000000001})), 0xfff0000000000001u);
}

TEST(Operators, ArithmeticMakesNansQuiet) {
  const f32 signalling = from_bits(u32{0x7f800001});
  const u32 quiet = 0x00400000;
  EXPECT_NE(bits(compute<Op::F32Min>(signalling, 1.0F)) & quiet, 0u);
  EXPECT_NE(bits(compute<Op::F32Max>(1.0F, signalling)) & quiet, 0u);
  EXPECT_NE(bits(compute<Op::F32Ceil>(signalling)) & quiet, 0u);
  EXPECT_NE(bits(compute<Op::F32Nearest>(signalling)) & quiet, 0u);
  EXPECT_NE(bits(compute<Op::F32Sqrt>(signalling)) & quiet, 0u);
  EXPECT_NE(bits(compute<Op::F64PromoteF32>(signalling)) & 0x0008000000000000u, 0u);
  EXPECT_TRUE(std::isnan(compute<Op::F64Sqrt>(-1.0)));
}

TEST(Operators, MinimumAndMaximumKnowSignedZerosAndNans) {
  EXPECT_EQ(bits(compute<Op::F32Min>(0.0F, -0.0F)), 0x80000000u);
  EXPECT_EQ(bits(compute<Op::F32Min>(-0.0F, 0.0F)), 0x80000000u);
  EXPECT_EQ(bits(compute<Op::F32Max>(-0.0F, 0.0F)), 0u);
  EXPECT_EQ(bits(compute<Op::F64Max>(0.0, -0.0)), 0u);
  EXPECT_EQ(compute<Op::F64Min>(-infinity64, 5.0), -infinity64);
  EXPECT_EQ(compute<Op::F32Max>(infinity32, 5.0F), infinity32);
  EXPECT_TRUE(std::isnan(compute<Op::F64Min>(std::nan(""), -infinity64)));
  EXPECT_TRUE(std::isnan(compute<Op::F64Max>(infinity64, std::nan(""))));
}

TEST(Operators, RoundingKeepsSignsAndPrefersEven) {
  EXPECT_EQ(compute<Op::F64Nearest>(0.5), 0.0);
  EXPECT_EQ(compute<Op::F64Nearest>(1.5), 2.0);
  EXPECT_EQ(compute<Op::F64Nearest>(2.5), 2.0);
  EXPECT_EQ(bits(compute<Op::F64Nearest>(-0.5)), least64);
  EXPECT_EQ(bits(compute<Op::F32Ceil>(-0.9F)), least32);
  EXPECT_EQ(bits(compute<Op::F32Trunc>(-0.9F)), least32);
  EXPECT_EQ(compute<Op::F32Floor>(-0.1F), -1.0F);
  EXPECT_EQ(compute<Op::F64Nearest>(4503599627370497.5), 4503599627370498.0);
  EXPECT_EQ(compute<Op::F32Nearest>(8388609.0F), 8388609.0F);
}

TEST(Operators, ComparisonsWithNanAreFalseButNotEqual) {
  const f64 nan = std::nan("");
  EXPECT_EQ(compute<Op::F64Eq>(nan, nan), 0u);
  EXPECT_EQ(compute<Op::F64Ne>(nan, nan), 1u);
  EXPECT_EQ(compute<Op::F64Lt>(nan, 1.0) + compute<Op::F64Ge>(nan, 1.0) + compute<Op::F64Gt>(1.0, nan), 0u);
  EXPECT_EQ(compute<Op::F64Eq>(0.0, -0.0), 1u);
}

TEST(Operators, ProductsAndSumsAreNotFused) {
  const f64 a = 1.0 + 0x1p-52;
  const f64 product = compute<Op::F64Mul>(a, a);
  EXPECT_EQ(compute<Op::F64Sub>(product, 1.0 + 0x1p-51), 0.0);
}

TEST(Operators, SubnormalsStay) {
  EXPECT_EQ(bits(compute<Op::F32Mul>(from_bits(u32{1}), 1.0F)), 1u);
  EXPECT_EQ(bits(compute<Op::F64Div>(from_bits(u64{2}), 2.0)), 1u);
}

}  // namespace
}  // namespace tfvm
