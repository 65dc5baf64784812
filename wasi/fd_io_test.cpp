// Reading and writing: buffers of all shapes, pipes that are empty, full or closed, and a deadline that ends the
// waiting.
#include "wasi/fd_io.hpp"

#include <chrono>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

#include "wasi/test_directory.hpp"
#include "wasi/test_guest.hpp"

namespace tfvm::wasi {
namespace {

constexpr Fd root = 3;
constexpr std::uint32_t result = 0, vectors = 8, end = TestGuest::memory_bytes;

class FdIoTest : public testing::Test {
 protected:
  void SetUp() override {
    ::signal(SIGPIPE, SIG_IGN);
    int in[2], out[2];
    ASSERT_EQ(::pipe2(in, O_CLOEXEC), 0);
    ASSERT_EQ(::pipe2(out, O_CLOEXEC), 0);
    input_ = HostFile::own(in[1]);
    guest_input_ = HostFile::own(in[0]);
    output_ = HostFile::own(out[0]);
    guest_output_ = HostFile::own(out[1]);
    ::fcntl(guest_output_.number(), F_SETPIPE_SZ, 4096);
    WasiConfig config;
    config.stdin_fd = guest_input_.number();
    config.stdout_fd = guest_output_.number();
    config.preopens = {{directory_.path(), "/", false}};
    guest_ = std::make_unique<TestGuest>(std::move(config));
  }

