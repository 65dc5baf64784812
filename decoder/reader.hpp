// Reader: the only cursor over untrusted bytes. Every read is bounds-checked; a failed one throws DecodeFailure, which
// never leaves decoder/: decode_module and validate_module turn it into an Error (section 5.1, 5.2).
#pragma once

#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>

#include "decoder/error.hpp"

namespace tfvm {

/// Thrown by Reader and the decoder's and validator's rules; carries the Error to report.
struct DecodeFailure {
  Error error;
};

[[noreturn]] void fail(ErrorKind kind, std::string message, std::uint64_t offset);
[[noreturn]] inline void fail_malformed(std::string message, std::uint64_t offset) {
  fail(ErrorKind::Malformed, std::move(message), offset);
}

class Reader {
 public:
  /// Reads module_bytes[begin, end). Offsets are counted from the start of the module.
  /// REQUIRES: begin <= end <= module_bytes.size(); the bytes outlive the reader.
  Reader(std::span<const std::uint8_t> module_bytes, std::size_t begin, std::size_t end)
      : base_(module_bytes.data()), position_(base_ + begin), end_(base_ + end) {}

  std::uint32_t offset() const { return static_cast<std::uint32_t>(position_ - base_); }
  std::size_t remaining() const { return static_cast<std::size_t>(end_ - position_); }
  bool at_end() const { return position_ == end_; }
  void seek(std::uint32_t offset) { position_ = base_ + offset; }

  std::uint8_t peek() const {
    if (position_ == end_) [[unlikely]]
      fail_unexpected_end(offset());
    return *position_;
  }
  std::uint8_t byte() {
    if (position_ == end_) [[unlikely]]
      fail_unexpected_end(offset());
    return *position_++;
  }
  /// LEB128, section 5.2.2: one byte inline, the rest out of line.
  std::uint32_t u32() {
    if (position_ != end_ && *position_ < 0x80) [[likely]]
      return *position_++;
    return slowly<std::uint32_t, &Reader::u32_slow>();
  }
  std::int32_t s32() {
    if (position_ != end_ && *position_ < 0x80) [[likely]]
      return static_cast<std::int32_t>(static_cast<std::uint32_t>(*position_++) << 25) >> 25;
    return slowly<std::int32_t, &Reader::s32_slow>();
  }
  std::uint64_t u64() {
    if (position_ != end_ && *position_ < 0x80) [[likely]]
      return *position_++;
    return slowly<std::uint64_t, &Reader::u64_slow>();
  }
  std::int64_t s64() {
    if (position_ != end_ && *position_ < 0x80) [[likely]]
      return static_cast<std::int64_t>(static_cast<std::uint64_t>(*position_++) << 57) >> 57;
    return slowly<std::int64_t, &Reader::s64_slow>();
  }
  /// Signed 33-bit, for block types and heap types.
  std::int64_t s33();
  /// Little-endian bit patterns of floats: NaN payloads stay as they are.
  std::uint32_t f32_bits();
  std::uint64_t f64_bits();
  /// A vector of bytes that is UTF-8 (section 5.2.4); "malformed UTF-8 encoding" otherwise. A view of the module.
  std::string_view name();
  /// Skips `size` bytes, which must be there.
  void skip(std::size_t size) {
    if (size > remaining()) [[unlikely]]
      fail_unexpected_end(offset());
    position_ += size;
  }

 private:
  [[noreturn]] static void fail_unexpected_end(std::uint32_t offset);

  // On a copy, so that the address of a reader never leaves a loop that keeps it in registers.
  template <class Value, Value (Reader::*Read)()>
  Value slowly() {
    Reader copy = *this;
    const Value value = (copy.*Read)();
    *this = copy;
    return value;
  }
  std::uint32_t u32_slow();
  std::int32_t s32_slow();
  std::uint64_t u64_slow();
  std::int64_t s64_slow();

  const std::uint8_t* base_;
  const std::uint8_t* position_;
  const std::uint8_t* end_;
};

}  // namespace tfvm
