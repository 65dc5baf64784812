// The runner must see failures: scripts with right and wrong expectations, on the oracle.
#include "spectests/runner.hpp"

#include <gtest/gtest.h>

#include "spectests/suite.hpp"
#include "spectests/test_files.hpp"
#include "vm/oracle/oracle.hpp"

namespace tfvm::spectests {
namespace {

Report run(std::string_view text) {
  const TestFolder folder;
  SuiteOptions options;
  options.runner.execute = &oracle::execute;
  return run_script(Script{folder.write("test.wast", text), "test"}, options);
}

std::string summary(std::string_view text) { return run(text).summary(true); }

constexpr const char* functions = R"((module
  (func (export "one") (result i32) (i32.const 1))
  (func (export "nan") (result f32) (f32.const nan:0x200000))
  (func (export "trap") unreachable)
  (func $deep (export "deep") (call $deep))
  (global (export "global") i64 (i64.const 5))))";

TEST(Runner, RightExpectationsPass) {
  EXPECT_EQ(summary(std::string(functions) + R"(
    (assert_return (invoke "one") (i32.const 1))
    (assert_return (get "global") (i64.const 5))
    (assert_return (invoke "nan") (f32.const nan:0x200000))
    (assert_trap (invoke "trap") "unreachable")
    (assert_exhaustion (invoke "deep") "call stack exhausted"))"),
            "5 passed, 0 failed, 0 skipped");
}

TEST(Runner, WrongExpectationsFail) {
  const Report report = run(std::string(functions) + R"(
    (assert_return (invoke "one") (i32.const 2))
    (assert_return (get "global") (i64.const 6))
    (assert_return (invoke "nan") (f32.const nan:canonical))
    (assert_return (invoke "nan") (f32.const nan:arithmetic))
    (assert_trap (invoke "trap") "integer overflow")
    (assert_trap (invoke "one") "unreachable")
    (assert_return (invoke "trap"))
    (invoke "trap"))");
  EXPECT_EQ(report.passed, 0u);
  EXPECT_EQ(report.failed, 8u);
  ASSERT_EQ(report.failures.size(), 8u);
  EXPECT_EQ(report.failures[0], "test:7: assert_return: expected i32:2, got i32:1");
}

TEST(Runner, ModulesThatShouldBeRejected) {
  EXPECT_EQ(summary(R"W(
    (assert_invalid (module (func (result i32))) "type mismatch")
    (assert_malformed (module binary "\00asm\01\00\00") "unexpected end")
    (assert_malformed (module quote "(func") "unexpected token")
    (assert_malformed (module quote "(func (local.got 0))") "unknown operator"))W"),
            "4 passed, 0 failed, 0 skipped");
}

TEST(Runner, ModulesThatShouldBeRejectedButAreNot) {
  EXPECT_EQ(summary(R"W(
    (assert_malformed (module binary "\00asm\01\00\00\00") "unexpected end")
    (assert_malformed (module binary "\00asm\01\00\00\00" "\03\02\01\00") "an invalid module is not malformed")
    (assert_invalid (module binary "\00asm\01\00\00\00") "type mismatch")
    (assert_malformed (module quote "(func)") "unknown operator")
    (assert_malformed (module quote "(func (local.got 0))") "these are other words")
    (assert_malformed (module quote "(func (result i32))") "an invalid module is not malformed")
    (assert_invalid (module quote "(func (local.got 0))") "unknown operator")
    (assert_unlinkable (module) "unknown import"))W"),
            "0 passed, 8 failed, 0 skipped");
}

TEST(Runner, Instantiation) {
  EXPECT_EQ(summary(R"(
    (module (func (export "f") (result i32) (i32.const 7)))
    (assert_trap (module (func $s unreachable) (start $s)) "unreachable")
    (assert_unlinkable (module (import "spectest" "unknown" (func))) "unknown import")
    (assert_unlinkable (module (import "spectest" "print_i32" (func))) "incompatible import type")
    (assert_return (invoke "f") (i32.const 7)))"),  // what failed did not become the current module
            "4 passed, 0 failed, 0 skipped");
  EXPECT_EQ(summary(R"(
    (assert_trap (module) "unreachable")
    (assert_trap (module (func $s unreachable) (start $s)) "integer overflow")
    (assert_unlinkable (module (import "spectest" "unknown" (func))) "incompatible import type"))"),
            "0 passed, 3 failed, 0 skipped");
}

TEST(Runner, AModuleThatDoesNotLinkFailsWithAllThatNeedsIt) {
  const Report report = run(R"(
    (module $M (import "nowhere" "f" (func $f)) (export "f" (func $f)))
    (assert_return (invoke "f"))
    (register "m" $M)
    (module (func (export "g")))
    (assert_return (invoke "g")))");
  EXPECT_EQ(report.summary(true), "1 passed, 3 failed, 0 skipped");
}

TEST(Runner, RegisteredModulesAreImported) {
  EXPECT_EQ(summary(R"(
    (module $A (global $g (mut i32) (i32.const 1)) (export "g" (global $g))
      (func (export "get") (result i32) (global.get $g)))
    (register "a")
    (module $B (import "a" "g" (global $g (mut i32))) (func (export "set") (global.set $g (i32.const 9))))
    (invoke "set")
    (assert_return (invoke $A "get") (i32.const 9)))"),
            "1 passed, 0 failed, 0 skipped");
}

