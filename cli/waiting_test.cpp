// Guests that wait, from the outside: Ctrl-C and --timeout end them wherever they are; terminals.
#include <gtest/gtest.h>

#include "cli/running_child.hpp"

namespace tfvm::cli {
namespace {

using Streams = RunningChild::Streams;

const std::string wait_guest = TFVM_SOURCE_DIR "/wasi/guests/wait.wasm";

TEST(Waiting, CtrlCEndsGuestsWith130) {
  for (const char* way : {"sleep", "read", "spin"}) {
    RunningChild child({wait_guest, way}, Streams::Terminal);
    ASSERT_NE(child.read_until("waiting"), "") << way;
    child.write("\x03");
    EXPECT_EQ(child.wait(), 130) << way;
  }
}

TEST(Waiting, InterruptsEndGuestsWith130) {
  for (const char* way : {"sleep", "read", "spin", "write", "accept"}) {
    RunningChild child({"--tcp-listen", "127.0.0.1:0", wait_guest, way}, Streams::Pipes);
    ASSERT_NE(child.read_until("waiting"), "") << way;
    child.signal(SIGINT);
    EXPECT_EQ(child.wait(), 130) << way;
  }
}

// Nobody reads what the guest, or tfvm itself, has to say.
TEST(Waiting, TimeoutEndsGuestsWith124) {
  for (const char* way : {"sleep", "read", "spin", "write", "errors", "accept"}) {
    RunningChild child({"--timeout", "100ms", "--tcp-listen", "127.0.0.1:0", wait_guest, way}, Streams::Pipes);
    ASSERT_NE(child.read_until("waiting"), "") << way;
    EXPECT_EQ(child.wait(), 124) << way;
  }
}

TEST(Waiting, GuestsKnowATerminal) {
  RunningChild on_terminal({wait_guest, "lines"}, Streams::Terminal);
  EXPECT_NE(on_terminal.read_until("a terminal"), "");
  on_terminal.write("abc\n");
  EXPECT_NE(on_terminal.read_until("got 4"), "");
  on_terminal.write("\x04");
  EXPECT_NE(on_terminal.read_until("end"), "");
  EXPECT_EQ(on_terminal.wait(), 0);
  RunningChild on_pipes({wait_guest, "lines"}, Streams::Pipes);
  EXPECT_NE(on_pipes.read_until("no terminal"), "");
}

}  // namespace
}  // namespace tfvm::cli
