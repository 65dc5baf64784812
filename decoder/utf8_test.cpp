#include "decoder/utf8.hpp"

#include <gtest/gtest.h>
#include <string>
#include <string_view>

namespace tfvm {
namespace {

bool accepts(std::string_view text) {
  return is_utf8({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
}

// All encodings of a number as one to four bytes, well-formed or not.
std::string encode(std::uint32_t code, int length) {
  const auto tail = [code](int shift) { return static_cast<char>(0x80 | (code >> shift & 0x3f)); };
  switch (length) {
    case 1: return {static_cast<char>(code)};
    case 2: return {static_cast<char>(0xc0 | code >> 6), tail(0)};
    case 3: return {static_cast<char>(0xe0 | code >> 12), tail(6), tail(0)};
    default: return {static_cast<char>(0xf0 | code >> 18), tail(12), tail(6), tail(0)};
  }
}

int shortest(std::uint32_t code) { return code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4; }

TEST(Utf8, EveryCodePointInItsShortestFormOnly) {
  for (std::uint32_t code = 0; code < 0x200000; ++code) {
    const bool is_scalar = code <= 0x10ffff && (code < 0xd800 || code > 0xdfff);
    for (int length = shortest(code); length <= 4; ++length)
      ASSERT_EQ(accepts(encode(code, length)), is_scalar && length == shortest(code)) << code << " in " << length;
  }
}

TEST(Utf8, TruncatedSequencesAtAnyPlace) {
  for (const std::string_view text : {"\xc3\xa4", "\xe2\x82\xac", "\xf0\x9f\x98\x80"}) {
    for (std::size_t size = 1; size < text.size(); ++size) {
      EXPECT_FALSE(accepts(text.substr(0, size)));
      EXPECT_FALSE(accepts(std::string(text.substr(0, size)) + "a"));
    }
    EXPECT_TRUE(accepts(text));
  }
}

TEST(Utf8, StrayBytes) {
  for (int byte = 0x80; byte <= 0xff; ++byte) EXPECT_FALSE(accepts(std::string(1, static_cast<char>(byte)))) << byte;
}

TEST(Utf8, FindsTheBadByteAtEveryPositionOfALongText) {
  for (std::size_t size = 0; size < 40; ++size) {
    const std::string text(size, 'x');
    EXPECT_TRUE(accepts(text));
    for (std::size_t position = 0; position < size; ++position) {
      std::string broken = text;
      broken[position] = '\x80';
      EXPECT_FALSE(accepts(broken)) << size << " " << position;
    }
  }
  EXPECT_TRUE(accepts(std::string_view("a\0b", 3)));
}

}  // namespace
}  // namespace tfvm
