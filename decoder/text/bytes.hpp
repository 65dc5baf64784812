// Bytes: the binary format being written (WebAssembly 3.0, section 5.2). No knowledge of modules.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace tfvm::text {

class Bytes {
 public:
  void byte(std::uint32_t value) { bytes_.push_back(static_cast<std::uint8_t>(value)); }
  void u64(std::uint64_t value) {
    for (; value >= 0x80; value >>= 7) byte(0x80 | (value & 0x7f));
    byte(static_cast<std::uint32_t>(value));
  }
  void u32(std::uint32_t value) { u64(value); }
  void s64(std::int64_t value) {
    while (value < -0x40 || value >= 0x40) {
      byte(static_cast<std::uint32_t>(0x80 | (value & 0x7f)));
      value >>= 7;
    }
    byte(static_cast<std::uint32_t>(value & 0x7f));
  }
  /// `size` bytes of `value`, the lowest first.
  void little_endian(std::uint64_t value, unsigned size) {
    for (unsigned i = 0; i < size; ++i) byte(static_cast<std::uint32_t>(value >> (8 * i) & 0xff));
  }
  void append(std::span<const std::uint8_t> bytes) { bytes_.insert(bytes_.end(), bytes.begin(), bytes.end()); }
  void append(std::string_view text) {
    for (const char character : text) byte(static_cast<unsigned char>(character));
  }
  /// The number of bytes, then the bytes.
  void sized(std::span<const std::uint8_t> bytes) {
    u32(static_cast<std::uint32_t>(bytes.size()));
    append(bytes);
  }
  void name(std::string_view text) {
    u32(static_cast<std::uint32_t>(text.size()));
    append(text);
  }

  std::size_t size() const { return bytes_.size(); }
  void truncate(std::size_t size) { bytes_.resize(size); }
  std::span<const std::uint8_t> span() const { return bytes_; }
  std::span<const std::uint8_t> from(std::size_t begin) const { return span().subspan(begin); }
  std::string_view view() const { return {reinterpret_cast<const char*>(bytes_.data()), bytes_.size()}; }
  std::vector<std::uint8_t> take() { return std::move(bytes_); }

 private:
  std::vector<std::uint8_t> bytes_;
};

/// A section's entries, counted.
struct Entries {
  std::uint32_t count = 0;
  Bytes bytes;
};

}  // namespace tfvm::text
