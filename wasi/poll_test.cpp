// poll_oneoff: clocks that are due at once or soon, several together, descriptors of all kinds, and its arrays.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "wasi/test_directory.hpp"
#include "wasi/test_guest.hpp"

namespace tfvm::wasi {
namespace {

constexpr std::uint64_t hour = 3'600'000'000'000;
constexpr std::uint32_t in = 0, out = 10'000, result = 20'000;

Subscription clock_subscription(std::uint64_t user_data, Clock clock, Timestamp timeout, std::uint16_t flags = 0) {
  Subscription subscription;
  subscription.user_data = user_data;
  subscription.type = EventType::Clock;
  subscription.clock.id = static_cast<ClockId>(clock);
  subscription.clock.timeout = timeout;
  subscription.clock.flags = flags;
  return subscription;
}

Subscription fd_subscription(std::uint64_t user_data, EventType type, Fd fd) {
  Subscription subscription;
  subscription.user_data = user_data;
  subscription.type = type;
  subscription.clock.id = fd;
  return subscription;
}

class PollTest : public testing::Test {
 protected:
  void SetUp() override {
    int ends[2];
    ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    read_end_ = HostFile::own(ends[0]);
    write_end_ = HostFile::own(ends[1]);
    directory_.write("file", "0123456789");
    WasiConfig config;
    config.stdin_fd = read_end_.number();
    config.stdout_fd = write_end_.number();
    config.preopens = {{directory_.path(), "/", false}};
    guest_ = std::make_unique<TestGuest>(std::move(config));
  }

  /// The events of a poll.
  std::vector<Event> poll(const std::vector<Subscription>& subscriptions) {
    for (std::size_t i = 0; i < subscriptions.size(); ++i)
      guest_->put(static_cast<std::uint32_t>(in + i * sizeof(Subscription)), subscriptions[i]);
    EXPECT_EQ(guest_->call("poll_oneoff", in, out, subscriptions.size(), result), Errno::Success);
    std::vector<Event> events(guest_->load<Size>(result));
    for (std::size_t i = 0; i < events.size(); ++i)
      events[i] = guest_->load<Event>(static_cast<std::uint32_t>(out + i * sizeof(Event)));
    return events;
  }

