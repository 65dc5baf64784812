#include "cli/report.hpp"

#include <cstdlib>
#include <gtest/gtest.h>

namespace tfvm::cli {
namespace {

Trap make_trap(TrapKind kind) {
  Trap trap;
  trap.kind = kind;
  return trap;
}

BacktraceFrame frame(std::string module, std::string function, std::uint64_t offset) {
  BacktraceFrame result;
  result.module_name = std::move(module);
  result.function_name = std::move(function);
  result.offset = offset;
  return result;
}

constexpr ReportStyle plain = {};

TEST(Report, ErrorsAndHints) {
  EXPECT_EQ(error_text("no such thing", "", plain), "error: no such thing\n");
  EXPECT_EQ(error_text("no such thing", "try another", plain), "error: no such thing\nhint: try another\n");
  EXPECT_EQ(error_text("no such thing", "try another", {.quiet = true}), "error: no such thing\n");
}

TEST(Report, ColourMarksTheFirstWord) {
  EXPECT_EQ(error_text("no", "yes", {.colour = true}), "\x1b[1;31merror:\x1b[0m no\n\x1b[36mhint:\x1b[0m yes\n");
  EXPECT_EQ(trap_text(make_trap(TrapKind::Unreachable), "m", {.colour = true}), "\x1b[1;31mtrap:\x1b[0m unreachable\n");
}

TEST(Report, BacktraceIsInnermostFirst) {
  Trap trap = make_trap(TrapKind::IntegerDivideByZero);
  trap.backtrace = {frame("shapes", "divide", 0x45c2), frame("", "_start", 0x50)};
  BacktraceFrame unnamed;
  unnamed.function_index = 7;
  unnamed.offset = 0x1000;
  trap.backtrace.push_back(unnamed);
  EXPECT_EQ(trap_text(trap, "prog", plain),
            "trap: integer divide by zero\n"
            "  0: 0x45c2 - shapes!divide\n"
            "  1: 0x50 - prog!_start\n"
            "  2: 0x1000 - prog!<function 7>\n");
}

TEST(Report, HostFramesHaveNoOffset) {
  Trap trap = make_trap(TrapKind::HostFunctionFailed);
  trap.message = "the disk is full";
  BacktraceFrame host;
  host.is_host = true;
  host.function_name = "env.write";
  trap.backtrace = {host};
  EXPECT_EQ(trap_text(trap, "prog", plain), "trap: host function failed: the disk is full\n  0: host - env.write\n");
}

TEST(Report, NamesAreDemangledAndHarmless) {
  Trap trap = make_trap(TrapKind::Unreachable);
  trap.backtrace = {frame("m", "_ZN5shape4areaEi", 1), frame("m\x1b[2J", "a\nb", 2)};
  EXPECT_EQ(trap_text(trap, "prog", plain),
            "trap: unreachable\n"
            "  0: 0x1 - m!shape::area(int)\n"
            "  1: 0x2 - m\\1b[2J!a\\0ab\n");
}

TEST(Report, OmittedFramesAreCountedInTheMiddle) {
  Trap trap = make_trap(TrapKind::CallStackExhausted);
  trap.backtrace = {frame("m", "f", 1), frame("m", "f", 1), frame("m", "g", 2), frame("m", "main", 3)};
  trap.omitted_frames = 1000;
  EXPECT_EQ(trap_text(trap, "m", plain),
            "trap: call stack exhausted\n"
            "  0: 0x1 - m!f\n"
            "     ... 1 more of the same ...\n"
            "     ... 1000 frames left out ...\n"
            "1002: 0x2 - m!g\n"
            "1003: 0x3 - m!main\n"
            "hint: if the recursion is meant, --max-stack SIZE gives it more room\n");
}

TEST(Report, RepeatedFramesAreShownOnce) {
  Trap trap = make_trap(TrapKind::Unreachable);
  trap.backtrace = {frame("m", "f", 1), frame("m", "f", 1), frame("m", "f", 1), frame("m", "f", 2), frame("m", "f", 1)};
  EXPECT_EQ(trap_text(trap, "m", plain),
            "trap: unreachable\n"
            "  0: 0x1 - m!f\n"
            "     ... 2 more of the same ...\n"
            "  3: 0x2 - m!f\n"
            "  4: 0x1 - m!f\n");
}

TEST(Report, LimitsNameTheirOption) {
  EXPECT_EQ(trap_text(make_trap(TrapKind::OutOfFuel), "m", plain),
            "trap: all fuel consumed\nhint: the limit was set with --fuel\n");
  EXPECT_EQ(trap_text(make_trap(TrapKind::DeadlineExceeded), "m", plain),
            "trap: deadline exceeded\nhint: the limit was set with --timeout\n");
  EXPECT_EQ(trap_text(make_trap(TrapKind::OutOfFuel), "m", {.quiet = true}), "trap: all fuel consumed\n");
}

TEST(Report, ExitCodes) {
  EXPECT_EQ(exit_code(make_trap(TrapKind::Unreachable)), 134);
  EXPECT_EQ(exit_code(make_trap(TrapKind::OutOfFuel)), 134);
  EXPECT_EQ(exit_code(make_trap(TrapKind::CallStackExhausted)), 134);
  EXPECT_EQ(exit_code(make_trap(TrapKind::DeadlineExceeded)), 124);
  Trap exited = make_trap(TrapKind::Exit);
  for (const auto& [code, expected] : {std::pair{0, 0}, {7, 7}, {255, 255}, {256, 1}, {257, 1}, {258, 2}, {-1, 255}}) {
    exited.exit_code = code;
    EXPECT_EQ(exit_code(exited), expected) << code;
  }
}

TEST(Report, LevelsByName) {
  EXPECT_EQ(parse_log_level("off"), LogLevel::Off);
  EXPECT_EQ(parse_log_level("warn"), LogLevel::Warning);
  EXPECT_EQ(parse_log_level("trace"), LogLevel::Trace);
  EXPECT_FALSE(parse_log_level("loud"));
}

/// Sets environment variables and puts the old ones back.
class ReportStyleTest : public testing::Test {
 protected:
  void SetUp() override {
    for (const char* name : {"NO_COLOR", "CLICOLOR_FORCE", "TERM", "TFVM_LOG"}) ::unsetenv(name);
  }
  void TearDown() override { SetUp(); }
};

TEST_F(ReportStyleTest, ColourIsForcedOrForbiddenByTheEnvironment) {
  ::setenv("CLICOLOR_FORCE", "1", 1);
  EXPECT_TRUE(style_from_environment(0, false).colour);
  ::setenv("TERM", "dumb", 1);
  EXPECT_TRUE(style_from_environment(0, false).colour);
  ::setenv("NO_COLOR", "1", 1);
  EXPECT_FALSE(style_from_environment(0, false).colour);
  ::setenv("NO_COLOR", "", 1);
  EXPECT_TRUE(style_from_environment(0, false).colour);
  ::setenv("CLICOLOR_FORCE", "0", 1);
  EXPECT_FALSE(style_from_environment(0, false).colour);
}

TEST_F(ReportStyleTest, LevelComesFromEnvironmentAndOptions) {
  EXPECT_EQ(style_from_environment(0, false).level, LogLevel::Warning);
  EXPECT_EQ(style_from_environment(1, false).level, LogLevel::Info);
  EXPECT_EQ(style_from_environment(9, false).level, LogLevel::Trace);
  ::setenv("TFVM_LOG", "debug", 1);
  EXPECT_EQ(style_from_environment(0, false).level, LogLevel::Debug);
  EXPECT_EQ(style_from_environment(1, false).level, LogLevel::Debug);
  ::setenv("TFVM_LOG", "off", 1);
  EXPECT_EQ(style_from_environment(0, false).level, LogLevel::Off);
  ::setenv("TFVM_LOG", "loud", 1);
  EXPECT_THROW((void)style_from_environment(0, false), Failure);
}

}  // namespace
}  // namespace tfvm::cli
