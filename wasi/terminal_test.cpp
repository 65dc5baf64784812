// Terminals: that a guest can tell one, reads a line and its end, and, if the host wants it, cannot control one.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <pty.h>
#include <termios.h>
#include <unistd.h>

#include "wasi/test_directory.hpp"
#include "wasi/test_guest.hpp"

namespace tfvm::wasi {
namespace {

constexpr std::uint32_t result = 0;

class TerminalTest : public testing::Test {
 protected:
  void start(bool filters) {
    int ends[2];
    ASSERT_EQ(::openpty(&ends[0], &ends[1], nullptr, nullptr, nullptr), 0);
    outside_ = HostFile::own(ends[0]);
    terminal_ = HostFile::own(ends[1]);
    struct ::termios settings{};
    ::tcgetattr(terminal_.number(), &settings);
    settings.c_oflag &= ~static_cast<tcflag_t>(OPOST);
    settings.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    ::tcsetattr(terminal_.number(), TCSANOW, &settings);
    WasiConfig config;
    config.stdin_fd = config.stdout_fd = terminal_.number();
    config.stderr_fd = terminal_.number();
    config.filters_terminal = filters;
    guest_ = std::make_unique<TestGuest>(std::move(config));
  }
  std::string shown() const {
    char buffer[1000];
    const ssize_t count = ::read(outside_.number(), buffer, sizeof(buffer));
    return std::string(buffer, static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
  }
  void type(std::string_view keys) const {
    ASSERT_EQ(::write(outside_.number(), keys.data(), keys.size()), static_cast<ssize_t>(keys.size()));
  }

  HostFile outside_, terminal_;
  std::unique_ptr<TestGuest> guest_;
};

// What wasi-libc's isatty looks at.
TEST_F(TerminalTest, IsACharacterDeviceThatCannotSeek) {
  start(false);
  for (const Fd fd : {0u, 1u, 2u}) {
    ASSERT_EQ(guest_->call("fd_fdstat_get", fd, result), Errno::Success);
    EXPECT_EQ(guest_->load<FdStat>(result).file_type, FileType::CharacterDevice);
    EXPECT_EQ(guest_->load<FdStat>(result).base & (rights::fd_seek | rights::fd_tell), 0u);
    EXPECT_EQ(guest_->call("fd_seek", fd, 0, 1, result), Errno::Spipe);
  }
}

TEST_F(TerminalTest, GivesLinesAndTheirEnd) {
  start(false);
  Subscription read;
  read.type = EventType::FdRead;
  Subscription clock;
  clock.clock.id = 1;
  guest_->put(100, read);
  guest_->put(148, clock);
  ASSERT_EQ(guest_->call("poll_oneoff", 100, 200, 2, result), Errno::Success);
  EXPECT_EQ(guest_->load<Size>(result), 1u);  // the clock: nothing was typed
  EXPECT_EQ(guest_->load<Event>(200).type, EventType::Clock);
  type("first\nsec");
  EXPECT_EQ(guest_->read(0), "first\n");
  type("ond\n");
  EXPECT_EQ(guest_->read(0), "second\n");
  type("\x04");  // Ctrl-D at the start of a line
  EXPECT_EQ(guest_->read(0), "");
}

TEST_F(TerminalTest, ControlCodesPassUnlessTheyAreFiltered) {
  start(false);
  ASSERT_EQ(guest_->write(1, "a\x1b]0;title\x07\x1b[2J"), Errno::Success);
  EXPECT_EQ(shown(), "a\x1b]0;title\x07\x1b[2J");
  start(true);
  Size written = 0;
  ASSERT_EQ(guest_->write(1, "a\x1b]0;title\x07\x1b[2J\x7f tab\t end\b\r\n", &written), Errno::Success);
  EXPECT_EQ(written, 28u);
  EXPECT_EQ(shown(), "a?]0;title??[2J? tab\t end\b\r\n");
  ASSERT_EQ(guest_->write(2, "\x1b"), Errno::Success);
  EXPECT_EQ(shown(), "?");
}

// C1 codes as UTF-8 writes them, also when they come in two writes; letters stay.
TEST_F(TerminalTest, FilterKnowsUtf8) {
  start(true);
  ASSERT_EQ(guest_->write(1,
                          "\xc3\xa9 \xc2\x9b"
                          "2J \xe2\x82\x9b \xc2"),
            Errno::Success);
  EXPECT_EQ(shown(), "\xc3\xa9 \xc2?2J \xe2\x82\x9b \xc2");
  ASSERT_EQ(guest_->write(1, "\x9b"), Errno::Success);
  EXPECT_EQ(shown(), "?");
}

TEST_F(TerminalTest, FilesAndPipesAreNeverFiltered) {
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  const HostFile read_end = HostFile::own(ends[0]), write_end = HostFile::own(ends[1]);
  WasiConfig config;
  config.stdout_fd = write_end.number();
  config.filters_terminal = true;
  TestGuest guest(std::move(config));
  ASSERT_EQ(guest.write(1, "\x1b[2J"), Errno::Success);
  char buffer[10];
  EXPECT_EQ(std::string(buffer, static_cast<std::size_t>(::read(read_end.number(), buffer, sizeof(buffer)))),
            "\x1b[2J");
}

TEST_F(TerminalTest, LongTextsPassWhole) {
  start(true);
  const std::string text(900, 'x');
  ASSERT_EQ(guest_->write(1, text), Errno::Success);
  EXPECT_EQ(shown(), text);
}

}  // namespace
}  // namespace tfvm::wasi
