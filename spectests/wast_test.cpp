// Scripts to commands by our own text format: every kind of command, constant and result.
#include "spectests/wast.hpp"

#include <gtest/gtest.h>

#include "spectests/match.hpp"
#include "spectests/test_files.hpp"

namespace tfvm::spectests {
namespace {

std::vector<Command> read(std::string_view script) {
  auto commands = read_wast(script);
  EXPECT_TRUE(commands.ok()) << (commands.ok() ? "" : commands.error().message);
  return commands.ok() ? std::move(*commands) : std::vector<Command>{};
}

TEST(Wast, ModulesAreAssembled) {
  const auto commands = read("(module $A)\n(module definition $D)\n(module instance $I $D)\n(register \"r\" $I)");
  ASSERT_EQ(commands.size(), 4u);
  EXPECT_EQ(commands[0].kind, CommandKind::Module);
  EXPECT_EQ(commands[0].name, "A");
  EXPECT_EQ(commands[0].module, (std::vector<std::uint8_t>{0, 'a', 's', 'm', 1, 0, 0, 0}));
  EXPECT_EQ(commands[1].kind, CommandKind::Definition);
  EXPECT_EQ(commands[2].kind, CommandKind::Instance);
  EXPECT_EQ(commands[2].definition, "D");
  EXPECT_EQ(commands[3].as, "r");
  EXPECT_EQ(commands[3].line, 4u);
}

TEST(Wast, AModuleThatCannotBeAssembledIsACommand) {
  const auto commands = read("(assert_malformed (module quote \"(foo)\") \"unknown operator\") (module (func $f foo))");
  ASSERT_EQ(commands.size(), 2u);
  ASSERT_TRUE(commands[0].text_error);
  EXPECT_TRUE(commands[0].text_error->message.starts_with("unknown operator foo")) << commands[0].text_error->message;
  EXPECT_TRUE(commands[1].text_error);
}

TEST(Wast, FieldsAloneAreAModule) {
  const auto commands = read("(func) (memory 1)");
  ASSERT_EQ(commands.size(), 1u);
  EXPECT_EQ(commands[0].kind, CommandKind::Module);
  EXPECT_GT(commands[0].module.size(), 8u);
}

TEST(Wast, EveryAssertion) {
  const auto commands = read(R"((assert_return (get $M "g")) (assert_trap (invoke "f") "a") (assert_trap (module) "b")
    (assert_exhaustion (invoke "f") "c") (assert_exception (invoke "f")) (assert_invalid (module) "d")
    (assert_malformed (module binary "") "e") (assert_unlinkable (module) "f")
    (assert_malformed_custom (module quote "") "g"))");
  std::string kinds;
  for (const Command& command : commands) {
    EXPECT_TRUE(command.is_assertion());
    kinds += std::string(to_string(command.kind)) + ":" + command.text + " ";
  }
  EXPECT_EQ(kinds,
            "assert_return: assert_trap:a assert_uninstantiable:b assert_exhaustion:c assert_exception: "
            "assert_invalid:d assert_malformed:e assert_unlinkable:f skipped:g ");
  EXPECT_EQ(commands[0].action.module, "M");
  EXPECT_FALSE(commands[0].action.is_invoke);
}

TEST(Wast, ValuesOfAllTypes) {
  const auto commands = read(R"((assert_return (invoke "f" (i32.const -1) (i64.const -1) (f32.const nan:0x1)
    (ref.extern 5) (ref.null func) (v128.const i32x4 1 2 3 4))
    (f32.const nan:canonical) (f64.const nan:arithmetic) (ref.func) (ref.null) (ref.extern) (ref.null extern)))");
  ASSERT_EQ(commands.size(), 1u);
  const auto& arguments = commands[0].action.arguments;
  ASSERT_EQ(arguments.size(), 6u);
  EXPECT_EQ(arguments[0].slot.bits, 0xffff'ffffu);
  EXPECT_EQ(arguments[1].slot.bits, UINT64_MAX);
  EXPECT_EQ(arguments[2].slot.bits, 0x7f80'0001u);
  EXPECT_EQ(arguments[3].slot.bits, Slot::external(5).bits);
  EXPECT_FALSE(arguments[3].type.is_nullable());
  EXPECT_TRUE(arguments[4].slot.is_null());
  EXPECT_TRUE(commands[0].action.has_vector_arguments);
  using Kind = Pattern::Kind;
  std::vector<Kind> kinds;
  for (const Pattern& pattern : commands[0].expected) kinds.push_back(pattern.kind);
  EXPECT_EQ(kinds, (std::vector<Kind>{Kind::CanonicalNan, Kind::ArithmeticNan, Kind::NonNull, Kind::AnyNull,
                                      Kind::NonNull, Kind::Exact}));
  EXPECT_TRUE(matches(commands[0].expected[3], Value{funcref, Slot::null()}));
  EXPECT_FALSE(matches(commands[0].expected[3], Value{externref, Slot::external(1)}));
  EXPECT_FALSE(matches(commands[0].expected[3], Value::i32(0)));
}

TEST(Wast, Alternatives) {
  const auto commands = read("(assert_return (invoke \"f\") (either (i32.const 1) (i32.const 2)))");
  ASSERT_EQ(commands.size(), 1u);
  EXPECT_TRUE(commands[0].is_either);
  EXPECT_EQ(commands[0].expected.size(), 2u);
}

TEST(Wast, WhatIsNoScript) {
  for (const char* text :
       {"(module", "(assert_nothing (module) \"\")", "(invoke)", "(assert_return (invoke \"f\") 1)",
        "(assert_trap (invoke \"f\"))", "module", "(register r)", "(assert_invalid (invoke \"f\") \"\")"})
    EXPECT_FALSE(read_wast(text).ok()) << text;
  EXPECT_FALSE(read_wast_file("/no/such/script.wast").ok());
}

}  // namespace
}  // namespace tfvm::spectests
