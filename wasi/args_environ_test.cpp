// Layout of arguments and environment in the guest's memory, and of what is too large for it.
#include <gtest/gtest.h>

#include "wasi/test_guest.hpp"

namespace tfvm::wasi {
namespace {

WasiConfig config_with(std::vector<std::string> arguments, std::vector<std::string> environment = {}) {
  WasiConfig config;
  config.arguments = std::move(arguments);
  config.environment = std::move(environment);
  return config;
}

TEST(ArgsEnvironTest, LaysOutArguments) {
  TestGuest guest(config_with({"program", "", "\xc3\xa4\xff b"}));
  EXPECT_EQ(guest.call("args_sizes_get", 0, 4), Errno::Success);
  EXPECT_EQ(guest.load<Size>(0), 3u);
  EXPECT_EQ(guest.load<Size>(4), 8u + 1u + 6u);
  guest.fill(0xee);
  EXPECT_EQ(guest.call("args_get", 101, 1000), Errno::Success);
  EXPECT_EQ(guest.load<Pointer>(101), 1000u);
  EXPECT_EQ(guest.load<Pointer>(105), 1008u);
  EXPECT_EQ(guest.load<Pointer>(109), 1009u);
  EXPECT_EQ(guest.text(1000, 16), std::string("program\0\0\xc3\xa4\xff b\0\xee", 16));
  EXPECT_EQ(guest.load<std::uint8_t>(113), 0xee);
  EXPECT_EQ(guest.load<std::uint8_t>(100), 0xee);
}

TEST(ArgsEnvironTest, LaysOutTheEnvironment) {
  TestGuest guest(config_with({}, {"A=1", "EMPTY="}));
  EXPECT_EQ(guest.call("environ_sizes_get", 0, 4), Errno::Success);
  EXPECT_EQ(guest.load<Size>(0), 2u);
  EXPECT_EQ(guest.load<Size>(4), 11u);
  EXPECT_EQ(guest.call("environ_get", 8, 100), Errno::Success);
  EXPECT_EQ(guest.load<Pointer>(12), 104u);
  EXPECT_EQ(guest.text(100, 11), std::string("A=1\0EMPTY=\0", 11));
}

TEST(ArgsEnvironTest, GivesNothingByDefault) {
  TestGuest guest(WasiConfig{});
  EXPECT_EQ(guest.call("environ_sizes_get", 0, 4), Errno::Success);
  EXPECT_EQ(guest.load<std::uint64_t>(0), 0u);
  EXPECT_EQ(guest.call("args_sizes_get", 0, 4), Errno::Success);
  EXPECT_EQ(guest.load<std::uint64_t>(0), 0u);
  EXPECT_EQ(guest.call("args_get", TestGuest::memory_bytes, TestGuest::memory_bytes), Errno::Success);
}

TEST(ArgsEnvironTest, FitsExactlyOrFaults) {
  TestGuest guest(config_with({"ab", "c"}));  // 2 pointers, 5 bytes
  constexpr std::uint32_t end = TestGuest::memory_bytes;
  EXPECT_EQ(guest.call("args_get", end - 8, 0), Errno::Success);
  EXPECT_EQ(guest.call("args_get", 0, end - 5), Errno::Success);
  EXPECT_EQ(guest.text(end - 5, 5), std::string("ab\0c\0", 5));
  guest.fill(0xee);
  for (const std::uint32_t bad : {end - 7, end, 0xffff'fffcu, 0xffff'ffffu})
    EXPECT_EQ(guest.call("args_get", bad, 0), Errno::Fault) << bad;
  for (const std::uint32_t bad : {end - 4, end, 0xffff'fffcu, 0xffff'ffffu})
    EXPECT_EQ(guest.call("args_get", 0, bad), Errno::Fault) << bad;
  EXPECT_EQ(guest.load<std::uint8_t>(end - 1), 0xee);
}

TEST(ArgsEnvironTest, RefusesWhatNoGuestCanHold) {
  TestGuest guest(config_with({std::string(100'000, 'x')}));
  EXPECT_EQ(guest.call("args_sizes_get", 0, 4), Errno::Success);
  EXPECT_EQ(guest.load<Size>(4), 100'001u);
  EXPECT_EQ(guest.call("args_get", 0, 8), Errno::Fault);
}

}  // namespace
}  // namespace tfvm::wasi
