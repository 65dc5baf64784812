// Conversion with the real wast2json, whole and in parts, and with programs that behave badly in its place.
#include "spectests/convert.hpp"

#include <gtest/gtest.h>

#include "spectests/test_files.hpp"

namespace tfvm::spectests {
namespace {

Conversion convert(std::string_view text) {
  const TestFolder folder;
  auto conversion = convert_script(folder.write("test.wast", text));
  EXPECT_TRUE(conversion.ok()) << (conversion.ok() ? "" : conversion.error().message);
  return conversion.ok() ? std::move(*conversion) : Conversion{};
}

/// "module; assert_return; -assert_return(needs gc)": kinds, with a minus and the reason for what is skipped.
std::string outline(const Conversion& conversion) {
  std::string text;
  for (const Command& command : conversion.commands) {
    if (!text.empty()) text += "; ";
    if (command.kind == CommandKind::Skipped)
      text += "-" + std::string(to_string(command.skipped_kind)) + "(" + command.skip_reason + ")";
    else text += to_string(command.kind);
  }
  return text;
}

TEST(Convert, WholeScripts) {
  const auto conversion = convert("(module (func (export \"f\")))\n(assert_return (invoke \"f\"))");
  EXPECT_TRUE(conversion.is_whole);
  EXPECT_EQ(outline(conversion), "module; assert_return");
  EXPECT_EQ(conversion.commands[1].line, 2u);
  EXPECT_FALSE(conversion.commands[0].module.empty());
}

TEST(Convert, ARefusedModuleTakesItsAssertionsWithItAndNoOthers) {
  const auto conversion = convert(
      "(module $A (func (export \"f\")))\n"
      "(module $B (type (array i8)))\n"
      "(assert_return (invoke \"f\"))\n"
      "(assert_return (invoke $A \"f\"))\n"
      "(register \"b\" $B)\n"
      "(module (func (export \"g\")))\n"
      "(assert_return (invoke \"g\"))\n"
      "(assert_return (invoke $B \"f\"))\n");
  EXPECT_FALSE(conversion.is_whole);
  EXPECT_EQ(outline(conversion),
            "module; -module(needs gc); -assert_return(needs gc); assert_return; -register(needs gc); module; "
            "assert_return; -assert_return(needs gc)");
  EXPECT_EQ(conversion.commands[3].line, 4u);
  EXPECT_EQ(conversion.commands[4].as, "b");
}

TEST(Convert, OneFunctionOfAModuleIsReplacedByAStub) {
  const auto conversion = convert(
      "(module (type $t (func)) (func $x (export \"x\") (result (ref null $t)) (ref.null $t))\n"
      "  (func (export \"y\") (drop (call $x)))\n"
      "  (func (export \"z\") (result i32) (i32.const 1)))\n"
      "(assert_return (invoke \"x\"))\n"
      "(assert_return (invoke \"y\"))\n"
      "(assert_return (invoke \"z\") (i32.const 1))\n");
  EXPECT_EQ(outline(conversion),
            "module; -assert_return(needs function-references); -assert_return(needs function-references); "
            "assert_return");
}

TEST(Convert, ADroppedActionEndsTheUseOfItsModule) {
  const auto conversion = convert(
      "(module $A (func (export \"x\") (drop (ref.null any))) (func (export \"z\")))\n"
      "(assert_return (invoke \"z\"))\n"
      "(invoke \"x\")\n"
      "(assert_return (invoke \"z\"))\n"
      "(module (func (export \"z\")))\n"
      "(assert_return (invoke \"z\"))\n"
      "(assert_return (invoke $A \"z\"))\n");
  EXPECT_EQ(outline(conversion),
            "module; assert_return; -action(needs gc); -assert_return(needs gc); module; assert_return; "
            "-assert_return(needs gc)");
}

TEST(Convert, AnErrorDoesNotTakeTheNextFormWithIt) {
  const auto conversion = convert(
      "(module (func (export \"f\")))\n"
      "(assert_return (invoke \"f\") (ref.i31))\n"
      "(assert_return (invoke \"f\"))\n"
      "(assert_invalid (module (func (bad))) \"x\")\n"
      "(assert_return (invoke \"f\"))\n");
  EXPECT_EQ(outline(conversion),
            "module; -assert_return(needs gc); assert_return; "
            "-assert_invalid(wabt cannot convert); assert_return");
}

TEST(Convert, CrashesAreFoundByBisection) {  // wabt 1.0.32 aborts on a comment at the end of quoted text
  std::string text = "(module $F (func (export \"f\")))\n";
  for (int i = 0; i < 20; ++i) text += "(assert_return (invoke $F \"f\"))\n";
  text += "(module quote \"(func) ;; no line end\")\n(assert_return (invoke \"g\"))\n";
  for (int i = 0; i < 20; ++i) text += "(assert_return (invoke $F \"f\"))\n";
  const auto conversion = convert(text);
  ASSERT_EQ(conversion.commands.size(), 43u);
  for (std::size_t i = 1; i < 43; ++i)
    EXPECT_EQ(conversion.commands[i].kind, i == 21 || i == 22 ? CommandKind::Skipped : CommandKind::AssertReturn) << i;
  EXPECT_EQ(conversion.commands[22].skip_reason, "text format");
}

TEST(Convert, DefinitionsDoNotBecomeTheCurrentModule) {
  const auto conversion = convert(
      "(module (func (export \"f\")))\n(module definition $D (memory 65536))\n"
      "(module definition (table 1 (ref null any)))\n(assert_return (invoke \"f\"))");
  EXPECT_EQ(outline(conversion), "module; module definition; -module definition(needs gc); assert_return");
  EXPECT_EQ(conversion.commands.at(1).name, "$D");
  EXPECT_EQ(conversion.commands.at(1).line, 2u);
}

TEST(Convert, NewSpellingsAndTablesWith64BitAddresses) {
  const auto conversion = convert(
      "(module (table $t i64 10 funcref) (func (export \"f\") (result i64) (table.size)))\n"
      "(assert_return (invoke \"f\") (i64.const 10))\n");
  EXPECT_EQ(outline(conversion), "module; assert_return");
  const auto& module = conversion.commands.at(0).module;
  const std::vector<std::uint8_t> table_section = {4, 4, 1, 0x70, 4, 10};
  EXPECT_NE(std::search(module.begin(), module.end(), table_section.begin(), table_section.end()), module.end());
}

TEST(Convert, ScriptsOfWhichNothingIsLeft) {
  EXPECT_EQ(outline(convert("(module instance $I $M) (assert_return (invoke $I \"f\"))")),
            "-module(wabt cannot convert); -assert_return(wabt cannot convert)");
  EXPECT_EQ(outline(convert("(@only annotation)")), "");
}

TEST(Convert, BrokenScriptsAreErrors) {
  const TestFolder folder;
  for (const char* text : {"(module", "(module) )", "(module \"", "(; ", "module"})
    EXPECT_FALSE(convert_script(folder.write("broken.wast", text)).ok()) << text;
  EXPECT_FALSE(convert_script(folder.path() / "missing.wast").ok());
}

TEST(Convert, ConvertersThatMisbehaveAreErrors) {
  const TestFolder folder;
  const auto script = folder.write("test.wast", "(module)(module)");
  ConvertOptions options;
  for (const char* program : {"no-such-program-here", "true", "false"}) {
    options.wast2json = program;
    const auto conversion = convert_script(script, options);
    if (!conversion.ok()) continue;
    for (const Command& command : conversion->commands) EXPECT_EQ(command.kind, CommandKind::Skipped) << program;
  }
  const auto hanging = folder.write("hang", "#!/bin/sh\nexec sleep 600\n");
  std::filesystem::permissions(hanging, std::filesystem::perms::owner_all);
  options.wast2json = hanging.string();
  options.time_limit = std::chrono::milliseconds(20);
  const auto conversion = convert_script(script, options);
  ASSERT_TRUE(conversion.ok()) << conversion.error().message;
  EXPECT_EQ(outline(*conversion), "-module(wabt cannot convert); -module(wabt cannot convert)");
}

}  // namespace
}  // namespace tfvm::spectests
