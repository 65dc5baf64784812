#include "decoder/reader.hpp"

#include <gtest/gtest.h>
#include <limits>
#include <vector>

#include "decoder/test_module.hpp"

namespace tfvm {
namespace {

using test::Bytes;

// The message of the failure of `read` on `bytes`, or "read" and how many bytes were left.
template <class Read>
std::string failure(const Bytes& bytes, Read read) {
  Reader reader(bytes, 0, bytes.size());
  try {
    read(reader);
  } catch (const DecodeFailure& failure) {
    EXPECT_EQ(failure.error.kind, ErrorKind::Malformed);
    return failure.error.message;
  }
  return "read, " + std::to_string(reader.remaining()) + " left";
}

constexpr auto read_u32 = [](Reader& reader) { return reader.u32(); };
constexpr auto read_s32 = [](Reader& reader) { return reader.s32(); };
constexpr auto read_u64 = [](Reader& reader) { return reader.u64(); };
constexpr auto read_s64 = [](Reader& reader) { return reader.s64(); };
constexpr auto read_s33 = [](Reader& reader) { return reader.s33(); };

TEST(Reader, UnsignedIntegersRoundTrip) {
  for (int bit = 0; bit < 64; ++bit) {
    for (const std::uint64_t value :
         {(std::uint64_t{1} << bit) - 1, std::uint64_t{1} << bit, ~std::uint64_t{0} >> bit}) {
      const Bytes bytes = test::unsigned_leb(value);
      Reader reader(bytes, 0, bytes.size());
      EXPECT_EQ(reader.u64(), value);
      EXPECT_TRUE(reader.at_end());
      if (value > UINT32_MAX) continue;
      reader.seek(0);
      EXPECT_EQ(reader.u32(), value);
      EXPECT_TRUE(reader.at_end());
    }
  }
}

TEST(Reader, SignedIntegersRoundTrip) {
  for (int bit = 0; bit < 64; ++bit) {
    const auto power = static_cast<std::int64_t>(std::uint64_t{1} << bit);
    for (const std::int64_t value : {power, ~power, power >> 1, ~(power >> 1)}) {
      const Bytes bytes = test::signed_leb(value);
      Reader reader(bytes, 0, bytes.size());
      EXPECT_EQ(reader.s64(), value);
      EXPECT_TRUE(reader.at_end());
      reader.seek(0);
      if (value == static_cast<std::int32_t>(value)) {
        EXPECT_EQ(reader.s32(), value);
        reader.seek(0);
      }
      if (value >= -(std::int64_t{1} << 32) && value < std::int64_t{1} << 32) {
        EXPECT_EQ(reader.s33(), value);
      }
    }
  }
}

TEST(Reader, AcceptsPaddingUpToTheLongestForm) {
  EXPECT_EQ(failure({0x83, 0x80, 0x80, 0x80, 0x00}, read_u32), "read, 0 left");
  EXPECT_EQ(failure({0xff, 0xff, 0xff, 0xff, 0x7f}, read_s32), "read, 0 left");
  EXPECT_EQ(failure({0x80, 0x80, 0x80, 0x80, 0x70}, read_s33), "read, 0 left");
  EXPECT_EQ(failure({0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x7f}, read_s64), "read, 0 left");
}

TEST(Reader, RefusesRepresentationsThatAreTooLong) {
  const char* const message = "integer representation too long";
  EXPECT_EQ(failure({0x83, 0x80, 0x80, 0x80, 0x80, 0x00}, read_u32), message);
  EXPECT_EQ(failure({0x80, 0x80, 0x80, 0x80, 0x80, 0x00}, read_s32), message);
  EXPECT_EQ(failure({0xff, 0xff, 0xff, 0xff, 0xff, 0x7f}, read_s32), message);
  EXPECT_EQ(failure({0x80, 0x80, 0x80, 0x80, 0x80, 0x00}, read_s33), message);
  EXPECT_EQ(failure(test::repeat({0x80}, 10) + Bytes{0x00}, read_u64), message);
  EXPECT_EQ(failure(test::repeat({0x80}, 10) + Bytes{0x00}, read_s64), message);
}

TEST(Reader, RefusesUnusedBits) {
  const char* const message = "integer too large";
  EXPECT_EQ(failure({0x80, 0x80, 0x80, 0x80, 0x10}, read_u32), message);
  EXPECT_EQ(failure({0x80, 0x80, 0x80, 0x80, 0x08}, read_s32), message);  // positive, sign bits mixed
  EXPECT_EQ(failure({0xff, 0xff, 0xff, 0xff, 0x0f}, read_s32), message);
  EXPECT_EQ(failure({0xff, 0xff, 0xff, 0xff, 0x77}, read_s32), message);
  EXPECT_EQ(failure({0x80, 0x80, 0x80, 0x80, 0x20}, read_s33), message);
  EXPECT_EQ(failure(test::repeat({0xff}, 9) + Bytes{0x02}, read_u64), message);
  EXPECT_EQ(failure(test::repeat({0x80}, 9) + Bytes{0x7e}, read_s64), message);
}

TEST(Reader, RefusesToReadBehindTheEnd) {
  const std::string message = "unexpected end of section or function";
  EXPECT_EQ(failure({}, [](Reader& reader) { reader.byte(); }), message);
  EXPECT_EQ(failure({}, [](Reader& reader) { reader.peek(); }), message);
  EXPECT_EQ(failure({}, read_u32), message);
  EXPECT_EQ(failure({0x80}, read_u32), message);
  EXPECT_EQ(failure({0x80, 0x80}, read_s64), message);
  EXPECT_EQ(failure({1, 2, 3}, [](Reader& reader) { reader.f32_bits(); }), message);
  EXPECT_EQ(failure({1, 2, 3, 4, 5, 6, 7}, [](Reader& reader) { reader.f64_bits(); }), message);
  EXPECT_EQ(failure({1}, [](Reader& reader) { reader.skip(2); }), message);
  EXPECT_EQ(failure({1}, [](Reader& reader) { reader.skip(std::numeric_limits<std::size_t>::max()); }), message);
}

TEST(Reader, StopsAtItsRangeAndCountsOffsetsFromTheModule) {
  const Bytes bytes = {9, 9, 9, 5, 6, 9};
  Reader reader(bytes, 3, 5);
  EXPECT_EQ(reader.offset(), 3u);
  EXPECT_EQ(reader.remaining(), 2u);
  EXPECT_EQ(reader.byte(), 5);
  EXPECT_EQ(reader.byte(), 6);
  try {
    reader.byte();
    FAIL();
  } catch (const DecodeFailure& failure) {
    EXPECT_EQ(failure.error.offset, 5u);
  }
}

TEST(Reader, KeepsTheBitsOfFloats) {
  const Bytes bytes = {0x01, 0x00, 0xa0, 0x7f, 0x01, 0, 0, 0, 0, 0, 0xf4, 0xff};  // signalling NaNs
  Reader reader(bytes, 0, bytes.size());
  EXPECT_EQ(reader.f32_bits(), 0x7fa00001u);
  EXPECT_EQ(reader.f64_bits(), 0xfff4000000000001u);
}

TEST(Reader, Names) {
  const auto read_name = [](Reader& reader) { reader.name(); };
  const Bytes bytes = test::name_bytes("a\xc3\xa4") + Bytes{7};
  Reader reader(bytes, 0, bytes.size());
  EXPECT_EQ(reader.name(), "a\xc3\xa4");
  EXPECT_EQ(reader.byte(), 7);
  EXPECT_EQ(failure({2, 0xc3, 0x28}, read_name), "malformed UTF-8 encoding");
  EXPECT_EQ(failure({3, 'a', 'b'}, read_name), "unexpected end: name longer than its section");
  EXPECT_EQ(failure({0xff, 0xff, 0xff, 0xff, 0x0f, 'a'}, read_name), "unexpected end: name longer than its section");
}

}  // namespace
}  // namespace tfvm
