// Files that come, change and go while they are served: LiveSites with inotify, with polls, and with its thread.
#include <atomic>
#include <fcntl.h>
#include <fstream>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>

#include "cli/serve/live_sites.hpp"
#include "cli/serve/test_live_sites.hpp"

namespace tfvm::serve {
namespace {

using wasi::HostFile;

class LiveUpdatesTest : public LiveSitesTest {};

TEST_F(LiveUpdatesTest, NewReplacedRenamedAndRemovedFilesTakeEffect) {
  open();
  EXPECT_EQ(version(), "404");
  write("a.wasm", one_);
  EXPECT_EQ(version(), version_of(one_)) << "a request finds a new file by itself";
  write("a.wasm", two_);
  look();
  EXPECT_EQ(version(), version_of(two_));
  write("b.tmp", one_);
  rename("b.tmp", "a.wasm");
  look();
  EXPECT_EQ(version(), version_of(one_));
  rename("a.wasm", "c.wasm");
  EXPECT_EQ(version("/c.wasm"), version_of(one_));
  pass(gone_grace);
  EXPECT_EQ(version(), "404");
  remove("c.wasm");
  look();
  pass(gone_grace);
  EXPECT_EQ(version("/c.wasm"), "404");
  EXPECT_TRUE(sites_->status().empty());
}

TEST_F(LiveUpdatesTest, NewFoldersAreFollowed) {
  open();
  files_.make_directory("x/y");
  write("x/y/a.wasm", one_);
  look();
  Route route;
  EXPECT_TRUE(sites_->route_quickly(get("/x/y/a.wasm"), "", route));
  rename("x", "z");
  look();
  EXPECT_EQ(version("/z/y/a.wasm"), version_of(one_));
  write("z/y/a.wasm", two_);
  look();
  EXPECT_EQ(version("/z/y/a.wasm"), version_of(two_));
  pass(gone_grace);
  EXPECT_EQ(version("/x/y/a.wasm"), "404");
}

TEST_F(LiveUpdatesTest, SlowCopiesInPlaceAreNotSeenUntilTheyAreClosed) {
  write("a.wasm", one_);
  open();
  // The first part of this module is a valid module by itself: only the custom section at the end is missing.
  const std::string whole = text_of(two_);
  const std::string part = text_of(hello_module());
  ASSERT_TRUE(whole.starts_with(part));
  {
    const HostFile copy = HostFile::own(::open((files_ / "a.wasm").c_str(), O_WRONLY | O_TRUNC | O_CLOEXEC));
    look();
    EXPECT_EQ(version(), version_of(one_));
    ASSERT_EQ(::write(copy.number(), whole.data(), part.size()), static_cast<ssize_t>(part.size()));
    look();
    for (int i = 0; i < 10; ++i) {
      sites_->poll_now();
      EXPECT_EQ(version(), version_of(one_));
    }
    ASSERT_GT(::write(copy.number(), whole.data() + part.size(), whole.size() - part.size()), 0);
    look();
    EXPECT_EQ(version(), version_of(one_));
  }
  look();
  EXPECT_EQ(version(), version_of(two_));
}

TEST_F(LiveUpdatesTest, ANewFileIsNotServedWhileItIsWritten) {
  open();
  const std::string whole = text_of(two_);
  const std::size_t part = text_of(hello_module()).size();
  {
    const HostFile copy = HostFile::own(::open((files_ / "a.wasm").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
    EXPECT_EQ(version(), "503");
    ASSERT_EQ(::write(copy.number(), whole.data(), part), static_cast<ssize_t>(part));
    EXPECT_EQ(version(), "503");
    sites_->poll_now();
    sites_->poll_now();
    EXPECT_EQ(version(), "503");
    EXPECT_NE(problem("a.wasm").find("whole"), std::string::npos);
    ASSERT_GT(::write(copy.number(), whole.data() + part, whole.size() - part), 0);
  }
  look();
  EXPECT_EQ(version(), version_of(two_));
}

TEST_F(LiveUpdatesTest, AnInvalidFileNeverReplacesTheLastGoodOne) {
  write("a.wasm", one_);
  open();
  files_.write("a.wasm", "garbage");
  look();
  EXPECT_EQ(version(), version_of(one_));
  EXPECT_NE(problem("a.wasm").find("malformed"), std::string::npos) << problem("a.wasm");
  EXPECT_NE(log_.find("a.wasm: malformed"), std::string::npos) << log_;
  EXPECT_NE(log_.find("last good version stays"), std::string::npos) << log_;
  write("a.wasm", importing_module("env", "hostcall_x", {}, {}));
  look();
  EXPECT_EQ(version(), version_of(one_));
  EXPECT_NE(problem("a.wasm").find("unknown import: function env.hostcall_x"), std::string::npos);
  files_.write("a.wasm", "");
  look();
  EXPECT_EQ(version(), version_of(one_));
  write("a.wasm", two_);
  look();
  EXPECT_EQ(version(), version_of(two_));
  EXPECT_EQ(problem("a.wasm"), "");
}

TEST_F(LiveUpdatesTest, AnInvalidNewFileIsAnErrorOfThatFileOnly) {
  files_.write("bad.wasm", "garbage");
  write("a.wasm", one_);
  open();
  EXPECT_EQ(version("/bad.wasm"), "500");
  EXPECT_EQ(version(), version_of(one_));
  EXPECT_NE(problem("bad.wasm"), "");
}

TEST_F(LiveUpdatesTest, AFileThatIsRemovedAndWrittenAnewIsNeverMissed) {
  write("a.wasm", one_);
  open();
  remove("a.wasm");
  look();
  EXPECT_EQ(version(), version_of(one_));
  {
    const HostFile copy = HostFile::own(::open((files_ / "a.wasm").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
    look();
    pass(10 * gone_grace);
    EXPECT_EQ(version(), version_of(one_));
    const std::string whole = text_of(two_);
    ASSERT_GT(::write(copy.number(), whole.data(), whole.size()), 0);
    pass(10 * gone_grace);
    EXPECT_EQ(version(), version_of(one_));
  }
  look();
  EXPECT_EQ(version(), version_of(two_));
}

TEST_F(LiveUpdatesTest, TheSameBytesUnderTwoNamesAreOneModule) {
  write("a.wasm", one_);
  write("b.wasm", one_);
  open();
  const Route a = route("/a.wasm");
  const Route b = route("/b.wasm");
  EXPECT_EQ(a.function->module, b.function->module);
  EXPECT_NE(a.function->name, b.function->name);
  EXPECT_EQ(a.function->settings->key_value_space, "a.wasm");
  EXPECT_EQ(b.function->settings->key_value_space, "b.wasm");
}

TEST_F(LiveUpdatesTest, LinksInsideAreFollowedAndMayBeFlipped) {
  files_.make_directory("v1");
  files_.make_directory("v2");
  write("v1/a.wasm", one_);
  write("v2/a.wasm", two_);
  files_.link("v1", "current");
  files_.link("v1/a.wasm", "a.wasm");
  open();
  EXPECT_EQ(version("/current/a.wasm"), version_of(one_));
  EXPECT_EQ(version("/a.wasm"), version_of(one_));
  files_.link("v2", "next");
  rename("next", "current");
  files_.link("v2/a.wasm", "next");
  rename("next", "a.wasm");
  look();
  EXPECT_EQ(version("/current/a.wasm"), version_of(two_));
  EXPECT_EQ(version("/a.wasm"), version_of(two_));
  write("v2/a.wasm", hello_module("run", "three"));
  look();
  EXPECT_EQ(version("/current/a.wasm"), version_of(hello_module("run", "three"))) << "told under both names";
  sites_->poll_now();
  EXPECT_EQ(version("/a.wasm"), version_of(hello_module("run", "three")));
}

TEST_F(LiveUpdatesTest, LinksInACircleEnd) {
  files_.make_directory("a/b");
  files_.link("..", "a/b/up");
  files_.link(".", "self");
  write("a/x.wasm", one_);
  open();
  EXPECT_EQ(version("/a/x.wasm"), version_of(one_));
  EXPECT_EQ(version("/self/a/x.wasm"), version_of(one_));
  EXPECT_LT(sites_->status().size(), 10u);
}

TEST_F(LiveUpdatesTest, TheFolderItselfMayBeReplaced) {
  files_.make_directory("old");
  files_.make_directory("new");
  write("old/a.wasm", one_);
  write("new/a.wasm", two_);
  files_.link("old", "site");
  config_.root = files_ / "site";
  open();
  EXPECT_EQ(version(), version_of(one_));
  files_.link("new", "next");
  rename("next", "site");
  sites_->poll_now();
  EXPECT_EQ(version(), version_of(two_));
  write("new/a.wasm", one_);
  look();
  EXPECT_EQ(version(), version_of(one_)) << "the new folder is watched";
}

TEST_F(LiveUpdatesTest, UnreadableFilesAreAProblemUntilTheyCanBeRead) {
  write("a.wasm", one_);
  open();
  ASSERT_EQ(::chmod((files_ / "a.wasm").c_str(), 0), 0);
  look();
  EXPECT_EQ(version(), version_of(one_));
  ASSERT_EQ(::chmod((files_ / "a.wasm").c_str(), 0644), 0);
  write("a.wasm", two_);
  look();
  EXPECT_EQ(version(), version_of(two_));
}

TEST_F(LiveUpdatesTest, TooLargeFilesAreRefused) {
  config_.max_module_bytes = one_.size();
  write("a.wasm", one_);
  open();
  write("a.wasm", hello_module("run", "a longer mark than the others"));
  look();
  EXPECT_EQ(version(), version_of(one_));
  EXPECT_NE(problem("a.wasm").find("larger than"), std::string::npos);
}

TEST_F(LiveUpdatesTest, ARequestThatRunsKeepsItsVersion) {
  write("a.wasm", one_);
  open();
  const Route running = route("/a.wasm");
  write("a.wasm", two_);
  look();
  remove("a.wasm");
  look();
  pass(gone_grace);
  EXPECT_EQ(running.function->version, version_of(one_));
  EXPECT_FALSE(running.function->module->module().exports.empty());
}

TEST_F(LiveUpdatesTest, WhereTheLimitOfWatchesIsReachedThereArePolls) {
  files_.make_directory("x");
  files_.make_directory("y");
  write("x/a.wasm", one_);
  write("y/a.wasm", one_);
  options_.max_watched_folders = 2;
  open();
  EXPECT_NE(log_.find("cannot be watched"), std::string::npos) << log_;
  EXPECT_EQ(log_.find("cannot be watched"), log_.rfind("cannot be watched")) << "one line";
  write("x/a.wasm", two_);
  write("y/a.wasm", two_);
  sites_->poll_now();
  sites_->poll_now();
  EXPECT_EQ(version("/x/a.wasm"), version_of(two_));
  EXPECT_EQ(version("/y/a.wasm"), version_of(two_));
}

TEST_F(LiveUpdatesTest, LostEventsAreMadeUpFor) {
  write("a.wasm", one_);
  write("b.wasm", one_);
  open();
  unsigned limit = 0;
  std::ifstream("/proc/sys/fs/inotify/max_queued_events") >> limit;
  ASSERT_GT(limit, 0u);
  for (unsigned i = 0; i <= limit / 2; ++i) {
    ASSERT_EQ(::symlink("x", (files_ / "l").c_str()), 0);
    ASSERT_EQ(::unlink((files_ / "l").c_str()), 0);
  }
  write("a.wasm", two_);
  remove("b.wasm");
  files_.make_directory("new");
  write("new/c.wasm", two_);
  look();
  EXPECT_NE(log_.find("looking at everything"), std::string::npos);
  pass(gone_grace);
  sites_->poll_now();
  sites_->poll_now();
  EXPECT_EQ(version("/a.wasm"), version_of(two_));
  EXPECT_EQ(version("/b.wasm"), "404");
  EXPECT_EQ(version("/new/c.wasm"), version_of(two_));
  write("new/c.wasm", one_);
  look();
  EXPECT_EQ(version("/new/c.wasm"), version_of(one_)) << "what came meanwhile is watched";
}

// ---- Without inotify ------------------------------------------------------------------------------------------------

class PolledSitesTest : public LiveSitesTest {
 protected:
  PolledSitesTest() {
    config_.use_inotify = false;
    options_.uses_leases = false;  // as on file systems of other machines
  }
  void poll() {
    now_ += config_.poll_interval;
    sites_->poll_now();
  }
};

TEST_F(PolledSitesTest, TwoPollsMakeAChangeVisible) {
  write("a.wasm", one_);
  open();
  poll();
  poll();
  EXPECT_EQ(version(), version_of(one_));
  write("a.wasm", two_);
  poll();
  EXPECT_EQ(version(), version_of(one_));
  poll();
  EXPECT_EQ(version(), version_of(two_));
  write("b.wasm", one_);
  EXPECT_EQ(version("/b.wasm"), "503");
  poll();
  poll();
  EXPECT_EQ(version("/b.wasm"), version_of(one_));
}

TEST_F(PolledSitesTest, ACopyThatStillGrowsIsNotServed) {
  write("a.wasm", one_);
  open();
  poll();
  poll();
  const std::string whole = text_of(two_);
  const std::size_t part = text_of(hello_module()).size();
  const HostFile copy = HostFile::own(::open((files_ / "a.wasm").c_str(), O_WRONLY | O_TRUNC | O_CLOEXEC));
  ASSERT_EQ(::write(copy.number(), whole.data(), part), static_cast<ssize_t>(part));
  poll();
  for (std::size_t i = part; i < whole.size(); ++i) {
    ASSERT_EQ(::write(copy.number(), whole.data() + i, 1), 1);
    poll();
    EXPECT_EQ(version(), version_of(one_)) << i;
  }
  poll();
  EXPECT_EQ(version(), version_of(two_));
}

TEST_F(PolledSitesTest, RemovedFilesAndFoldersGo) {
  files_.make_directory("d");
  write("a.wasm", one_);
  write("d/b.wasm", two_);
  open();
  poll();
  poll();
  EXPECT_EQ(version("/d/b.wasm"), version_of(two_));
  remove("a.wasm");
  rename("d", ".d");
  poll();
  poll();
  EXPECT_EQ(version(), "404");
  EXPECT_EQ(version("/d/b.wasm"), "404");
}

TEST_F(PolledSitesTest, WithLeasesTheWriterIsSeen) {
  options_.uses_leases = true;
  write("a.wasm", one_);
  open();
  const std::string whole = text_of(two_);
  const std::size_t part = text_of(hello_module()).size();
  {
    const HostFile copy = HostFile::own(::open((files_ / "a.wasm").c_str(), O_WRONLY | O_TRUNC | O_CLOEXEC));
    ASSERT_EQ(::write(copy.number(), whole.data(), part), static_cast<ssize_t>(part));
    for (int i = 0; i < 5; ++i) poll();
    EXPECT_EQ(version(), version_of(one_)) << "a part that is a valid module, and a writer that takes its time";
    ASSERT_GT(::write(copy.number(), whole.data() + part, whole.size() - part), 0);
  }
  poll();
  poll();
  EXPECT_EQ(version(), version_of(two_));
}

// ---- With the thread ------------------------------------------------------------------------------------------------

TEST_F(LiveUpdatesTest, TheThreadSeesChangesByItself) {
  options_.has_thread = true;
  options_.now = std::chrono::steady_clock::now;
  write("a.wasm", one_);
  open();
  const auto becomes = [&](const std::string& wanted) {
    Route route;
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (std::chrono::steady_clock::now() < until) {
      const bool is_known = sites_->route_quickly(get("/a.wasm"), "", route);
      if ((is_known ? route.function->version : "none") == wanted) return true;
      std::this_thread::yield();
    }
    return false;
  };
  EXPECT_TRUE(becomes(version_of(one_)));
  write("a.wasm", two_);
  EXPECT_TRUE(becomes(version_of(two_)));
  write("b.tmp", one_);
  rename("b.tmp", "a.wasm");
  EXPECT_TRUE(becomes(version_of(one_)));
  remove("a.wasm");
  EXPECT_TRUE(becomes("none"));
}

TEST_F(LiveUpdatesTest, OverwritingUnderLoadShowsOnlyWholeVersions) {
  options_.has_thread = true;
  options_.now = std::chrono::steady_clock::now;
  write("a.wasm", one_);
  open();
  std::atomic<bool> is_over{false};
  std::atomic<unsigned> wrong{0};
  const auto ask = [&] {
    while (!is_over) {
      Route route;
      if (!sites_->route_quickly(get("/a.wasm"), "", route)) route = sites_->route_slowly(get("/a.wasm"), "");
      if (!route.function ||
          (route.function->version != version_of(one_) && route.function->version != version_of(two_)))
        ++wrong;
    }
  };
  std::thread first(ask);
  std::thread second(ask);
  for (int i = 0; i < 100; ++i) {
    const std::string whole = text_of(i % 2 == 0 ? two_ : one_);
    const HostFile copy = HostFile::own(::open((files_ / "a.wasm").c_str(), O_WRONLY | O_TRUNC | O_CLOEXEC));
    for (std::size_t at = 0; at < whole.size(); at += 7)
      ASSERT_GT(::write(copy.number(), whole.data() + at, std::min<std::size_t>(7, whole.size() - at)), 0);
  }
  is_over = true;
  first.join();
  second.join();
  EXPECT_EQ(wrong, 0u);
}

}  // namespace
}  // namespace tfvm::serve
