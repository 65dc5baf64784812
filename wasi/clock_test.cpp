// Clocks and random bytes, the host's and injected ones; scheduling and ends of the guest.
#include <algorithm>
#include <gtest/gtest.h>

#include "wasi/test_guest.hpp"

namespace tfvm::wasi {
namespace {

TEST(ClockTest, GivesTheHostsClocks) {
  TestGuest guest(WasiConfig{});
  for (const std::uint32_t clock : {0u, 1u, 2u, 3u}) {
    EXPECT_EQ(guest.call("clock_time_get", clock, 0, 0), Errno::Success);
    EXPECT_EQ(guest.call("clock_time_get", clock, UINT64_MAX, 8), Errno::Success);
    EXPECT_GE(guest.load<Timestamp>(8), guest.load<Timestamp>(0));
    EXPECT_EQ(guest.call("clock_res_get", clock, 0), Errno::Success);
    EXPECT_GT(guest.load<Timestamp>(0), 0u);
  }
  EXPECT_EQ(guest.call("clock_time_get", 0, 0, 0), Errno::Success);
  EXPECT_GT(guest.load<Timestamp>(0), 1'700'000'000'000'000'000u);
}

TEST(ClockTest, RefusesUnknownClocks) {
  TestGuest guest(WasiConfig{});
  for (const std::uint32_t clock : {4u, 0x100u, UINT32_MAX}) {
    EXPECT_EQ(guest.call("clock_time_get", clock, 0, 0), Errno::Inval);
    EXPECT_EQ(guest.call("clock_res_get", clock, 0), Errno::Inval);
  }
}

TEST(ClockTest, UsesTheInjectedClock) {
  WasiConfig config;
  config.clock = [](Clock clock) { return clock == Clock::Realtime ? 5u : 7u; };
  TestGuest guest(std::move(config));
  EXPECT_EQ(guest.call("clock_time_get", 0, 0, 0), Errno::Success);
  EXPECT_EQ(guest.load<Timestamp>(0), 5u);
  EXPECT_EQ(guest.call("clock_time_get", 1, 0, 0), Errno::Success);
  EXPECT_EQ(guest.load<Timestamp>(0), 7u);
}

TEST(RandomTest, FillsExactlyTheBuffer) {
  TestGuest guest(WasiConfig{});
  EXPECT_EQ(guest.call("random_get", 100, 65'000), Errno::Success);
  EXPECT_EQ(guest.text(0, 100), std::string(100, '\0'));
  EXPECT_NE(guest.text(100, 32), std::string(32, '\0'));
  EXPECT_NE(guest.text(65'100 - 32, 32), std::string(32, '\0'));
  EXPECT_EQ(guest.text(65'100, 436), std::string(436, '\0'));
  EXPECT_EQ(guest.call("random_get", 0, TestGuest::memory_bytes), Errno::Success);
  EXPECT_EQ(guest.call("random_get", TestGuest::memory_bytes, 0), Errno::Success);
  EXPECT_EQ(guest.call("random_get", 1, TestGuest::memory_bytes), Errno::Fault);
  EXPECT_EQ(guest.call("random_get", 0, UINT32_MAX), Errno::Fault);
}

TEST(RandomTest, UsesTheInjectedSource) {
  WasiConfig config;
  config.random = [](std::span<std::uint8_t> bytes) { std::fill(bytes.begin(), bytes.end(), std::uint8_t{9}); };
  TestGuest guest(std::move(config));
  EXPECT_EQ(guest.call("random_get", 1, 3), Errno::Success);
  EXPECT_EQ(guest.text(0, 5), std::string("\0\t\t\t\0", 5));
}

TEST(ProcTest, ExitEndsTheGuestWithItsCode) {
  TestGuest guest(WasiConfig{});
  guest.call("proc_exit", 7);
  ASSERT_TRUE(guest.trap());
  EXPECT_EQ(guest.trap()->kind, TrapKind::Exit);
  EXPECT_EQ(guest.trap()->exit_code, 7);
}

TEST(ProcTest, RaiseDoesWhatTheSignalDoesByDefault) {
  TestGuest guest(WasiConfig{});
  EXPECT_EQ(guest.call("proc_raise", 0), Errno::Success);
  EXPECT_FALSE(guest.trap());
  EXPECT_EQ(guest.call("proc_raise", 16), Errno::Success);  // CHLD
  EXPECT_FALSE(guest.trap());
  EXPECT_EQ(guest.call("proc_raise", 18), Errno::Notsup);  // STOP
  EXPECT_EQ(guest.call("proc_raise", 31), Errno::Inval);
  guest.call("proc_raise", 6);  // ABRT
  ASSERT_TRUE(guest.trap());
  EXPECT_EQ(guest.trap()->kind, TrapKind::Exit);
  EXPECT_EQ(guest.trap()->exit_code, 134);
}

TEST(ProcTest, YieldSucceeds) {
  TestGuest guest(WasiConfig{});
  EXPECT_EQ(guest.call("sched_yield"), Errno::Success);
}

}  // namespace
}  // namespace tfvm::wasi
