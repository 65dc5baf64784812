// Floating-point operators whose C++ spelling would not do what WebAssembly 3.0, section 4.3.3 asks: rounding without
// calls and modes, minimum and maximum with signed zeros and NaN, sign operators that keep every NaN bit.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <type_traits>
#if defined(__SSE4_1__)
#include <immintrin.h>
#endif

namespace tfvm::operators {

template <class Float>
using FloatBits = std::conditional_t<sizeof(Float) == 4, std::uint32_t, std::uint64_t>;
template <class Float>
inline constexpr FloatBits<Float> sign_bit = FloatBits<Float>{1} << (sizeof(Float) * 8 - 1);

template <class Float>
constexpr Float float_abs(Float a) {
  return std::bit_cast<Float>(std::bit_cast<FloatBits<Float>>(a) & ~sign_bit<Float>);
}
template <class Float>
constexpr Float float_neg(Float a) {
  return std::bit_cast<Float>(std::bit_cast<FloatBits<Float>>(a) ^ sign_bit<Float>);
}
template <class Float>
constexpr Float float_copysign(Float a, Float b) {
  return std::bit_cast<Float>((std::bit_cast<FloatBits<Float>>(a) & ~sign_bit<Float>) |
                              (std::bit_cast<FloatBits<Float>>(b) & sign_bit<Float>));
}

#if defined(__SSE4_1__)
template <int mode, class Float>
[[gnu::always_inline]] inline Float round_to(Float a) {
  if constexpr (sizeof(Float) == 4) {
    const __m128 value = _mm_set_ss(a);
    return _mm_cvtss_f32(_mm_round_ss(value, value, mode | _MM_FROUND_NO_EXC));
  } else {
    const __m128d value = _mm_set_sd(a);
    return _mm_cvtsd_f64(_mm_round_sd(value, value, mode | _MM_FROUND_NO_EXC));
  }
}
template <class Float>
inline Float float_ceil(Float a) {
  return round_to<_MM_FROUND_TO_POS_INF>(a);
}
template <class Float>
inline Float float_floor(Float a) {
  return round_to<_MM_FROUND_TO_NEG_INF>(a);
}
template <class Float>
inline Float float_trunc(Float a) {
  return round_to<_MM_FROUND_TO_ZERO>(a);
}
template <class Float>
inline Float float_nearest(Float a) {
  return round_to<_MM_FROUND_TO_NEAREST_INT>(a);
}
template <class Float>
inline Float float_sqrt(Float a) {
  // The intrinsic, since std::sqrt may call the library to set errno for negative numbers.
  if constexpr (sizeof(Float) == 4) return _mm_cvtss_f32(_mm_sqrt_ss(_mm_set_ss(a)));
  else return _mm_cvtsd_f64(_mm_sqrt_sd(_mm_setzero_pd(), _mm_set_sd(a)));
}
#else
/// NaN + 0 gives a quiet NaN where the library might keep a signalling one.
template <class Float>
inline Float quiet(Float a) {
  return a != a ? a + a : a;
}
template <class Float>
inline Float float_ceil(Float a) {
  return quiet(std::ceil(a));
}
template <class Float>
inline Float float_floor(Float a) {
  return quiet(std::floor(a));
}
template <class Float>
inline Float float_trunc(Float a) {
  return quiet(std::trunc(a));
}
template <class Float>
inline Float float_nearest(Float a) {
  return quiet(std::nearbyint(a));
}
template <class Float>
inline Float float_sqrt(Float a) {
  return std::sqrt(a);
}
#endif

template <class Float>
inline Float float_min(Float a, Float b) {
  if (a < b) return a;
  if (b < a) return b;
  if (a == b)  // equal, or zeros of any signs: negative zero is the smaller
    return std::bit_cast<Float>(std::bit_cast<FloatBits<Float>>(a) | std::bit_cast<FloatBits<Float>>(b));
  return a + b;  // NaN, made quiet
}
template <class Float>
inline Float float_max(Float a, Float b) {
  if (a > b) return a;
  if (b > a) return b;
  if (a == b) return std::bit_cast<Float>(std::bit_cast<FloatBits<Float>>(a) & std::bit_cast<FloatBits<Float>>(b));
  return a + b;
}

}  // namespace tfvm::operators
