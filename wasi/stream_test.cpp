// Standard streams that are objects of the process: reading, writing, waiting, polling, and starting over.
#include "wasi/stream.hpp"

#include <algorithm>
#include <cstring>
#include <gtest/gtest.h>
#include <string>
#include <unistd.h>

#include "wasi/test_guest.hpp"

namespace tfvm::wasi {
namespace {

class TextStream : public Stream {
 public:
  Outcome read(std::span<std::uint8_t> buffer) override {
    if (blocked > 0) {
      --blocked;
      return {Status::WouldBlock};
    }
    const std::size_t count = std::min(buffer.size(), text.size());
    std::memcpy(buffer.data(), text.data(), count);
    text.erase(0, count);
    return {Status::Moved, count};
  }
  Outcome write(std::span<const std::uint8_t> bytes) override {
    if (fails) return {Status::Failed};
    const std::size_t count = std::min<std::size_t>(bytes.size(), 3);
    text.append(reinterpret_cast<const char*>(bytes.data()), count);
    return {Status::Moved, count};
  }
  bool is_ready() override { return blocked == 0; }
  struct ::pollfd pending() const override { return {ready_file, POLLIN, 0}; }

  std::string text;
  int blocked = 0;
  int ready_file = -1;
  bool fails = false;
};

/// A pipe with a byte in it: always readable.
class ReadyPipe {
 public:
  ReadyPipe() {
    if (::pipe(ends_) != 0 || ::write(ends_[1], "x", 1) != 1) std::abort();
  }
  ~ReadyPipe() {
    ::close(ends_[0]);
    ::close(ends_[1]);
  }
  int file() const { return ends_[0]; }

 private:
  int ends_[2];
};

class StreamTest : public testing::Test {
 protected:
  WasiConfig config() {
    WasiConfig config;
    config.stdin_stream = &in_;
    config.stdout_stream = &out_;
    config.stderr_stream = &out_;
    return config;
  }
  Errno move(TestGuest& guest, std::string_view function, Fd fd, std::uint32_t length) {
    guest.put(100, IoVector{200, length});
    return guest.call(function, fd, 100, 1, 96);
  }
  TextStream in_;
  TextStream out_;
};

TEST_F(StreamTest, ReadsUpToTheEnd) {
  in_.text = "hello";
  TestGuest guest(config());
  EXPECT_EQ(move(guest, "fd_read", 0, 4), Errno::Success);
  EXPECT_EQ(guest.load<Size>(96), 4u);
  EXPECT_EQ(guest.text(200, 4), "hell");
  EXPECT_EQ(move(guest, "fd_read", 0, 4), Errno::Success);
  EXPECT_EQ(guest.load<Size>(96), 1u);
  EXPECT_EQ(move(guest, "fd_read", 0, 4), Errno::Success);
  EXPECT_EQ(guest.load<Size>(96), 0u);
}

TEST_F(StreamTest, WritesAllInPieces) {
  TestGuest guest(config());
  guest.put_text(200, "eight ch");
  EXPECT_EQ(move(guest, "fd_write", 1, 8), Errno::Success);
  EXPECT_EQ(guest.load<Size>(96), 8u);
  EXPECT_EQ(out_.text, "eight ch");
}

TEST_F(StreamTest, WaitsForWhatThePendingFileSays) {
  const ReadyPipe pipe;
  in_.text = "late";
  in_.blocked = 2;
  in_.ready_file = pipe.file();
  TestGuest guest(config());
  EXPECT_EQ(move(guest, "fd_read", 0, 4), Errno::Success);
  EXPECT_EQ(guest.text(200, 4), "late");
}

TEST_F(StreamTest, NonblockingGuestsAreToldToTryAgain) {
  in_.blocked = 1;
  TestGuest guest(config());
  EXPECT_EQ(guest.call("fd_fdstat_set_flags", 0, fd_flags::nonblock), Errno::Success);
  EXPECT_EQ(move(guest, "fd_read", 0, 4), Errno::Again);
}

TEST_F(StreamTest, FailureIsAnErrorOfInputAndOutput) {
  out_.fails = true;
  TestGuest guest(config());
  EXPECT_EQ(move(guest, "fd_write", 2, 8), Errno::Io);
}

TEST_F(StreamTest, DirectionsAndPositionsAreRefused) {
  TestGuest guest(config());
  EXPECT_NE(move(guest, "fd_write", 0, 1), Errno::Success);
  EXPECT_NE(move(guest, "fd_read", 1, 1), Errno::Success);
  EXPECT_EQ(guest.call("fd_seek", 1, 0, 0, 96), Errno::Spipe);
  EXPECT_EQ(guest.call("fd_filestat_get", 1, 300), Errno::Success);
}

TEST_F(StreamTest, PollSeesReadyAndPendingStreams) {
  const ReadyPipe pipe;
  in_.blocked = 1;
  in_.ready_file = pipe.file();
  TestGuest guest(config());
  Subscription subscriptions[2]{};
  subscriptions[0].user_data = 7;
  subscriptions[0].type = EventType::FdRead;
  subscriptions[0].clock.id = 0;
  subscriptions[1].user_data = 8;
  subscriptions[1].type = EventType::FdWrite;
  subscriptions[1].clock.id = 1;
  guest.put(1000, subscriptions);
  EXPECT_EQ(guest.call("poll_oneoff", 1000, 2000, 2, 96), Errno::Success);
  EXPECT_EQ(guest.load<Size>(96), 2u);
  EXPECT_EQ(guest.load<Event>(2000).user_data, 7u);
}

TEST_F(StreamTest, RestartForgetsWhatWasOpen) {
  auto wasi = Wasi::create(config());
  ASSERT_TRUE(wasi.ok());
  WasiConfig missing = config();
  missing.preopens.push_back({"/does/not/exist", "/", false});
  EXPECT_FALSE((*wasi)->restart(std::move(missing)).ok());
  EXPECT_TRUE((*wasi)->restart(config()).ok());
}

}  // namespace
}  // namespace tfvm::wasi
