// UTF-8 check: runs of ASCII eight bytes at a time, everything else by the ranges of the second byte.
#include "decoder/utf8.hpp"

#include <cstring>

namespace tfvm {
namespace {

struct Sequence {
  std::uint8_t length;        // bytes behind the first; 0: the first byte begins no sequence
  std::uint8_t second_first;  // range of the second byte
  std::uint8_t second_last;
};

constexpr Sequence sequence_of(std::uint8_t first) {
  if (first < 0xc2) return {0, 0, 0};  // c0 and c1 would be overlong
  if (first < 0xe0) return {1, 0x80, 0xbf};
  if (first == 0xe0) return {2, 0xa0, 0xbf};
  if (first == 0xed) return {2, 0x80, 0x9f};  // surrogates
  if (first < 0xf0) return {2, 0x80, 0xbf};
  if (first == 0xf0) return {3, 0x90, 0xbf};
  if (first < 0xf4) return {3, 0x80, 0xbf};
  if (first == 0xf4) return {3, 0x80, 0x8f};  // ends at U+10FFFF
  return {0, 0, 0};
}

}  // namespace

bool is_utf8(std::span<const std::uint8_t> bytes) {
  const std::uint8_t* position = bytes.data();
  const std::uint8_t* const end = position + bytes.size();
  while (position != end) {
    if (end - position >= 8) {
      std::uint64_t word;
      std::memcpy(&word, position, sizeof word);
      if ((word & 0x8080808080808080u) == 0) {
        position += 8;
        continue;
      }
    }
    const std::uint8_t first = *position++;
    if (first < 0x80) continue;
    const Sequence sequence = sequence_of(first);
    if (sequence.length == 0 || end - position < sequence.length) return false;
    if (*position < sequence.second_first || *position > sequence.second_last) return false;
    for (int i = 1; i < sequence.length; ++i)
      if ((position[i] & 0xc0) != 0x80) return false;
    position += sequence.length;
  }
  return true;
}

}  // namespace tfvm
