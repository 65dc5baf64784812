// Deterministic guests: the same numbers each time, clocks that move only with the guest.
#include "wasi/deterministic.hpp"

#include <gtest/gtest.h>

#include "wasi/test_guest.hpp"

namespace tfvm::wasi {
namespace {

constexpr std::uint64_t hour = 3'600'000'000'000;

class DeterministicTest : public testing::Test {
 protected:
  static std::unique_ptr<TestGuest> guest(std::uint64_t seed) {
    WasiConfig config;
    make_deterministic(config, seed);
    return std::make_unique<TestGuest>(std::move(config));
  }
  static Timestamp time_of(TestGuest& guest, Clock clock) {
    EXPECT_EQ(guest.call("clock_time_get", static_cast<ClockId>(clock), 0, 0), Errno::Success);
    return guest.load<Timestamp>(0);
  }
  static std::string random(TestGuest& guest, Size length) {
    EXPECT_EQ(guest.call("random_get", 1000, length), Errno::Success);
    return guest.text(1000, length);
  }
};

TEST_F(DeterministicTest, RandomBytesFollowFromTheSeed) {
  const auto one = guest(1), again = guest(1), two = guest(2);
  std::string bytes = random(*one, 5);
  bytes += random(*one, 1000);
  EXPECT_EQ(random(*again, 1005), bytes);
  EXPECT_NE(random(*two, 1005), bytes);
  EXPECT_EQ(static_cast<unsigned char>(random(*guest(0), 1)[0]), 0xaf);  // as other SplitMix64s
}

TEST_F(DeterministicTest, ClocksStartWhereTheyAlwaysStartAndMoveWhenRead) {
  const auto one = guest(0);
  EXPECT_EQ(time_of(*one, Clock::Realtime), deterministic_epoch_ns + deterministic_step_ns);
  EXPECT_EQ(time_of(*one, Clock::Monotonic), 2 * deterministic_step_ns);
  EXPECT_EQ(time_of(*one, Clock::ProcessCpuTime), 3 * deterministic_step_ns);
  EXPECT_EQ(one->call("clock_time_get", 4, 0, 0), Errno::Inval);
  EXPECT_EQ(one->call("clock_res_get", 0, 0), Errno::Success);
  EXPECT_EQ(one->load<Timestamp>(0), 1u);
}

TEST_F(DeterministicTest, SleepingMovesTheClocksAndTakesNoTime) {
  const auto one = guest(0);
  Subscription sleep;
  sleep.clock.id = 1;
  sleep.clock.timeout = hour;
  one->put(1000, sleep);
  ASSERT_EQ(one->call("poll_oneoff", 1000, 2000, 1, 500), Errno::Success);
  EXPECT_EQ(one->load<Size>(500), 1u);
  EXPECT_EQ(time_of(*one, Clock::Monotonic), hour + 2 * deterministic_step_ns);
  // Until a point of time, by the clock that it is told on.
  sleep.clock.id = 0;
  sleep.clock.flags = clock_absolute_time;
  sleep.clock.timeout = deterministic_epoch_ns + 3 * hour;
  one->put(1000, sleep);
  ASSERT_EQ(one->call("poll_oneoff", 1000, 2000, 1, 500), Errno::Success);
  EXPECT_GE(time_of(*one, Clock::Realtime), deterministic_epoch_ns + 3 * hour);
  EXPECT_LT(time_of(*one, Clock::Monotonic), 3 * hour + 10 * deterministic_step_ns);
}

TEST_F(DeterministicTest, TimeStopsAtItsEnd) {
  const auto one = guest(0);
  Subscription sleep;
  sleep.clock.id = 1;
  sleep.clock.timeout = UINT64_MAX;
  one->put(1000, sleep);
  for (int i = 0; i < 2; ++i) ASSERT_EQ(one->call("poll_oneoff", 1000, 2000, 1, 500), Errno::Success);
  EXPECT_EQ(time_of(*one, Clock::Monotonic), UINT64_MAX);
  EXPECT_EQ(time_of(*one, Clock::Realtime), UINT64_MAX);
}

}  // namespace
}  // namespace tfvm::wasi
