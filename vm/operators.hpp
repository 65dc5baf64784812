// Operator<Op>: what an instruction computes, as pure functions over C++ numbers (operators.def), and walks over all of
// them. No instance, no stack, no trap is raised here: a trapping operator says by check() whether it would trap.
// WebAssembly 3.0, section 4.3 (numerics).
#pragma once

#include <bit>
#include <cstdint>
#include <limits>
#include <type_traits>

#include "decoder/opcodes.hpp"
#include "vm/float.hpp"
#include "vm/trap.hpp"

namespace tfvm {

namespace number {
using u8 = std::uint8_t;
using u16 = std::uint16_t;
using u32 = std::uint32_t;
using u64 = std::uint64_t;
using s8 = std::int8_t;
using s16 = std::int16_t;
using s32 = std::int32_t;
using s64 = std::int64_t;
using f32 = float;
using f64 = double;
}  // namespace number

namespace operators {

template <class T>
constexpr TrapKind check_divide(T divisor) {
  return divisor == 0 ? TrapKind::IntegerDivideByZero : TrapKind::None;
}
template <class T>
constexpr TrapKind check_divide_signed(T dividend, T divisor) {
  if (divisor == 0) return TrapKind::IntegerDivideByZero;
  constexpr T least = T{1} << (std::numeric_limits<T>::digits - 1);
  return divisor == static_cast<T>(-1) && dividend == least ? TrapKind::IntegerOverflow : TrapKind::None;
}
template <class T>
constexpr T remainder_signed(T dividend, T divisor) {
  using S = std::make_signed_t<T>;
  if (divisor == static_cast<T>(-1)) return 0;  // the processor would fault on the least integer
  return static_cast<T>(static_cast<S>(dividend) % static_cast<S>(divisor));
}

/// The open interval of floats that truncate into Integer: both ends are exact in Float, and are the nearest floats
/// outside. f32 to s32: -2147483648 itself is in, so the lower end is the next float below it.
template <class Integer, class Float>
struct TruncationBounds {
  static constexpr int integer_bits = std::numeric_limits<Integer>::digits;
  static constexpr int float_bits = std::numeric_limits<Float>::digits;
  static constexpr Float power(int exponent) {
    Float value = 1;
    for (int i = 0; i < exponent; ++i) value *= 2;
    return value;
  }
  static constexpr Float above = power(integer_bits);
  static constexpr Float below() {
    if (!std::is_signed_v<Integer>) return -1;
    if (integer_bits < float_bits) return -above - 1;
    return -above - power(integer_bits - float_bits + 1);
  }
};
template <class Integer, class Float>
constexpr TrapKind check_truncate(Float value) {
  using Bounds = TruncationBounds<Integer, Float>;
  if (value > Bounds::below() && value < Bounds::above) [[likely]]
    return TrapKind::None;
  return value != value ? TrapKind::InvalidConversion : TrapKind::IntegerOverflow;
}
template <class Integer, class Float>
constexpr Integer truncate_saturated(Float value) {
  using Bounds = TruncationBounds<Integer, Float>;
  if (value > Bounds::below() && value < Bounds::above) [[likely]]
    return static_cast<Integer>(value);
  if (value != value) return 0;
  return value < 0 ? std::numeric_limits<Integer>::min() : std::numeric_limits<Integer>::max();
}

}  // namespace operators

enum class OperatorForm : std::uint8_t { None, Unary, Binary, Load, Store };

/// Specialised for every numeric operator: Operand, Result, compute(), check(), traps; for loads and stores: Memory
/// (the type in memory) and Result or Operand.
template <Op op>
struct Operator {
  static constexpr OperatorForm form = OperatorForm::None;
};

namespace operators {
using namespace number;  // NOLINT: the rows of operators.def are written in these names
}

#define TFVM_OPERATOR(op, operand, result, form_, traps_, parameters, check_, expression) \
  template <>                                                                             \
  struct Operator<Op::op> {                                                               \
    using Operand = number::operand;                                                      \
    using Result = number::result;                                                        \
    static constexpr OperatorForm form = OperatorForm::form_;                             \
    static constexpr bool traps = traps_;                                                 \
    static constexpr TrapKind check parameters {                                          \
      using namespace operators;                                                          \
      return check_;                                                                      \
    }                                                                                     \
    [[gnu::always_inline]] static inline Result compute parameters {                      \
      using namespace operators;                                                          \
      return static_cast<Result>(expression);                                             \
    }                                                                                     \
  };
#define UNARY(op, operand, result, expression) \
  TFVM_OPERATOR(op, operand, result, Unary, false, ([[maybe_unused]] Operand a), TrapKind::None, expression)
#define BINARY(op, operand, result, expression)                                                               \
  TFVM_OPERATOR(op, operand, result, Binary, false, ([[maybe_unused]] Operand a, [[maybe_unused]] Operand b), \
                TrapKind::None, expression)
#define UNARY_TRAPPING(op, operand, result, check, expression) \
  TFVM_OPERATOR(op, operand, result, Unary, true, ([[maybe_unused]] Operand a), check, expression)
#define BINARY_TRAPPING(op, operand, result, check, expression)                                                     \
  TFVM_OPERATOR(op, operand, result, Binary, true, ([[maybe_unused]] Operand a, [[maybe_unused]] Operand b), check, \
                expression)
#define LOAD(op, memory, result)                             \
  template <>                                                \
  struct Operator<Op::op> {                                  \
    using Memory = number::memory;                           \
    using Result = number::result;                           \
    static constexpr OperatorForm form = OperatorForm::Load; \
    static constexpr bool traps = true;                      \
  };
#define STORE(op, memory, operand)                            \
  template <>                                                 \
  struct Operator<Op::op> {                                   \
    using Memory = number::memory;                            \
    using Operand = number::operand;                          \
    static constexpr OperatorForm form = OperatorForm::Store; \
    static constexpr bool traps = true;                       \
  };
#include "vm/operators.def"
#undef UNARY
#undef BINARY
#undef UNARY_TRAPPING
#undef BINARY_TRAPPING
#undef LOAD
#undef STORE
#undef TFVM_OPERATOR

namespace operators {
/// Every row of opcodes.def with a fixed signature over numbers has its operator.
consteval bool all_operators_are_defined() {
  bool complete = true;
#define OP(prefix, code, name, spelling, immediate, signature, width, feature, effect)             \
  if (ImmediateKind::immediate == ImmediateKind::Memarg ||                                         \
      (ImmediateKind::immediate == ImmediateKind::None && std::string_view(signature).size() > 1)) \
    complete = complete && Operator<Op::name>::form != OperatorForm::None;
#include "decoder/opcodes.def"
#undef OP
  return complete;
}
static_assert(all_operators_are_defined(), "an instruction of opcodes.def has no row in operators.def");
}  // namespace operators

}  // namespace tfvm
