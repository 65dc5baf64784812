// The assembler: abbreviations mean what they abbreviate, bytes are those of chapter 5, faults are named in the test
// suite's words, and nothing recurses.
#include "decoder/text/assemble.hpp"

#include <gtest/gtest.h>
#include <string>

#include "decoder/module.hpp"

namespace tfvm::text {
namespace {

std::string hexadecimal(std::string_view text) {
  const auto bytes = assemble_module(text);
  if (!bytes) return bytes.error().message;
  std::string out;
  for (std::size_t i = 8; i < bytes->size(); ++i) {
    char digits[4];
    std::snprintf(digits, sizeof digits, "%02x", (*bytes)[i]);
    out += digits;
  }
  return out;
}

/// The bytes of the only function's body, without locals and end.
std::string body(const std::string& instructions) {
  const std::string bytes = hexadecimal("(func " + instructions + ")");
  const std::string head = "010401600000030201000a";  // one type, one function
  if (!bytes.starts_with(head)) return bytes;
  return bytes.substr(head.size() + 8, bytes.size() - head.size() - 10);
}

std::string problem(std::string_view text) {
  const auto bytes = assemble_module(text);
  return bytes ? "assembled" : bytes.error().message;
}

#define EXPECT_SAME(a, b) EXPECT_EQ(hexadecimal(a), hexadecimal(b))
#define EXPECT_PROBLEM(text, words) EXPECT_EQ(problem(text).substr(0, std::string_view(words).size()), words)

TEST(Assemble, ModulesOfEveryForm) {
  EXPECT_EQ(hexadecimal(""), "");
  EXPECT_EQ(hexadecimal("(module)"), "");
  EXPECT_EQ(hexadecimal("(module $m (memory 1))"), "0503010001");
  EXPECT_EQ(hexadecimal("(memory 1)"), "0503010001");
  EXPECT_EQ(hexadecimal("(module definition $m (memory 1))"), "0503010001");
  EXPECT_EQ(hexadecimal("(module $m binary \"\\00asm\" \"\\01\\00\\00\\00\\07\")"), "07");
  EXPECT_EQ(hexadecimal("(module quote \"(memory\" \" 1)\")"), "0503010001");
  EXPECT_EQ(hexadecimal("(module quote \"(module quote \\\"(memory 1)\\\")\")"), "0503010001");
}

TEST(Assemble, ImplicitTypesComeBehindExplicitOnesInOrderOfUse) {
  EXPECT_EQ(
      hexadecimal("(import \"\" \"\" (func (param i64))) (func (param i32)) (type (func)) (func) (func (param i32))"),
      "010c0360000060017e0060017f0002050100000001030403020002"
      "0a0a0302000b02000b02000b");
  EXPECT_PROBLEM("(func (type 1) (param i32)) (type (func))", "unknown type");
  EXPECT_PROBLEM("(type $t (func (param i32))) (func (type $t) (param i64))", "inline function type");
  EXPECT_PROBLEM("(type $s (struct)) (func (type $s) (param i32))", "inline function type");
  // a type in a group, or one that is not final, is not what an implicit type means
  EXPECT_SAME("(rec (type (func)) (type (func))) (func)",
              "(rec (type (func)) (type (func))) (type (func)) (func (type 2))");
  EXPECT_SAME("(type (sub (func))) (func)", "(type (sub (func))) (type (func)) (func (type 1))");
  EXPECT_SAME("(rec (type (func))) (func)", "(type (sub final (func))) (func (type 0))");
}

TEST(Assemble, Types) {
  EXPECT_EQ(hexadecimal("(type (array (mut i8)))"), "0104015e7801");
  EXPECT_EQ(hexadecimal("(type (struct (field i16 (mut anyref)) (field $x (ref extern))))"),
            "010a015f037700"
            "6e01"
            "646f00");
  EXPECT_EQ(hexadecimal("(rec (type $a (struct (field (ref null $b)))) (type $b (sub $a (struct (field (ref $a))))))"),
            "0110014e025f01630100"
            "5001005f01640000");
  EXPECT_EQ(hexadecimal("(type (func (param $x i32) (param i64 f32) (result nullfuncref v128)))"),
            "010901600"
            "37f7e7d02737b");
  EXPECT_SAME("(type (func (param (ref null func) (ref null noextern))))",
              "(type (func (param funcref nullexternref)))");
  EXPECT_PROBLEM("(type (struct (field $x i32) (field $x i32)))", "duplicate field");
  EXPECT_PROBLEM("(type (func (param i8)))", "unexpected token");
}

TEST(Assemble, InlineImportsAndExports) {
  EXPECT_SAME("(func $f (export \"a\") (export \"b\") (import \"m\" \"n\") (param i32))",
              "(import \"m\" \"n\" (func $f (param i32))) (export \"a\" (func $f)) (export \"b\" (func 0))");
  EXPECT_SAME(
      "(table (import \"m\" \"n\") i64 1 2 funcref) (memory (export \"x\") (import \"m\" \"o\") 1)"
      "(global (import \"m\" \"p\") (mut i32)) (tag (import \"m\" \"q\") (param i32))",
      "(import \"m\" \"n\" (table i64 1 2 funcref)) (import \"m\" \"o\" (memory 1)) (import \"m\" \"p\" (global (mut "
      "i32)))"
      "(import \"m\" \"q\" (tag (param i32))) (export \"x\" (memory 0))");
  EXPECT_PROBLEM("(func) (import \"\" \"\" (func))", "import after function");
  EXPECT_PROBLEM("(memory 1) (func (import \"\" \"\"))", "import after memory");
}

TEST(Assemble, TablesAndElementSegments) {
  EXPECT_SAME("(func $f) (table $t funcref (elem $f 0))",
              "(func $f) (table $t 2 2 funcref) (elem (i32.const 0) func 0 0)");
  EXPECT_SAME(
      "(func) (table 1 funcref) (table i64 (ref null func) (elem (ref.func 0)))",
      "(func) (table 1 funcref) (table i64 1 1 funcref) (elem (table 1) (i64.const 0) funcref (item ref.func 0))");
  EXPECT_SAME("(type $t (func)) (func) (table (ref null $t) (elem 0))",
              "(type $t (func)) (func) (table 1 1 (ref null $t)) (elem (table 0) (offset i32.const 0) (ref null $t) "
              "(ref.func 0))");
  EXPECT_EQ(hexadecimal("(table 1 funcref (ref.null func))"), "0409014000700001d0700b");
  EXPECT_EQ(hexadecimal("(elem declare funcref (ref.null func))"), "090701077001d0700b");
  EXPECT_EQ(hexadecimal("(elem func)"),
            "0904010100"
            "00");
  EXPECT_EQ(hexadecimal("(elem declare func)"), "090401030000");
  EXPECT_EQ(hexadecimal("(elem externref)"), "090401056f00");
}

TEST(Assemble, MemoriesAndData) {
  EXPECT_SAME("(memory (data \"a\" \"b\"))", "(memory 1 1) (data (i32.const 0) \"ab\")");
  EXPECT_SAME("(memory $m i64 (data))", "(memory $m i64 0 0) (data (memory $m) (offset i64.const 0))");
  EXPECT_EQ(hexadecimal("(memory i64 1 0x1_0000_0000 shared)"),
            "050801070180808080"
            "10");
  EXPECT_EQ(hexadecimal("(memory 0) (memory 0) (data (memory 1) (i32.const 1) \"x\") (data \"y\")"),
            "0505020000"
            "0000"
            "0b0b0202014101"
            "0b017801"
            "0179");
  EXPECT_EQ(hexadecimal("(data $d \"\") (func data.drop $d)"),
            "01040160000003020100"
            "0c0101"
            "0a070105"
            "00fc09000b"
            "0b03010100");
}

TEST(Assemble, FlatAndFoldedInstructionsAreTheSame) {
  EXPECT_SAME("(func (result i32) (i32.add (i32.const 1) (block (result i32) (nop) i32.const 2)))",
              "(func (result i32) i32.const 1 block (result i32) nop i32.const 2 end i32.add)");
  EXPECT_SAME("(func (if (i32.const 1) (then (nop)) (else unreachable)))",
              "(func i32.const 1 if nop else unreachable end)");
  EXPECT_SAME("(func (if (i32.const 1) (i32.const 2) (then)))", "(func i32.const 1 i32.const 2 if end)");
  EXPECT_SAME("(func (loop $l (br_if $l (i32.const 0))))", "(func loop $l i32.const 0 br_if 0 end $l)");
  EXPECT_SAME("(tag $e) (func (block $b (try_table (catch $e $b) (catch_all_ref 1) (nop))))",
              "(tag) (func block try_table (catch 0 0) (catch_all_ref 1) nop end end)");
}

TEST(Assemble, Labels) {
  EXPECT_EQ(body("block $a block $b br $a br $b end end"),
            "02400240"
            "0c010c00"
            "0b0b");
  EXPECT_EQ(body("block $a block $a br $a end br $a end"),
            "02400240"
            "0c00"
            "0b"
            "0c00"
            "0b");
  EXPECT_EQ(body("block $a i32.const 0 br_table $a 1 $a end"),
            "02404100"
            "0e02000100"
            "0b");
  EXPECT_EQ(body("(block $a (if $b (br_if $a (i32.const 0)) (then (br $b) (br $a))))"),
            "02404100"
            "0d00"
            "0440"
            "0c000c01"
            "0b0b");
  EXPECT_PROBLEM("(func block $a end br $a)", "unknown label");
  EXPECT_PROBLEM("(func block $a end $b)", "mismatching label");
  EXPECT_PROBLEM("(func block end $b)", "mismatching label");
  EXPECT_PROBLEM("(func i32.const 0 if $a else $b end)", "mismatching label");
}

TEST(Assemble, Operands) {
  EXPECT_EQ(body("i32.load"), "280200");
  EXPECT_EQ(body("i32.load8_u offset=0x10 align=1"), "2d0010");
  EXPECT_EQ(body("i32.load 3 offset=1"), "28420301");
  EXPECT_EQ(body("i64.const -1 f32.const 0x1p0 f64.const -0"),
            "427f"
            "430000803f"
            "440000000000000080");
  EXPECT_EQ(body("select (result i32) select select (result) (result i32 i64)"),
            "1c017f"
            "1b"
            "1c027f7e");
  EXPECT_EQ(body("table.init 1 2 table.init 2 memory.copy memory.copy 1 2"),
            "fc0c0201"
            "fc0c0200"
            "fc0a0000"
            "fc0a0102");
  EXPECT_EQ(body("call_indirect 1 (type 0) call_indirect"),
            "110001"
            "110000");
  EXPECT_EQ(body("ref.test (ref 0) ref.test (ref null any) ref.cast structref"),
            "fb1400"
            "fb156e"
            "fb176b");
  EXPECT_EQ(body("br_on_cast 0 anyref (ref i31)"), "fb1801006e6c");
  EXPECT_EQ(body("array.new_fixed 0 3 array.copy 0 1 i31.get_u"),
            "fb080003"
            "fb110001"
            "fb1e");
  EXPECT_EQ(hexadecimal(
                "(type $s (struct (field $a i32) (field $b i32))) (type $f (func)) (func (type $f) struct.get $s $b)"),
            "010a025f027f007f0060000003020101"
            "0a080106"
            "00fb0200010b");
}

TEST(Assemble, Vectors) {
  EXPECT_EQ(body("v128.const i32x4 1 -1 0xff 0"),
            "fd0c"
            "01000000"
            "ffffffff"
            "ff000000"
            "00000000");
  EXPECT_EQ(body("v128.const f64x2 1 nan"),
            "fd0c"
            "000000000000f03f"
            "000000000000f87f");
  EXPECT_EQ(body("i8x16.shuffle 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 31"), "fd0d000102030405060708090a0b0c0d0e1f");
  EXPECT_EQ(body("i8x16.extract_lane_s 15 f64x2.replace_lane 1"),
            "fd150f"
            "fd2201");
  EXPECT_EQ(body("v128.load8_lane 1 v128.load8_lane 1 2 v128.store64_lane 1 offset=3 0"),
            "fd54000001"
            "fd5440010002"
            "fd5b43010300");
  EXPECT_EQ(body("i32x4.relaxed_dot_i8x16_i7x16_add_s"), "fd9302");
  EXPECT_PROBLEM("(func v128.const i32x4 1 2 3)", "wrong number of lane literals");
  EXPECT_PROBLEM("(func v128.const i8x16 256 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0)", "constant out of range");
  EXPECT_PROBLEM("(func i8x16.shuffle 1 2)", "invalid lane length");
  EXPECT_PROBLEM("(func i8x16.extract_lane_s 256)", "i8 constant out of range");
}

TEST(Assemble, LocalsAreGroupedAndNamed) {
  EXPECT_EQ(hexadecimal("(func (param $p i32) (local $a i32) (local i32 i64) (local) (local.set $a (local.get $p)))"),
            "01050160017f0003020100"
            "0a0c010a02027f017e200021010b");
  EXPECT_SAME("(type (func (param i32 i32))) (func (type 0) (local $x i32) local.get $x)",
              "(type (func (param i32 i32))) (func (type 0) (local i32) local.get 2)");
  EXPECT_PROBLEM("(func (param $a i32) (local $a i32))", "duplicate local");
}

TEST(Assemble, FaultsInTheSuitesWords) {
  EXPECT_EQ(problem("(func\n  (i32.got))"), "unknown operator i32.got (line 2, column 4)");
  EXPECT_PROBLEM("(func (i32.const 0x))", "unknown operator");
  EXPECT_PROBLEM("(func (i32.const 1.0))", "unexpected token");
  EXPECT_PROBLEM("(func (i32.const 0x1_0000_0000))", "constant out of range");
  EXPECT_PROBLEM("(func (i32.load align=3))", "alignment must be a power of two");
  EXPECT_PROBLEM("(func (i32.load align=0))", "alignment must be a power of two");
  EXPECT_PROBLEM("(func (result i32) (param i32))", "unexpected token");
  EXPECT_PROBLEM("(func (param i32) (type 0))", "unexpected token");
  EXPECT_PROBLEM("(func (block (param $x i32)))", "unexpected token");
  EXPECT_PROBLEM("(func block)", "unexpected token");
  EXPECT_PROBLEM("(func end)", "unexpected token");
  EXPECT_PROBLEM("(func else)", "unexpected token");
  EXPECT_PROBLEM("(func (nop nop))", "unexpected token");
  EXPECT_PROBLEM("(func (if (i32.const 0)))", "unexpected token");
  EXPECT_PROBLEM("(func (if (then) (then)))", "unexpected token");
  EXPECT_PROBLEM("(func (if (then) (else) (else)))", "unexpected token");
  EXPECT_PROBLEM("(func", "unexpected token");
  EXPECT_PROBLEM("(module) (module)", "unexpected token");
  EXPECT_PROBLEM("(func (call $f))", "unknown func");
  EXPECT_PROBLEM("(func $f) (func $f)", "duplicate func");
  EXPECT_PROBLEM("(func) (start 0) (start 0)", "multiple start sections");
  EXPECT_PROBLEM("(func (export \"\\ff\"))", "malformed UTF-8 encoding");
  EXPECT_PROBLEM("(frob)", "unknown operator");
  EXPECT_PROBLEM("(offset i32.const 0)", "unexpected token");
  EXPECT_PROBLEM("(global i32 i32.const 0 (elem))", "unexpected token");
  EXPECT_PROBLEM("(elem (i32.const 0", "unexpected token");
  EXPECT_PROBLEM("(elem (item))", "unexpected token");
  EXPECT_PROBLEM("(data (nop) nop \"\")", "unexpected token");
}

TEST(Assemble, EveryPrefixOfAModuleIsRefusedOrAssembled) {
  const std::string text =
      R"((module $m (type $t (sub (struct (field $x (mut i8))))) (rec (type $f (func (param i32) (result i64))))
    (import "m" "n" (func $i (type $f))) (table $e 1 funcref (ref.null func)) (memory (data "\u{41}\01"))
    (global $g (mut f32) (f32.const nan:0x1)) (tag (param i32)) (export "f" (func $i)) (elem $s declare func $i)
    (func $h (param $p i32) (local $l (ref null $t)) (if (result i32) (local.get $p) (then (i32.const 1)) (else i32.const 2))
      (@annotation) block $b (br_table $b 0 (i32.const 3)) end $b (v128.const i64x2 1 2) (;comment;) drop drop) (start $h)))";
  EXPECT_TRUE(assemble_module(text)) << problem(text);
  for (std::size_t size = 0; size < text.size(); ++size) {
    const auto result = assemble_module(std::string_view(text).substr(0, size));
    EXPECT_EQ(result.ok(), size == 0) << size;
    if (!result) {
      EXPECT_LE(result.error().offset, size);
    }
  }
}

std::string repeated(std::string_view part, std::size_t count) {
  std::string out;
  for (std::size_t i = 0; i < count; ++i) out += part;
  return out;
}

TEST(Assemble, NestingCostsNoNativeStack) {
  constexpr std::size_t depth = 300'000;
  EXPECT_TRUE(assemble_module("(func " + repeated("(block ", depth) + repeated(")", depth) + ")"));
  EXPECT_TRUE(assemble_module("(func " + repeated("block $l ", depth) + "br $l " + repeated("end ", depth) + ")"));
  EXPECT_TRUE(assemble_module("(func " + repeated("(drop ", depth) + repeated(")", depth) + ")"));
  EXPECT_TRUE(assemble_module("(func " + repeated("(if (then ", depth) + repeated("))", depth) + ")"));
  EXPECT_TRUE(assemble_module("(func " + repeated("(if ", depth) + repeated("(then))", depth) + ")"));
  EXPECT_FALSE(assemble_module(repeated("(", depth)));
  EXPECT_TRUE(assemble_module("(@a " + repeated("(", depth) + repeated(")", depth + 1)));
  EXPECT_TRUE(assemble_module(repeated("(;", depth) + repeated(";)", depth)));
}

}  // namespace
}  // namespace tfvm::text