  TestDirectory directory_;
  HostFile read_end_, write_end_;
  std::unique_ptr<TestGuest> guest_;
};

TEST_F(PollTest, ClocksThatAreDue) {
  for (const Clock clock : {Clock::Realtime, Clock::Monotonic}) {
    for (const auto& [timeout, flags] : {std::pair<Timestamp, int>{0, 0}, {1, 0}, {0, 1}, {1, 1}, {1000, 1}}) {
      const auto events = poll({clock_subscription(42, clock, timeout, static_cast<std::uint16_t>(flags))});
      ASSERT_EQ(events.size(), 1u);
      EXPECT_EQ(events[0].user_data, 42u);
      EXPECT_EQ(events[0].error, Errno::Success);
      EXPECT_EQ(events[0].type, EventType::Clock);
    }
  }
}

TEST_F(PollTest, OnlyTheClocksThatAreDue) {
  const auto events =
      poll({clock_subscription(1, Clock::Monotonic, hour), clock_subscription(2, Clock::Realtime, 0),
            clock_subscription(3, Clock::Realtime, UINT64_MAX, 1), clock_subscription(4, Clock::Monotonic, UINT64_MAX),
            clock_subscription(5, Clock::Monotonic, 0, 1)});
  ASSERT_EQ(events.size(), 2u);
  EXPECT_EQ(events[0].user_data, 2u);
  EXPECT_EQ(events[1].user_data, 5u);
}

TEST_F(PollTest, WaitsForTheNextClock) {
  ASSERT_EQ(guest_->call("clock_time_get", 1, 0, 30'000), Errno::Success);
  const auto events =
      poll({clock_subscription(1, Clock::Monotonic, hour), clock_subscription(2, Clock::Monotonic, 2'000'000)});
  ASSERT_EQ(guest_->call("clock_time_get", 1, 0, 30'008), Errno::Success);
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].user_data, 2u);
  EXPECT_GE(guest_->load<Timestamp>(30'008) - guest_->load<Timestamp>(30'000), 2'000'000u);
}

TEST_F(PollTest, WrongSubscriptionsAreEventsWithAnError) {
  const auto events =
      poll({clock_subscription(1, Clock::ProcessCpuTime, 0), clock_subscription(2, static_cast<Clock>(77), 0),
            clock_subscription(3, Clock::Realtime, 0, 2), fd_subscription(4, EventType::FdRead, 99),
            fd_subscription(5, EventType::FdWrite, 0), clock_subscription(6, Clock::Monotonic, hour)});
  ASSERT_EQ(events.size(), 5u);
  EXPECT_EQ(events[0].error, Errno::Notsup);
  EXPECT_EQ(events[1].error, Errno::Inval);
  EXPECT_EQ(events[2].error, Errno::Inval);
  EXPECT_EQ(events[3].error, Errno::Badf);
  EXPECT_EQ(events[4].error, Errno::Notcapable);
  EXPECT_EQ(events[4].user_data, 5u);
  EXPECT_EQ(events[4].type, EventType::FdWrite);
}

TEST_F(PollTest, PipesAndFiles) {
  auto events = poll({fd_subscription(1, EventType::FdRead, 0), fd_subscription(2, EventType::FdWrite, 1)});
  ASSERT_EQ(events.size(), 1u);  // room to write, nothing to read
  EXPECT_EQ(events[0].user_data, 2u);
  ASSERT_EQ(guest_->write(1, "hello"), Errno::Success);
  events = poll({fd_subscription(1, EventType::FdRead, 0), fd_subscription(3, EventType::FdRead, 0)});
  ASSERT_EQ(events.size(), 2u);
  EXPECT_EQ(events[0].bytes, 5u);
  EXPECT_EQ(events[0].flags, 0u);
  const Fd file = guest_->open(3, "file");
  events = poll({fd_subscription(1, EventType::FdRead, file), fd_subscription(2, EventType::FdWrite, file),
                 clock_subscription(3, Clock::Monotonic, hour)});
  ASSERT_EQ(events.size(), 2u);
  EXPECT_EQ(events[0].bytes, 10u);
}

TEST_F(PollTest, ReportsHangUp) {
  EXPECT_EQ(guest_->call("fd_close", 1), Errno::Success);
  write_end_ = HostFile();
  const auto events = poll({fd_subscription(1, EventType::FdRead, 0)});
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].error, Errno::Success);
  EXPECT_EQ(events[0].flags, event_hangup);
  EXPECT_EQ(events[0].bytes, 0u);
}

TEST_F(PollTest, ArraysAtTheEndOfMemory) {
  constexpr std::uint32_t end = TestGuest::memory_bytes;
  const Subscription due = clock_subscription(1, Clock::Monotonic, 0);
  guest_->put(end - 96, due);
  guest_->put(end - 48, due);
  EXPECT_EQ(guest_->call("poll_oneoff", end - 96, out, 2, result), Errno::Success);
  EXPECT_EQ(guest_->load<Size>(result), 2u);
  EXPECT_EQ(guest_->call("poll_oneoff", end - 48, out, 2, result), Errno::Fault);
  guest_->put(in, due);
  guest_->put(in + 48, due);
  EXPECT_EQ(guest_->call("poll_oneoff", in, end - 64, 2, result), Errno::Success);
  EXPECT_EQ(guest_->call("poll_oneoff", in, end - 63, 2, result), Errno::Fault);
  EXPECT_EQ(guest_->call("poll_oneoff", in, out, 2, end - 3), Errno::Fault);
  EXPECT_EQ(guest_->call("poll_oneoff", in, out, 0, result), Errno::Inval);
  EXPECT_EQ(guest_->call("poll_oneoff", in, out, UINT32_MAX, result), Errno::Fault);
  EXPECT_EQ(guest_->call("poll_oneoff", in, out, 0x0555'5556, result), Errno::Fault);  // 48 times this wraps 32 bits
}

TEST_F(PollTest, OverlappingArrays) {
  for (std::uint32_t i = 0; i < 10; ++i) guest_->put(in + i * 48, clock_subscription(i, Clock::Monotonic, 0));
  EXPECT_EQ(guest_->call("poll_oneoff", in, in + 8, 10, result), Errno::Success);
  ASSERT_EQ(guest_->load<Size>(result), 10u);
  for (std::uint32_t i = 0; i < 10; ++i) EXPECT_EQ(guest_->load<Event>(in + 8 + i * 32).user_data, i);
}

TEST_F(PollTest, UnknownEventType) {
  Subscription subscription = clock_subscription(1, Clock::Monotonic, 0);
  subscription.type = static_cast<EventType>(3);
  guest_->put(in, subscription);
  EXPECT_EQ(guest_->call("poll_oneoff", in, out, 1, result), Errno::Inval);
}

TEST_F(PollTest, FixedClockDoesNotStopTime) {
  WasiConfig config;
  config.clock = [](Clock) { return 1000u; };
  guest_ = std::make_unique<TestGuest>(std::move(config));
  EXPECT_EQ(poll({clock_subscription(1, Clock::Monotonic, 1001, 1)}).size(), 1u);
  EXPECT_EQ(poll({clock_subscription(1, Clock::Realtime, 50)}).size(), 1u);
}

}  // namespace
}  // namespace tfvm::wasi
