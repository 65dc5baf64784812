// Reading wast2json's output: every kind of command and value, and what is no such output.
#include "spectests/script.hpp"

#include <gtest/gtest.h>

#include "spectests/test_files.hpp"

namespace tfvm::spectests {
namespace {

std::vector<Command> read(std::string_view commands, const std::filesystem::path& folder = ".") {
  auto script = read_script("{\"source_filename\": \"a.wast\", \"commands\": [" + std::string(commands) + "]}", folder);
  EXPECT_TRUE(script.ok()) << (script.ok() ? "" : script.error().message);
  return script.ok() ? std::move(*script) : std::vector<Command>{};
}

TEST(Script, ModulesComeWithTheirBytes) {
  const TestFolder folder;
  folder.write("a.0.wasm", std::string_view("\0asm", 4));
  const auto commands =
      read("{\"type\": \"module\", \"line\": 3, \"name\": \"$A\", \"filename\": \"a.0.wasm\"}", folder.path());
  ASSERT_EQ(commands.size(), 1u);
  EXPECT_EQ(commands[0].kind, CommandKind::Module);
  EXPECT_EQ(commands[0].line, 3u);
  EXPECT_EQ(commands[0].name, "$A");
  EXPECT_EQ(commands[0].module, (std::vector<std::uint8_t>{0, 'a', 's', 'm'}));
  EXPECT_FALSE(commands[0].is_assertion());
}

TEST(Script, TextModulesAreNotRead) {
  const auto commands = read(
      "{\"type\": \"assert_malformed\", \"line\": 1, \"filename\": \"missing.wat\", \"text\": \"t\", "
      "\"module_type\": \"text\"}");
  ASSERT_EQ(commands.size(), 1u);
  EXPECT_TRUE(commands[0].is_text_module);
  EXPECT_TRUE(commands[0].is_assertion());
}

TEST(Script, ValuesOfAllTypes) {
  const auto commands = read(
      "{\"type\": \"assert_return\", \"line\": 1, \"action\": {\"type\": \"invoke\", \"module\": \"$M\", "
      "\"field\": \"f\", \"args\": ["
      "{\"type\": \"i32\", \"value\": \"4294967295\"}, {\"type\": \"i64\", \"value\": \"18446744073709551615\"},"
      "{\"type\": \"f32\", \"value\": \"2139099700\"}, {\"type\": \"externref\", \"value\": \"5\"},"
      "{\"type\": \"funcref\", \"value\": \"null\"}]}, \"expected\": ["
      "{\"type\": \"f32\", \"value\": \"nan:canonical\"}, {\"type\": \"f64\", \"value\": \"nan:arithmetic\"},"
      "{\"type\": \"funcref\", \"value\": \"0\"}, {\"type\": \"externref\", \"value\": \"null\"}]}");
  ASSERT_EQ(commands.size(), 1u);
  const auto& arguments = commands[0].action.arguments;
  ASSERT_EQ(arguments.size(), 5u);
  EXPECT_EQ(commands[0].action.module, "$M");
  EXPECT_EQ(arguments[0].slot.bits, 0xffff'ffffu);
  EXPECT_EQ(arguments[1].slot.bits, UINT64_MAX);
  EXPECT_EQ(arguments[2].slot.bits, 2139099700u);
  EXPECT_EQ(arguments[3].slot.bits, Slot::external(5).bits);
  EXPECT_TRUE(arguments[4].slot.is_null());
  const auto& expected = commands[0].expected;
  ASSERT_EQ(expected.size(), 4u);
  EXPECT_EQ(expected[0].kind, Pattern::Kind::CanonicalNan);
  EXPECT_EQ(expected[1].kind, Pattern::Kind::ArithmeticNan);
  EXPECT_EQ(expected[2].kind, Pattern::Kind::NonNull);
  EXPECT_EQ(expected[3].kind, Pattern::Kind::Exact);
}

TEST(Script, VectorsAreMarked) {
  const auto commands = read(
      "{\"type\": \"assert_return\", \"line\": 1, \"action\": {\"type\": \"invoke\", \"field\": \"f\", \"args\": ["
      "{\"type\": \"v128\", \"lane_type\": \"i64\", \"value\": [\"1\", \"2\"]}]}, \"either\": ["
      "{\"type\": \"v128\", \"lane_type\": \"i64\", \"value\": [\"1\", \"2\"]}]}");
  ASSERT_EQ(commands.size(), 1u);
  EXPECT_TRUE(commands[0].action.has_vector_arguments);
  EXPECT_TRUE(commands[0].is_either);
  EXPECT_EQ(commands[0].expected[0].kind, Pattern::Kind::Vector);
}

TEST(Script, OtherCommands) {
  const auto commands = read(
      "{\"type\": \"register\", \"line\": 1, \"name\": \"$A\", \"as\": \"a\"},"
      "{\"type\": \"action\", \"line\": 2, \"action\": {\"type\": \"get\", \"field\": \"g\"}, \"expected\": []},"
      "{\"type\": \"assert_trap\", \"line\": 3, \"action\": {\"type\": \"invoke\", \"field\": \"f\", \"args\": []}, "
      "\"text\": \"unreachable\", \"expected\": [{\"type\": \"funcref\"}]}");
  ASSERT_EQ(commands.size(), 3u);
  EXPECT_EQ(commands[0].as, "a");
  EXPECT_FALSE(commands[1].action.is_invoke);
  EXPECT_EQ(commands[2].kind, CommandKind::AssertTrap);
  EXPECT_EQ(commands[2].text, "unreachable");
}

TEST(Script, WhatIsNoScriptIsAnError) {
  const std::string_view action = "{\"type\": \"action\", \"line\": 1, \"action\": ";
  for (const std::string& command :
       {std::string("{}"), std::string("{\"type\": \"dance\", \"line\": 1}"),
        std::string("{\"type\": \"module\", \"line\": 1, \"filename\": \"/nowhere/a.wasm\"}"),
        std::string(action) + "{\"type\": \"call\", \"field\": \"f\"}}",
        std::string(action) +
            "{\"type\": \"invoke\", \"field\": \"f\", \"args\": [{\"type\": \"i32\", \"value\": \"x\"}]}}",
        std::string(action) +
            "{\"type\": \"invoke\", \"field\": \"f\", \"args\": [{\"type\": \"i7\", \"value\": \"1\"}]}}",
        std::string(action) + "{\"type\": \"invoke\", \"field\": \"f\", \"args\": [{\"type\": \"f32\", \"value\": "
                              "\"nan:canonical\"}]}}"}) {
    const auto script = read_script("{\"commands\": [" + command + "]}", ".");
    EXPECT_FALSE(script.ok()) << command;
  }
  EXPECT_FALSE(read_script("", ".").ok());
  EXPECT_FALSE(read_script("[1", ".").ok());
  EXPECT_FALSE(read_script("[]", ".").ok());
  EXPECT_FALSE(read_script("{\"commands\": 7}", ".").ok());
}

}  // namespace
}  // namespace tfvm::spectests
