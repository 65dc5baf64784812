// The out-of-line parts of Reader: longer LEB128 integers, floats, names, and its failures.
#include "decoder/reader.hpp"

#include <type_traits>

#include "decoder/utf8.hpp"

namespace tfvm {
namespace {

// LEB128 of `Bits` significant bits (section 5.2.2). The last byte that fits must hold nothing but its share of them:
// unused bits are zero, or copies of the sign.
template <class Value, unsigned Bits>
Value read_leb128(Reader& reader) {
  using Unsigned = std::make_unsigned_t<Value>;
  constexpr unsigned last_shift = (Bits - 1) / 7 * 7;
  constexpr unsigned last_bits = Bits - last_shift;
  Unsigned value = 0;
  for (unsigned shift = 0;; shift += 7) {
    const std::uint32_t offset = reader.offset();
    const std::uint8_t byte = reader.byte();
    const auto payload = static_cast<std::uint8_t>(byte & 0x7f);
    if (shift == last_shift) {
      constexpr auto unused = static_cast<std::uint8_t>(0x7f & ~((1u << last_bits) - 1));
      constexpr auto sign = static_cast<std::uint8_t>(1u << (last_bits - 1));
      const bool is_negative = std::is_signed_v<Value> && (payload & sign) != 0;
      if ((payload & unused) != (is_negative ? unused : 0)) fail_malformed("integer too large", offset);
      if ((byte & 0x80) != 0) fail_malformed("integer representation too long", offset);
    }
    value |= static_cast<Unsigned>(payload) << shift;
    if ((byte & 0x80) == 0) {
      const unsigned width = shift + 7;
      if (std::is_signed_v<Value> && (payload & 0x40) != 0 && width < sizeof(Value) * 8)
        value |= ~static_cast<Unsigned>(0) << width;
      return static_cast<Value>(value);
    }
  }
}

}  // namespace

void fail(ErrorKind kind, std::string message, std::uint64_t offset) {
  Error error;
  error.kind = kind;
  error.message = std::move(message);
  error.offset = offset;
  throw DecodeFailure{std::move(error)};
}

void Reader::fail_unexpected_end(std::uint32_t offset) {
  fail_malformed("unexpected end of section or function", offset);
}

std::uint32_t Reader::u32_slow() { return read_leb128<std::uint32_t, 32>(*this); }
std::int32_t Reader::s32_slow() { return read_leb128<std::int32_t, 32>(*this); }
std::uint64_t Reader::u64_slow() { return read_leb128<std::uint64_t, 64>(*this); }
std::int64_t Reader::s64_slow() { return read_leb128<std::int64_t, 64>(*this); }
std::int64_t Reader::s33() { return read_leb128<std::int64_t, 33>(*this); }

std::uint32_t Reader::f32_bits() {
  std::uint32_t bits = 0;
  const std::uint8_t* const bytes = position_;
  skip(sizeof bits);
  for (unsigned i = 0; i < sizeof bits; ++i) bits |= static_cast<std::uint32_t>(bytes[i]) << (8 * i);
  return bits;
}

std::uint64_t Reader::f64_bits() {
  std::uint64_t bits = 0;
  const std::uint8_t* const bytes = position_;
  skip(sizeof bits);
  for (unsigned i = 0; i < sizeof bits; ++i) bits |= static_cast<std::uint64_t>(bytes[i]) << (8 * i);
  return bits;
}

std::string_view Reader::name() {
  const std::uint32_t length_offset = offset();
  const std::uint32_t size = u32();
  if (size > remaining()) fail_malformed("unexpected end: name longer than its section", length_offset);
  const std::span<const std::uint8_t> bytes(position_, size);
  if (!is_utf8(bytes)) fail_malformed("malformed UTF-8 encoding", offset());
  position_ += size;
  return {reinterpret_cast<const char*>(bytes.data()), size};
}

}  // namespace tfvm
