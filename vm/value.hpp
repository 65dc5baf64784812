// Values at run time: Slot, the untyped 8 bytes that frames, globals and tables hold, and Value, which knows its type.
// Invariant of every slot that holds an i32: the upper four bytes are zero.
#pragma once

#include <bit>
#include <cstdint>
#include <type_traits>

#include "decoder/types.hpp"

namespace tfvm {

struct FunctionInstance;

/// Eight bytes that hold a number or a reference; who reads knows the type.
/// References: 0 is null; a function reference is the address of its FunctionInstance; an external reference is
/// the host's 63-bit number, shifted left by one, plus 1.
struct Slot {
  std::uint64_t bits = 0;

  static constexpr Slot i32(std::uint32_t value) { return {value}; }
  static constexpr Slot i64(std::uint64_t value) { return {value}; }
  static constexpr Slot f32(float value) { return {std::bit_cast<std::uint32_t>(value)}; }
  static constexpr Slot f64(double value) { return {std::bit_cast<std::uint64_t>(value)}; }
  static constexpr Slot null() { return {0}; }
  static Slot function(const FunctionInstance* function) { return {reinterpret_cast<std::uint64_t>(function)}; }
  static constexpr Slot external(std::uint64_t number) { return {number << 1 | 1}; }

  constexpr std::uint32_t as_i32() const { return static_cast<std::uint32_t>(bits); }
  constexpr std::uint64_t as_i64() const { return bits; }
  constexpr float as_f32() const { return std::bit_cast<float>(static_cast<std::uint32_t>(bits)); }
  constexpr double as_f64() const { return std::bit_cast<double>(bits); }
  constexpr bool is_null() const { return bits == 0; }
  FunctionInstance* as_function() const { return reinterpret_cast<FunctionInstance*>(bits); }
  constexpr std::uint64_t as_external() const { return bits >> 1; }
};
static_assert(sizeof(Slot) == 8 && std::is_trivially_copyable_v<Slot>);

/// A slot and its type.
struct Value {
  ValueType type;
  Slot slot;

  static Value i32(std::uint32_t v) { return {ValueKind::I32, Slot::i32(v)}; }
  static Value i64(std::uint64_t v) { return {ValueKind::I64, Slot::i64(v)}; }
  static Value f32(float v) { return {ValueKind::F32, Slot::f32(v)}; }
  static Value f64(double v) { return {ValueKind::F64, Slot::f64(v)}; }
};

}  // namespace tfvm