  void provide_input(const std::string& text) {
    ASSERT_EQ(::write(input_.number(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }
  void interrupt_soon() {
    guest_->store().set_deadline(std::chrono::steady_clock::now() + std::chrono::milliseconds(5));
  }
  void expect_deadline() const {
    ASSERT_TRUE(guest_->trap());
    EXPECT_EQ(guest_->trap()->kind, TrapKind::DeadlineExceeded);
  }

  TestDirectory directory_;
  HostFile input_, output_, guest_input_, guest_output_;
  std::unique_ptr<TestGuest> guest_;
};

TEST_F(FdIoTest, ScattersAndGathers) {
  const Fd file = guest_->open(root, "file", open_flags::creat);
  guest_->put_text(1000, "abcdefghij");
  guest_->put(vectors, IoVector{1007, 3});
  guest_->put(vectors + 8, IoVector{end, 0});
  guest_->put(vectors + 16, IoVector{1000, 2});
  EXPECT_EQ(guest_->call("fd_write", file, vectors, 3, result), Errno::Success);
  EXPECT_EQ(guest_->load<Size>(result), 5u);
  EXPECT_EQ(directory_.read("file"), "hijab");
  EXPECT_EQ(guest_->call("fd_pread", file, vectors, 3, 1, result), Errno::Success);
  EXPECT_EQ(guest_->load<Size>(result), 4u);
  EXPECT_EQ(guest_->text(1007, 3), "ija");
  EXPECT_EQ(guest_->text(1000, 3), "bbc");
  EXPECT_EQ(guest_->call("fd_pwrite", file, vectors, 1, 6, result), Errno::Success);
  EXPECT_EQ(directory_.read("file"), std::string("hijab\0ija", 9));
  EXPECT_EQ(guest_->call("fd_pwrite", file, vectors, 1, UINT64_MAX, result), Errno::Inval);
  EXPECT_EQ(guest_->call("fd_pread", file, vectors, 1, INT64_MAX, result), Errno::Inval);
}

TEST_F(FdIoTest, BuffersAtTheEndOfMemory) {
  const Fd file = guest_->open(root, "file", open_flags::creat);
  guest_->put(end - 8, IoVector{end - 4, 4});  // the buffer is the length itself
  EXPECT_EQ(guest_->call("fd_write", file, end - 8, 1, result), Errno::Success);
  EXPECT_EQ(directory_.read("file"), std::string("\4\0\0\0", 4));
  guest_->put(vectors, IoVector{end - 4, 5});
  EXPECT_EQ(guest_->call("fd_write", file, vectors, 1, result), Errno::Fault);
  guest_->put(vectors, IoVector{0xffff'ffff, 2});
  EXPECT_EQ(guest_->call("fd_write", file, vectors, 1, result), Errno::Fault);
  guest_->put(vectors, IoVector{16, 0xffff'ffff});
  EXPECT_EQ(guest_->call("fd_write", file, vectors, 1, result), Errno::Fault);
  EXPECT_EQ(guest_->call("fd_write", file, end - 7, 1, result), Errno::Fault);
  EXPECT_EQ(guest_->call("fd_write", file, 0, 0x2000'0001, result), Errno::Fault);  // 8 times this wraps 32 bits
  guest_->put(vectors, IoVector{1000, 1});
  EXPECT_EQ(guest_->call("fd_write", file, vectors, 1, end - 3), Errno::Fault);
  EXPECT_EQ(directory_.read("file").size(), 4u);  // no write happened whose result could not be told
}

TEST_F(FdIoTest, ManyBuffers) {
  const Fd file = guest_->open(root, "file", open_flags::creat);
  for (std::uint32_t i = 0; i < 8000; ++i) guest_->put(vectors + i * 8, IoVector{0, 0});
  EXPECT_EQ(guest_->call("fd_write", file, vectors, 8000, result), Errno::Success);
  EXPECT_EQ(guest_->load<Size>(result), 0u);
  guest_->put(vectors + 7999 * 8, IoVector{65'000, 2});  // behind more empty ones than the host takes
  EXPECT_EQ(guest_->call("fd_write", file, vectors, 8000, result), Errno::Success);
  EXPECT_EQ(guest_->load<Size>(result), 2u);
  for (std::uint32_t i = 0; i < 8000; ++i) guest_->put(vectors + i * 8, IoVector{0, 1});
  EXPECT_EQ(guest_->call("fd_write", file, vectors, 8000, result), Errno::Success);
  EXPECT_EQ(guest_->load<Size>(result), 1024u);
  EXPECT_EQ(guest_->call("fd_write", file, 0, 0, result), Errno::Success);
  EXPECT_EQ(guest_->load<Size>(result), 0u);
}

TEST_F(FdIoTest, ReadsWhatThereIsThenTheEnd) {
  provide_input("some input");
  EXPECT_EQ(guest_->read(0), "some input");
  input_ = HostFile();
  EXPECT_EQ(guest_->read(0), "");
  EXPECT_EQ(guest_->read(0), "");
}

TEST_F(FdIoTest, WaitsForInput) {
  std::thread writer([this] { provide_input("late"); });
  EXPECT_EQ(guest_->read(0), "late");
  writer.join();
}

TEST_F(FdIoTest, NonBlockingInputSaysAgain) {
  EXPECT_EQ(guest_->call("fd_fdstat_set_flags", 0, fd_flags::nonblock), Errno::Success);
  EXPECT_EQ(guest_->read(0), "errno " + std::to_string(static_cast<int>(Errno::Again)));
  provide_input("x");
  EXPECT_EQ(guest_->read(0), "x");
  EXPECT_EQ(::fcntl(guest_input_.number(), F_GETFL) & O_NONBLOCK, 0);  // the host's file is as it was
}

TEST_F(FdIoTest, WritesAllToAPipeThatIsReadSlowly) {
  std::string received;
  std::thread reader([&] {
    char buffer[999];
    while (received.size() < 50'000) {
      const ssize_t count = ::read(output_.number(), buffer, sizeof(buffer));
      if (count <= 0) break;
      received.append(buffer, static_cast<std::size_t>(count));
    }
  });
  for (std::uint32_t i = 0; i < 50'000; ++i) guest_->put(1000 + i, static_cast<char>('a' + i % 26));
  const std::string sent = guest_->text(1000, 50'000);
  guest_->put(vectors, IoVector{1000, 20'001});
  guest_->put(vectors + 8, IoVector{21'001, 29'999});
  EXPECT_EQ(guest_->call("fd_write", 1, vectors, 2, result), Errno::Success);
  EXPECT_EQ(guest_->load<Size>(result), 50'000u);
  reader.join();
  EXPECT_EQ(received, sent);
}

TEST_F(FdIoTest, NonBlockingOutputWritesAPart) {
  EXPECT_EQ(guest_->call("fd_fdstat_set_flags", 1, fd_flags::nonblock), Errno::Success);
  guest_->put(vectors, IoVector{0, 60'000});
  EXPECT_EQ(guest_->call("fd_write", 1, vectors, 1, result), Errno::Success);
  EXPECT_GT(guest_->load<Size>(result), 0u);
  EXPECT_LT(guest_->load<Size>(result), 60'000u);
  guest_->put(vectors, IoVector{0, 60'000});
  Errno error = Errno::Success;
  for (int calls = 0; calls < 100 && error == Errno::Success; ++calls)
    error = guest_->call("fd_write", 1, vectors, 1, result);
  EXPECT_EQ(error, Errno::Again);
}

TEST_F(FdIoTest, ClosedPipeIsAnError) {
  output_ = HostFile();
  EXPECT_EQ(guest_->write(1, "nobody reads this"), Errno::Pipe);
}

TEST_F(FdIoTest, DeadlineEndsAReadingGuest) {
  interrupt_soon();
  guest_->read(0);
  expect_deadline();
}

TEST_F(FdIoTest, DeadlineEndsAWritingGuest) {
  interrupt_soon();
  guest_->put(vectors, IoVector{1000, 60'000});
  guest_->call("fd_write", 1, vectors, 1, result);
  expect_deadline();
}

TEST_F(FdIoTest, DeadlineEndsASleepingGuest) {
  Subscription sleep;
  sleep.clock.id = 1;
  sleep.clock.timeout = UINT64_MAX;
  guest_->put(100, sleep);
  interrupt_soon();
  guest_->call("poll_oneoff", 100, 200, 1, result);
  expect_deadline();
}

TEST_F(FdIoTest, DeadlineThatPassedEndsTheNextWait) {
  guest_->store().interrupt();
  guest_->read(0);
  ASSERT_TRUE(guest_->trap());
  EXPECT_EQ(guest_->trap()->kind, TrapKind::Interrupted);
}

TEST_F(FdIoTest, SpecialFilesBelowAPreopen) {
  ASSERT_EQ(::mkfifo((directory_ / "fifo").c_str(), 0600), 0);
  const Fd fifo = guest_->open(root, "fifo");  // opening does not wait for the other end
  EXPECT_EQ(guest_->write(fifo, "through"), Errno::Success);
  EXPECT_EQ(guest_->read(fifo), "through");
  interrupt_soon();
  guest_->read(fifo);
  expect_deadline();
}

}  // namespace
}  // namespace tfvm::wasi
