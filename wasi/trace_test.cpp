// Traces: a line a call, decoded by the tables of functions.
#include "wasi/trace.hpp"

#include <gtest/gtest.h>

#include "wasi/test_directory.hpp"
#include "wasi/test_guest.hpp"

namespace tfvm::wasi {
namespace {

constexpr std::uint32_t end = TestGuest::memory_bytes;

class TraceTest : public testing::Test {
 protected:
  void start(std::string module_name = "wasi_snapshot_preview1") {
    directory_.write("file", "0123456789");
    WasiConfig config;
    config.preopens = {{directory_.path(), "/data", false}};
    config.clock = [](Clock) { return 77u; };
    config.trace = [this](std::string_view line) { lines_.emplace_back(line); };
    guest_ = std::make_unique<TestGuest>(std::move(config), StoreLimits{}, std::move(module_name));
  }
  void SetUp() override { start(); }

  template <class... Args>
  std::string trace(std::string_view function, Args... arguments) {
    lines_.clear();
    guest_->call(function, arguments...);
    return lines_.size() == 1 ? lines_[0] : std::to_string(lines_.size()) + " lines";
  }

  TestDirectory directory_;
  std::vector<std::string> lines_;
  std::unique_ptr<TestGuest> guest_;
};

TEST_F(TraceTest, DecodesPathsFlagsAndRights) {
  guest_->put_text(100, "file");
  EXPECT_EQ(trace("path_open", 3, 1, 100, 4, open_flags::creat | open_flags::trunc, rights::fd_read | rights::fd_write,
                  0, fd_flags::append, 200),
            "path_open(3, follow, \"file\", creat|trunc, fd_read|fd_write, 0, append) = success, fd 4");
  EXPECT_EQ(trace("path_open", 3, 2, 100, 4, 64, rights::all, 1ull << 40, 0, 200),
            "path_open(3, 0x2, \"file\", 0x40, all, 0x10000000000, 0) = inval");
  EXPECT_EQ(trace("path_open", 3, 0, 100, 4, 0, rights::all & ~rights::fd_sync, 0, 0, 200).substr(0, 45),
            "path_open(3, 0, \"file\", 0, all-fd_sync, 0, 0)");
}

TEST_F(TraceTest, ShowsWhatIsWrittenAndHowMuchIsRead) {
  const Fd fd = guest_->open(3, "file");
  guest_->put_text(100, std::string("a\"b\n\0\xff", 6));
  guest_->put(8, IoVector{100, 6});
  guest_->put(16, IoVector{100, 1});
  EXPECT_EQ(trace("fd_write", fd, 8, 2, 200), "fd_write(4, [7 bytes \"a\\\"b\\n\\x00\\xffa\"]) = success, 7");
  EXPECT_EQ(trace("fd_pread", fd, 8, 1, 2, 200), "fd_pread(4, [6 bytes], 2) = success, 6");
  guest_->put(8, IoVector{1000, 5000});
  const std::string line = trace("fd_write", fd, 8, 1, 200);
  EXPECT_NE(line.find("[5000 bytes \"\\x00"), std::string::npos);
  EXPECT_NE(line.find("\"...]) = success, 5000"), std::string::npos);
}

TEST_F(TraceTest, ShowsResults) {
  const Fd fd = guest_->open(3, "file");
  EXPECT_EQ(trace("fd_seek", fd, -1, 2, 200), "fd_seek(4, -1, end) = success, 9");
  EXPECT_EQ(trace("fd_prestat_get", 3, 200), "fd_prestat_get(3) = success, {dir, name of 5}");
  EXPECT_EQ(trace("clock_time_get", 1, 0, 200), "clock_time_get(monotonic, 0) = success, 77");
  EXPECT_EQ(trace("fd_filestat_get", fd, 200).substr(0, 55), "fd_filestat_get(4) = success, {regular_file, size 10, i");
  EXPECT_EQ(trace("fd_fdstat_get", 99, 200), "fd_fdstat_get(99) = badf");
  EXPECT_EQ(trace("sched_yield"), "sched_yield() = success");
}

TEST_F(TraceTest, ShowsSubscriptions) {
  Subscription clock;
  clock.clock.id = 1;
  clock.clock.flags = clock_absolute_time;
  Subscription read;
  read.type = EventType::FdRead;
  read.clock.id = 3;
  guest_->put(1000, clock);
  guest_->put(1048, read);
  EXPECT_EQ(trace("poll_oneoff", 1000, 2000, 2, 200),
            "poll_oneoff([monotonic at 0ns; fd_read 3], 0x7d0, 2) = success, 2");
}

TEST_F(TraceTest, PointersOutOfMemoryAreShownAsTheyAre) {
  EXPECT_EQ(trace("path_create_directory", 3, end, 4), "path_create_directory(3, 0x10000+4) = fault");
  EXPECT_EQ(trace("fd_read", 0, 0xffff'fff0, 1000, 0), "fd_read(0, 0xfffffff0*1000) = fault");
  guest_->put(8, IoVector{0xffff'ffff, 2});
  EXPECT_EQ(trace("fd_write", 1, 8, 1, 0), "fd_write(1, [0xffffffff+2]) = fault");
  EXPECT_EQ(trace("poll_oneoff", 0xffff'0000, 0, UINT32_MAX, 0), "poll_oneoff(0xffff0000, 0x0, 4294967295) = fault");
}

TEST_F(TraceTest, ShowsTheEnd) {
  EXPECT_EQ(trace("proc_exit", 3), "proc_exit(3): ends the program: exit");
  EXPECT_EQ(trace("proc_raise", 6), "proc_raise(6): ends the program: exit");
}

TEST_F(TraceTest, DecodesTheOlderInterface) {
  start("wasi_unstable");
  const Fd fd = guest_->open(3, "file");
  EXPECT_EQ(trace("fd_seek", fd, 4, 2, 200), "fd_seek(4, 4, set) = success, 4");
  EXPECT_EQ(trace("fd_filestat_get", fd, 200).substr(0, 52), "fd_filestat_get(4) = success, {regular_file, size 10");
  unstable::Subscription read;
  read.type = EventType::FdRead;
  read.clock_user_data = fd;
  guest_->put(1000, read);
  EXPECT_EQ(trace("poll_oneoff", 1000, 2000, 1, 200), "poll_oneoff([fd_read 4], 0x7d0, 1) = success, 1");
}

// Whatever the arguments, tracing must not disturb the call.
TEST_F(TraceTest, EveryFunctionCanBeTraced) {
#define WASI_FUNCTION(name, result, ...) #name,
  for (const std::string function : {
#include "wasi/functions.def"
       }) {
#undef WASI_FUNCTION
    if (function == "proc_exit" || function == "proc_raise") continue;
    for (const std::uint64_t value : {0ull, 1ull, 65'535ull, 0xffff'ffffull}) {
      lines_.clear();
      guest_->call_with(function, std::vector<std::uint64_t>(guest_->parameter_count(function), value));
      ASSERT_EQ(lines_.size(), 1u) << function;
      EXPECT_EQ(lines_[0].substr(0, function.size() + 1), function + '(');
    }
  }
}

}  // namespace
}  // namespace tfvm::wasi