TEST(Runner, TheSpectestModule) {
  EXPECT_EQ(summary(R"(
    (module
      (import "spectest" "global_i32" (global $i i32)) (import "spectest" "global_i64" (global $l i64))
      (import "spectest" "global_f32" (global $f f32)) (import "spectest" "global_f64" (global $d f64))
      (import "spectest" "memory" (memory 1 2)) (import "spectest" "table" (table 10 20 funcref))
      (import "spectest" "print" (func $print)) (import "spectest" "print_i32" (func (param i32)))
      (import "spectest" "print_i64" (func (param i64))) (import "spectest" "print_f32" (func (param f32)))
      (import "spectest" "print_f64" (func (param f64))) (import "spectest" "print_i32_f32" (func (param i32 f32)))
      (import "spectest" "print_f64_f64" (func (param f64 f64)))
      (func (export "i") (result i32) (call $print) (global.get $i)) (func (export "l") (result i64) (global.get $l))
      (func (export "f") (result f32) (global.get $f)) (func (export "d") (result f64) (global.get $d)))
    (assert_return (invoke "i") (i32.const 666)) (assert_return (invoke "l") (i64.const 666))
    (assert_return (invoke "f") (f32.const 666.6)) (assert_return (invoke "d") (f64.const 666.6)))"),
            "4 passed, 0 failed, 0 skipped");
}

TEST(Runner, WhatNeedsAMissingFeatureIsSkippedWithAllThatNeedsIt) {
  EXPECT_EQ(summary(R"(
    (module $V (func (export "v") (param v128) (result v128) (local.get 0)) (func (export "i") (result i32) i32.const 1))
    (register "v")
    (assert_return (invoke "v" (v128.const i64x2 1 2)) (v128.const i64x2 1 2))
    (assert_return (invoke "i") (i32.const 1))
    (module (import "v" "i" (func $i (result i32))) (export "j" (func $i)))
    (assert_return (invoke "j") (i32.const 1))
    (assert_invalid (module (func (result v128))) "type mismatch"))"),
            "0 passed, 0 failed, 4 skipped (4 needs simd)");
}

TEST(Runner, InstancesOfADefinitionDoNotShareState) {
  EXPECT_EQ(summary(R"(
    (module $Other (func (export "f") (result i32) (i32.const 7)))
    (module definition $D (global $g (mut i32) (i32.const 1)) (func (export "set") (global.set $g (i32.const 2)))
      (func (export "get") (result i32) (global.get $g)))
    (assert_return (invoke "f") (i32.const 7))
    (module instance $A $D)
    (module instance $B $D)
    (invoke $A "set")
    (assert_return (invoke $A "get") (i32.const 2))
    (assert_return (invoke "get") (i32.const 1))
    (module instance $C)
    (assert_return (invoke $C "get") (i32.const 1)))"),
            "4 passed, 0 failed, 0 skipped");
  EXPECT_EQ(run("(module instance $A $Nowhere)").failed, 1u);
  EXPECT_EQ(run("(module definition $D (func (export \"v\") (result v128) unreachable)) (module instance $A $D)"
                "(assert_trap (invoke $A \"v\") \"unreachable\")")
                .summary(true),
            "0 passed, 0 failed, 1 skipped (1 needs simd)");
}

TEST(Runner, WabtReadsScriptsToo) {
  const TestFolder folder;
  SuiteOptions options;
  options.uses_wabt = true;
  const auto script = folder.write("test.wast", R"W((module (func (export "one") (result i32) (i32.const 1)))
    (assert_return (invoke "one") (i32.const 1))
    (assert_malformed (module quote "(func") "unexpected end"))W");
  EXPECT_EQ(run_script(Script{script, "test"}, options).summary(true), "1 passed, 0 failed, 1 skipped (1 text format)");
}

TEST(Runner, AnUnreadableScriptIsAFailure) {
  EXPECT_EQ(run_script(Script{"/no/such/script.wast", "x"}).failed, 1u);
  EXPECT_EQ(run("(module").failed, 1u);
}

TEST(Suite, FindsAndSelectsScripts) {
  const TestFolder folder;
  folder.write("b.wast", "");
  folder.write("x/b.wast", "");
  folder.write("x/a.wast", "");
  folder.write("x/a.txt", "");
  const auto scripts = find_scripts(folder.path());
  ASSERT_TRUE(scripts.ok());
  ASSERT_EQ(scripts->size(), 3u);
  EXPECT_EQ((*scripts)[0].name, "b");
  EXPECT_EQ((*scripts)[1].name, "x/a");
  EXPECT_EQ(select_scripts(*scripts, "b").size(), 2u);
  EXPECT_EQ(select_scripts(*scripts, "x/b.wast").size(), 1u);
  EXPECT_EQ(select_scripts(*scripts, (folder.path() / "x/a.txt").string()).size(), 1u);
  EXPECT_TRUE(select_scripts(*scripts, "c").empty());
  EXPECT_FALSE(find_scripts(folder.path() / "nowhere").ok());
}

TEST(Suite, ExpectedFailuresAreNamesWithComments) {
  const TestFolder folder;
  const auto names = read_expected_failures(folder.write("e.txt", "# all\n\n a/b  # why\nc\n#d\n"));
  ASSERT_TRUE(names.ok());
  EXPECT_EQ(*names, (std::set<std::string>{"a/b", "c"}));
  EXPECT_FALSE(read_expected_failures(folder.path() / "missing").ok());
}

}  // namespace
}  // namespace tfvm::spectests
