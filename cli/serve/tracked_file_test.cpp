#include "cli/serve/tracked_file.hpp"

#include <gtest/gtest.h>

namespace tfvm::serve {
namespace {

using std::chrono::seconds;
using Verdict = TrackedFile::Verdict;

constexpr std::int64_t second = 1'000'000'000;
constexpr std::int64_t now = 1'000 * second;

FileStamp stamp(std::uint64_t size, std::int64_t changed = now) { return {1, 2, size, changed, changed}; }

Verdict judge(TrackedFile& file, const FileStamp& s, Cause cause, Writers writers = Writers::Unknown,
              std::int64_t wall_now = now) {
  return file.judge(s, cause, writers, seconds(2), wall_now);
}

TEST(TrackedFile, ClosedIsWhole) {
  TrackedFile file;
  EXPECT_EQ(judge(file, stamp(1), Cause::Closed, Writers::Some), Verdict::Read);
}

TEST(TrackedFile, TwoPollsThatSeeTheSameMakeItWhole) {
  TrackedFile file;
  EXPECT_EQ(judge(file, stamp(1), Cause::Polled), Verdict::Wait);
  EXPECT_EQ(judge(file, stamp(2), Cause::Polled), Verdict::Wait);
  EXPECT_EQ(judge(file, stamp(2, now + 1), Cause::Polled), Verdict::Wait) << "same size, other times";
  EXPECT_TRUE(file.is_unsettled());
  EXPECT_EQ(judge(file, stamp(2, now + 1), Cause::Polled), Verdict::Read);
}

TEST(TrackedFile, RequestsAreNoPolls) {
  TrackedFile file;
  for (int i = 0; i < 10; ++i) EXPECT_EQ(judge(file, stamp(1), Cause::Found), Verdict::Wait);
  EXPECT_EQ(judge(file, stamp(1), Cause::Polled), Verdict::Wait);
  EXPECT_EQ(judge(file, stamp(1), Cause::Polled), Verdict::Read);
}

TEST(TrackedFile, WhatIsFoundOldIsWhole) {
  TrackedFile file;
  EXPECT_EQ(judge(file, stamp(1, now - 2 * second), Cause::Found), Verdict::Read);
  TrackedFile young;
  EXPECT_EQ(judge(young, stamp(1, now - second), Cause::Found), Verdict::Wait);
  TrackedFile future;
  EXPECT_EQ(judge(future, stamp(1, now + 100 * second), Cause::Found), Verdict::Wait);
  TrackedFile written;
  EXPECT_EQ(judge(written, stamp(1, now - 100 * second), Cause::Found, Writers::Some), Verdict::Wait);
}

TEST(TrackedFile, WithoutWritersItIsWholeAtOnce) {
  TrackedFile file;
  EXPECT_EQ(judge(file, stamp(1), Cause::Found, Writers::None), Verdict::Read);
  TrackedFile polled;
  EXPECT_EQ(judge(polled, stamp(1), Cause::Polled, Writers::None), Verdict::Read);
  TrackedFile opened;
  EXPECT_EQ(judge(opened, stamp(1), Cause::Opened, Writers::None), Verdict::Read);
  EXPECT_FALSE(opened.is_open);
}

TEST(TrackedFile, AKnownWriterIsWaitedForThoughNotForEver) {
  TrackedFile file;
  EXPECT_EQ(judge(file, stamp(1), Cause::Opened), Verdict::Wait);
  for (int i = 0; i < 29; ++i) EXPECT_EQ(judge(file, stamp(1), Cause::Polled), Verdict::Wait) << i;
  EXPECT_EQ(judge(file, stamp(1), Cause::Polled), Verdict::Read);
}

TEST(TrackedFile, WhatWasReadIsNotReadAgain) {
  TrackedFile file;
  file.was_read(stamp(1, now - 10 * second), now);
  EXPECT_FALSE(file.is_unsettled());
  EXPECT_EQ(judge(file, stamp(1, now - 10 * second), Cause::Polled), Verdict::Nothing);
  EXPECT_EQ(judge(file, stamp(1, now - 10 * second), Cause::Found), Verdict::Nothing);
  EXPECT_EQ(judge(file, stamp(1, now - 10 * second), Cause::Closed), Verdict::Read) << "a close is always a reason";
}

TEST(TrackedFile, AYoungStampProvesNothing) {
  TrackedFile file;
  file.was_read(stamp(1, now), now);
  EXPECT_TRUE(file.is_unsettled());
  EXPECT_EQ(judge(file, stamp(1, now), Cause::Polled), Verdict::Read);
  file.was_read(stamp(1, now), now + 3 * second);
  EXPECT_EQ(judge(file, stamp(1, now), Cause::Polled), Verdict::Nothing);
  TrackedFile future;
  future.was_read(stamp(1, now + second), now);
  future.was_read(stamp(1, now + second), now);
  EXPECT_FALSE(future.is_unsettled()) << "not for ever";
}

TEST(TrackedFile, DisturbedReadingsStartOver) {
  TrackedFile file;
  judge(file, stamp(1), Cause::Polled);
  EXPECT_EQ(judge(file, stamp(1), Cause::Polled), Verdict::Read);
  file.was_disturbed(stamp(5));
  EXPECT_EQ(judge(file, stamp(5), Cause::Polled), Verdict::Wait);
  EXPECT_EQ(judge(file, stamp(5), Cause::Polled), Verdict::Read);
}

TEST(TrackedFile, AFileThatComesBackIsNotGone) {
  TrackedFile file;
  file.was_read(stamp(1, now - 10 * second), now);
  file.gone_since = std::chrono::steady_clock::time_point{};
  EXPECT_FALSE(file.exists());
  judge(file, stamp(2), Cause::Opened);
  EXPECT_TRUE(file.exists());
}

}  // namespace
}  // namespace tfvm::serve
