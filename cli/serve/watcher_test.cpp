#include "cli/serve/watcher.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

#include "wasi/test_directory.hpp"

namespace tfvm::serve {
namespace {

using wasi::HostFile;
using wasi::TestDirectory;
using Kind = WatchEvent::Kind;

/// inotify queues events before the system call that causes them returns, so no test here has to wait.
class WatcherTest : public testing::Test {
 protected:
  WatcherTest() : watcher_(std::move(Watcher::open().value())), id_(watch(files_.path())) {}

  WatchId watch(const std::string& path) {
    const HostFile folder = HostFile::own(::open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    const Result<WatchId> id = watcher_->watch(folder.number());
    EXPECT_TRUE(id.ok());
    return id.ok() ? *id : -1;
  }
  std::vector<Kind> kinds() {
    watcher_->read();
    std::vector<Kind> kinds;
    while (const auto event = watcher_->next()) kinds.push_back(event->kind);
    return kinds;
  }

  TestDirectory files_;
  std::unique_ptr<Watcher> watcher_;
  WatchId id_;
};

TEST_F(WatcherTest, SeesAFileBeingWrittenAndClosed) {
  {
    const HostFile file = HostFile::own(::open((files_ / "a").c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
    ASSERT_EQ(::write(file.number(), "x", 1), 1);
    EXPECT_EQ(kinds(), (std::vector{Kind::Created, Kind::Modified}));
  }
  EXPECT_EQ(kinds(), std::vector{Kind::Closed});
}

TEST_F(WatcherTest, SeesNamesComeAndGo) {
  files_.write("a", "");
  kinds();
  ASSERT_EQ(::rename((files_ / "a").c_str(), (files_ / "b").c_str()), 0);
  EXPECT_EQ(kinds(), (std::vector{Kind::Gone, Kind::MovedHere}));
  ASSERT_EQ(::chmod((files_ / "b").c_str(), 0400), 0);
  EXPECT_EQ(kinds(), std::vector{Kind::Attributes});
  ASSERT_EQ(::unlink((files_ / "b").c_str()), 0);
  EXPECT_EQ(kinds(), std::vector{Kind::Gone});
}

TEST_F(WatcherTest, TellsFoldersFromFiles) {
  files_.make_directory("d");
  watcher_->read();
  const auto event = watcher_->next();
  ASSERT_TRUE(event);
  EXPECT_TRUE(event->is_directory);
  EXPECT_EQ(event->name, "d");
  EXPECT_EQ(event->watch, id_);
}

TEST_F(WatcherTest, OneFolderHasOneNumber) {
  files_.make_directory("d");
  files_.link("d", "e");
  EXPECT_EQ(watch(files_ / "d"), watch(files_ / "e"));
}

TEST_F(WatcherTest, EndsWithTheFolderOrWhenToldTo) {
  files_.make_directory("d");
  kinds();
  watch(files_ / "d");
  ASSERT_EQ(::rmdir((files_ / "d").c_str()), 0);
  EXPECT_EQ(kinds(), (std::vector{Kind::FolderGone, Kind::Forgotten, Kind::Gone}));
  watcher_->forget(id_);
  files_.write("a", "");
  EXPECT_EQ(kinds(), std::vector{Kind::Forgotten});
}

TEST_F(WatcherTest, KnowsWhatIsBeingWrittenBeforeItIsAsked) {
  EXPECT_FALSE(watcher_->is_being_written(id_, "a"));
  files_.write("a", "x");
  watcher_->read();
  EXPECT_TRUE(watcher_->is_being_written(id_, "a"));
  EXPECT_FALSE(watcher_->is_being_written(id_, "b"));
  EXPECT_FALSE(watcher_->is_being_written(id_ + 1, "a"));
  while (watcher_->next()) continue;
  EXPECT_FALSE(watcher_->is_being_written(id_, "a"));
}

TEST_F(WatcherTest, OverflowIsAnEvent) {
  unsigned limit = 0;
  std::ifstream("/proc/sys/fs/inotify/max_queued_events") >> limit;
  ASSERT_GT(limit, 0u);
  for (unsigned i = 0; i <= limit / 2 + 1; ++i) {
    // two events each that cannot be merged with the ones before
    ASSERT_EQ(::symlink("x", (files_ / "l").c_str()), 0);
    ASSERT_EQ(::unlink((files_ / "l").c_str()), 0);
  }
  const std::vector<Kind> all = kinds();
  EXPECT_EQ(std::count(all.begin(), all.end(), Kind::Overflow), 1);
}

TEST_F(WatcherTest, AnErrorSaysWhy) {
  const auto wrong = watcher_->watch(-1);
  ASSERT_FALSE(wrong.ok());
  EXPECT_FALSE(wrong.error().message.empty());
}

}  // namespace
}  // namespace tfvm::serve
