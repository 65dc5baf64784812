// Lines of the log: what clients and guests say cannot look like anything else.
#include "cli/serve/log.hpp"

#include <cstdio>
#include <fstream>
#include <gtest/gtest.h>
#include <iterator>

namespace tfvm::serve {
namespace {

std::string content(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

AccessEntry hostile_entry() {
  AccessEntry entry;
  entry.client = "192.0.2.1";
  entry.method = "GET";
  entry.host = "host\n";
  entry.target = "/\"x\x1b[2J";
  entry.function = "f.wasm";
  entry.request_id = "id";
  entry.user_agent = "a\r\nb\"\xff";
  entry.status = 200;
  entry.bytes = 12;
  entry.duration = std::chrono::microseconds(1'500);
  return entry;
}

class LogTest : public testing::Test {
 protected:
  LogTest() { std::remove(path_.c_str()); }
  ~LogTest() override { std::remove(path_.c_str()); }
  std::string path_ = testing::TempDir() + "tfvm-log-" + testing::UnitTest::GetInstance()->current_test_info()->name();
};

TEST_F(LogTest, TextIsOneLineOfPrintableWords) {
  auto log = Log::open({path_, LogFormat::Text, true});
  ASSERT_TRUE(log.ok());
  (*log)->access(hostile_entry());
  (*log)->flush();
  const std::string text = content(path_);
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1);
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
  EXPECT_NE(text.find(" 200 12 1.500ms id f.wasm "), std::string::npos) << text;
  EXPECT_NE(text.find("\"GET /\\\"x"), std::string::npos) << text;
}

TEST_F(LogTest, JsonIsOneObjectALine) {
  auto log = Log::open({path_, LogFormat::Json, true});
  ASSERT_TRUE(log.ok());
  (*log)->access(hostile_entry());
  (*log)->access(hostile_entry());
  (*log)->flush();
  const std::string text = content(path_);
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 2);
  EXPECT_NE(text.find("\"host\":\"host\\u000a\""), std::string::npos) << text;
  EXPECT_NE(text.find("\"target\":\"/\\\"x\\u001b[2J\""), std::string::npos) << text;
  EXPECT_NE(text.find("\"user_agent\":\"a\\u000d\\u000ab\\\"\\ufffd\""), std::string::npos) << text;
  EXPECT_NE(text.find("\"status\":200,\"bytes\":12,\"milliseconds\":1.500}"), std::string::npos) << text;
}

TEST_F(LogTest, IsOpenedAgainAfterARotation) {
  auto log = Log::open({path_, LogFormat::Text, true});
  ASSERT_TRUE(log.ok());
  (*log)->access(hostile_entry());
  (*log)->flush();
  const std::string moved = path_ + ".1";
  ASSERT_EQ(std::rename(path_.c_str(), moved.c_str()), 0);
  (*log)->reopen();
  (*log)->access(hostile_entry());
  log->reset();
  EXPECT_FALSE(content(moved).empty());
  EXPECT_FALSE(content(path_).empty());
  std::remove(moved.c_str());
}

TEST_F(LogTest, FilesThatCannotBeOpenedAreErrors) {
  EXPECT_FALSE(Log::open({"/does/not/exist/log", LogFormat::Text, true}).ok());
}

TEST(JsonStringTest, KeepsUtf8AndReplacesTheRest) {
  EXPECT_EQ(json_string("\u00e4\u20ac\U0001f600"), "\"\u00e4\u20ac\U0001f600\"");
  EXPECT_EQ(json_string("a\xc0\x80"
                        "b"),
            "\"a\\ufffd\\ufffdb\"");
  EXPECT_EQ(json_string("\xed\xa0\x80"), "\"\\ufffd\\ufffd\\ufffd\"");
  EXPECT_EQ(json_string("\xe2\x82"), "\"\\ufffd\\ufffd\"");
}

}  // namespace
}  // namespace tfvm::serve
