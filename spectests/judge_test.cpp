// Our assembler and wabt's on one script with the forms that both know; and that a difference is seen.
#include "spectests/judge.hpp"

#include <gtest/gtest.h>

#include "spectests/test_files.hpp"

namespace tfvm::spectests {
namespace {

std::string judge(std::string_view text) {
  const TestFolder folder;
  return compare_with_wabt(Script{folder.write("test.wast", text), "test"}).summary(true);
}

TEST(Judge, BothMakeTheSameOfWhatBothKnow) {
  EXPECT_EQ(judge(R"W((module
      (type $t (func (param i32) (result i32)))
      (import "spectest" "print_i32" (func $print (param i32)))
      (memory (export "m") (data "ab\00\ff" "c")) (table $e funcref (elem $f $print))
      (global $g (mut f64) (f64.const 0x1.8p-3)) (global i64 (i64.const -9))
      (func $f (export "f") (type $t) (local $a i32) (local i32 f32)
        (local.set $a (i32.load16_s offset=4 align=1 (local.get 0)))
        block $b (result i32)
          (br_table $b 1 $b (i32.const 7) (local.get $a))
        end $b
        (if (result i32) (local.get 0) (then (call $print (i32.const 1)) (i32.const 2)) (else (unreachable)))
        i32.add)
      (func (param $x f32) (result f32) (f32.add (local.get $x) (f32.const nan:0x200001)))
      (func (param i32) (drop (call_indirect (type $t) (local.get 0) (i32.const 0))))
      (func (result v128) (v128.const f32x4 1 -2.5 inf 0x1p-149))
      (elem declare func $f) (data (i32.const 1) "x")
      (start $s) (func $s))
    (module binary "\00asm\01\00\00\00")
    (assert_invalid (module (func (result i32) (nop))) "type mismatch")
    (assert_malformed (module quote "(func (nop nop))") "unexpected token"))W"),
            "4 passed, 0 failed, 0 skipped");
}

TEST(Judge, ScriptsThatWabtDoesNotTakeAreSkipped) {
  EXPECT_EQ(judge("(module) (module (type (array i8)))"),
            "0 passed, 0 failed, 2 skipped (2 wabt does not take the script)");
}

}  // namespace
}  // namespace tfvm::spectests
