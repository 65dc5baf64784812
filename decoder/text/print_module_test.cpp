// Printing: text that assembles to the bytes it came from.
#include "decoder/text/print_module.hpp"

#include <gtest/gtest.h>

#include "decoder/text/assemble.hpp"

namespace tfvm::text {
namespace {

std::vector<std::uint8_t> assembled(std::string_view text) {
  auto bytes = assemble_module(text);
  EXPECT_TRUE(bytes.ok()) << (bytes.ok() ? "" : bytes.error().message) << "\n" << text;
  return bytes.ok() ? std::move(bytes).value() : std::vector<std::uint8_t>{};
}

Result<std::string> printed(std::vector<std::uint8_t> bytes) {
  const auto module = decode_module(std::move(bytes), std::make_shared<TypeRegistry>(), FeatureSet::all());
  if (!module) return module.error();
  return print_module(**module);
}

/// Every field and every kind of operand that the decoder reads, in the order in which they are printed.
constexpr std::string_view everything = R"(
  (type (func (param i32 i64) (result f32)))
  (rec (type (sub (struct (field i8) (field (mut (ref null 2)))))) (type (sub final 1 (struct (field i8) (field (mut (ref null 2)))))))
  (type (array (mut i16)))
  (type (func))
  (import "m\c3\a4" "n\"\\" (func (type 0)))
  (import "" "t" (table 1 externref)) (import "" "m" (memory i64 1 2)) (import "" "g" (global (mut f64)))
  (func (type 4) (local i32 i32) (local f32)
    block (result i32)
      loop (type 4) br 0 end
      i32.const -1 i32.load16_s offset=4 align=1
      br_table 0 1 0
    end
    if drop else nop end
    f32.const nan:0x123 drop f64.const -0x1p-1074 drop f64.const inf drop
    call_indirect 1 (type 0) select (result externref) select
    table.init 1 0 memory.copy 1 0 data.drop 0 ref.null 0 ref.func 1 table.get 1 i64.store 1)
  (table 2 3 funcref (ref.func 1)) (memory 1) (global i64 (i64.add (i64.const 1) (i64.const -2)))
  (export "f" (func 1)) (export "t" (table 1)) (export "m" (memory 0)) (export "g" (global 1))
  (start 1)
  (elem (table 1) (offset i32.const 0) func 0 1) (elem declare func 1) (elem externref (item ref.null extern))
  (data (memory 1) (offset i32.const 1) "a\00\"\\") (data ""))";

TEST(PrintModule, WhatIsPrintedIsTheSameModule) {
  const auto bytes = assembled(everything);
  const auto once = printed(bytes);
  ASSERT_TRUE(once.ok()) << once.error().to_string();
  EXPECT_EQ(assembled(*once), bytes) << *once;
}

TEST(PrintModule, EqualGroupsStayEqual) {
  const auto bytes = assembled(
      "(rec (type (struct (field (ref 1)))) (type (func (param (ref 0)))))"
      "(rec (type (struct (field (ref 3)))) (type (func (param (ref 2)))))");
  const auto text = printed(bytes);
  ASSERT_TRUE(text.ok()) << text.error().to_string();
  EXPECT_EQ(assembled(*text), bytes) << *text;
}

TEST(PrintModule, EmptyModules) { EXPECT_EQ(*printed(assembled("")), "(module\n)\n"); }

TEST(PrintModule, NestingIsIndented) {
  EXPECT_EQ(*printed(assembled("(func block nop end)")),
            "(module\n  (type (func))\n  (func (;0;) (type 0)\n    block\n      nop\n    end\n  )\n)\n");
}

TEST(PrintModule, BodiesThatCannotBeRead) {
  auto bytes = assembled("(func nop)");
  bytes[bytes.size() - 2] = 0x27;  // no opcode
  const auto text = printed(bytes);
  ASSERT_FALSE(text.ok());
  EXPECT_EQ(text.error().kind, ErrorKind::Malformed);
}

}  // namespace
}  // namespace tfvm::text
