#include "decoder/disassemble.hpp"

#include <gtest/gtest.h>

#include "decoder/test_module.hpp"

namespace tfvm {
namespace {

using test::Bytes;

// The lines of function 0 of a module: two spaces per depth, then the text.
std::vector<std::string> listing(const Bytes& code, const Bytes& locals = {0}, const Bytes& names = {}) {
  test::ModuleBuilder builder;
  builder.type({test::i32, test::i64}, {test::f32});
  builder.raw_type({0x60, 1, 0x63, 0, 0});
  builder.function(0, code, locals);
  if (!names.empty()) builder.custom("name", names);
  const auto module = decode_module(builder.build(), std::make_shared<TypeRegistry>());
  EXPECT_TRUE(module.ok());
  std::vector<std::string> lines;
  const Disassembler disassembler(**module);
  const auto done = disassembler.function(
      0, [&](const DisassemblyLine& line) { lines.push_back(std::string(2 * line.depth, ' ') + line.text); });
  if (!done) lines.push_back(done.error().to_string());
  return lines;
}

using Lines = std::vector<std::string>;

TEST(Disassemble, BlocksAreIndented) {
  EXPECT_EQ(listing({0x02, 0x40, 0x03, 0x7f, 0x41, 0x7f, 0x04, 0x01, 0x05, 0x0b, 0x0b, 0x1a, 0x0b}),
            (Lines{"block", "  loop (result i32)", "    i32.const -1", "    if (type 1)", "    else", "    end",
                   "  end", "  drop", "end", "end"}));
}

TEST(Disassemble, Locals) {
  EXPECT_EQ(listing({0x20, 2}, {2, 1, 0x7d, 3, 0x63, 0}),
            (Lines{"local 2 f32", "local 3..5 (ref null 0)", "local.get 2", "end"}));
}

TEST(Disassemble, Immediates) {
  const auto text = [](const Bytes& code) { return listing(code).at(0); };
  EXPECT_EQ(text({0x0e, 2, 1, 2, 0}), "br_table 1 2 0");
  EXPECT_EQ(text({0x11, 1, 0}), "call_indirect (type 1)");
  EXPECT_EQ(text({0x11, 1, 4}), "call_indirect 4 (type 1)");
  EXPECT_EQ(text({0x28, 2, 0}), "i32.load");
  EXPECT_EQ(text({0x28, 0, 8}), "i32.load offset=8 align=1");
  EXPECT_EQ(text({0x37, 0x43, 1, 0x80, 1}), "i64.store 1 offset=128");
  EXPECT_EQ(text({0x3f, 0}), "memory.size");
  EXPECT_EQ(text({0x3f, 1}), "memory.size 1");
  EXPECT_EQ(text({0xfc, 0x0a, 1, 0}), "memory.copy 1 0");
  EXPECT_EQ(text({0xfc, 0x08, 3, 0}), "memory.init 3");
  EXPECT_EQ(text({0xfc, 0x08, 3, 1}), "memory.init 1 3");
  EXPECT_EQ(text({0xfc, 0x0c, 3, 1}), "table.init 1 3");
  EXPECT_EQ(text({0x42, 0x80, 0x7f}), "i64.const -128");
  EXPECT_EQ(text({0x43, 0, 0, 0xc0, 0x3f}), "f32.const 1.5");
  EXPECT_EQ(text({0x43, 1, 0, 0xa0, 0xff}), "f32.const -nan:0x200001");
  EXPECT_EQ(text({0x44, 0, 0, 0, 0, 0, 0, 0xf0, 0x7f}), "f64.const inf");
  EXPECT_EQ(text({0xd0, 0x70}), "ref.null func");
  EXPECT_EQ(text({0xd0, 1}), "ref.null 1");
  EXPECT_EQ(text({0x1c, 1, 0x70}), "select (result funcref)");
  EXPECT_EQ(text({0x24, 5}), "global.set 5");
  EXPECT_EQ(text({0xfc, 0x02}), "i32.trunc_sat_f64_s");
}

TEST(Disassemble, NamesArePrintable) {
  const Bytes names = Bytes{1, 6, 1, 0, 3, 'f', 0x1b, '['};
  EXPECT_EQ(listing({0x10, 0}, {0}, names), (Lines{"call 0 ;; f\\1b[", "end"}));
}

TEST(Disassemble, Headers) {
  test::ModuleBuilder builder;
  builder.type({test::i32, test::i64}, {test::f32});
  builder.function(0, {0x00});
  builder.custom("name", {1, 4, 1, 0, 1, 'f'});
  const auto module = decode_module(builder.build(), std::make_shared<TypeRegistry>());
  const Disassembler disassembler(**module);
  EXPECT_EQ(disassembler.function_header(0), "func 0 'f' (i32, i64) -> (f32)");
  EXPECT_EQ(disassembler.function_header(7), "func 7");
  EXPECT_FALSE(disassembler.function(1, [](const DisassemblyLine&) {}).ok());
}

TEST(Disassemble, BadCodeEndsWithAnError) {
  EXPECT_EQ(listing({0x01, 0xff}),
            (Lines{"nop", "malformed: illegal opcode ff (offset 0x20, section code, function 0)"}));
}

TEST(Disassemble, DeepNestingDoesNotRecurse) {
  EXPECT_EQ(listing({0x01}).size(), 2u);
  test::ModuleBuilder builder;
  builder.function(builder.type({}, {}), test::repeat({0x02, 0x40}, 1'000'000));
  const auto module = decode_module(builder.build(), std::make_shared<TypeRegistry>());
  std::uint32_t deepest = 0;
  const auto done =
      Disassembler(**module).function(0, [&](const DisassemblyLine& line) { deepest = std::max(deepest, line.depth); });
  EXPECT_TRUE(done.ok());
  EXPECT_EQ(deepest, 999'999u);
}

}  // namespace
}  // namespace tfvm
