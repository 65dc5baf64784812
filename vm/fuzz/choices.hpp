// Choices: a fuzzer's bytes read as decisions. Whoever changes, removes or zeroes bytes changes what is built, and
// never makes it invalid: zero stands for the simplest decision, and so do all bytes behind the end.
#pragma once

#include <cstdint>
#include <span>

namespace tfvm::fuzz {

class Choices {
 public:
  /// REQUIRES: `bytes` live as long as this.
  explicit Choices(std::span<const std::uint8_t> bytes) : bytes_(bytes) {}

  std::uint8_t byte() { return position_ < bytes_.size() ? bytes_[position_++] : std::uint8_t{0}; }
  /// A number in [0, count). REQUIRES: 0 < count <= 65536.
  std::uint32_t below(std::uint32_t count) {
    if (count <= 1) return 0;
    return (count <= 256 ? byte() : std::uint32_t{byte()} << 8 | byte()) % count;
  }
  /// True in `cases` of 256 cases.
  bool chance(unsigned cases) { return byte() + cases >= 256; }
  std::uint64_t bits(unsigned bytes) {
    std::uint64_t value = 0;
    for (; bytes != 0; --bytes) value = value << 8 | byte();
    return value;
  }
  /// One of the elements.
  template <class Range>
  const auto& of(const Range& range) {
    return range[below(static_cast<std::uint32_t>(std::size(range)))];
  }

  std::size_t position() const { return position_; }
  std::size_t left() const { return bytes_.size() - position_; }

 private:
  std::span<const std::uint8_t> bytes_;
  std::size_t position_ = 0;
};

}  // namespace tfvm::fuzz
