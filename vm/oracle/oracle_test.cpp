// The oracle on its own: control flow, multi-value blocks, calls of all kinds, stacks, its results left where they belong.
#include "vm/oracle/oracle.hpp"

#include <gtest/gtest.h>

#include "vm/test_instance.hpp"

namespace tfvm::test {
namespace {

const Bytes end = {0x0b};

class Oracle : public testing::Test {
 protected:
  Oracle() { world.store.set_execute(&oracle::execute); }
  /// Runs `code` as a function of this type in a module of its own.
  Store::Results run(const Bytes& params, const Bytes& results, const Bytes& code,
                     std::initializer_list<Value> arguments = {}) {
    ModuleBuilder builder;
    export_function(builder, "run", params, results, code);
    ModuleInstance* const instance = world.instantiate(builder.build());
    return instance == nullptr ? Store::Results{} : world.call(instance, "run", arguments);
  }
  std::uint32_t run_i32(const Bytes& code, std::uint32_t argument = 0) {
    const Store::Results results = run({i32}, {i32}, code, {Value::i32(argument)});
    return results.values.empty() ? 0xdeadbeef : results.values[0].slot.as_i32();
  }

  World world;
};

TEST_F(Oracle, BranchesKeepTheirOperandsAndDropTheRest) {
  // block (result i32): 1, 2, 3, br 0 keeps the 3
  EXPECT_EQ(run_i32(Bytes{0x02, i32} + i32_const(1) + i32_const(2) + i32_const(3) + Bytes{0x0c, 0x00} + end), 3u);
  // The same through two blocks and below other operands.
  EXPECT_EQ(run_i32(i32_const(100) + Bytes{0x02, i32} + i32_const(5) + Bytes{0x02, empty_block} + i32_const(7) +
                    Bytes{0x0c, 0x01} + end + end + Bytes{0x6a}),
            107u);
}

TEST_F(Oracle, LoopsTakeParametersAgain) {
  ModuleBuilder builder;
  const std::uint32_t type = builder.type({i32, i32}, {i32});  // sum, n -> sum
  const Bytes body = Bytes{0x21, 0x01, 0x20, 0x01, 0x6a, 0x20, 0x01} + i32_const(1) + Bytes{0x6b, 0x22, 0x01} +
                     Bytes{0x04} + unsigned_leb(type + 1) + local_get(1) + Bytes{0x0c, 0x01} + end;
  builder.type({i32}, {i32});
  const Bytes code = i32_const(0) + local_get(0) + Bytes{0x03} + unsigned_leb(type) + body + end;
  builder.export_item("sum", 0, builder.function(builder.type({i32}, {i32}), code, {1, 1, i32}));
  ModuleInstance* const instance = world.instantiate(builder.build());
  ASSERT_NE(instance, nullptr);
  EXPECT_EQ(world.call_i32(instance, "sum", {Value::i32(10)}), 55u);
}

TEST_F(Oracle, IfChoosesAndMayLackAnElse) {
  const Bytes choose = local_get(0) + Bytes{0x04, i32} + i32_const(10) + Bytes{0x05} + i32_const(20) + end;
  EXPECT_EQ(run_i32(choose, 1), 10u);
  EXPECT_EQ(run_i32(choose, 0), 20u);
  const Bytes lacks_else = local_get(0) + Bytes{0x04, empty_block} + i32_const(9) + Bytes{0x21, 0x00} + end + local_get(0);
  EXPECT_EQ(run_i32(lacks_else, 5), 9u);
  EXPECT_EQ(run_i32(lacks_else, 0), 0u);
}

TEST_F(Oracle, BranchTableTakesItsDefaultBeyondTheEnd) {
  const Bytes code = Bytes{0x02, empty_block, 0x02, empty_block, 0x02, empty_block} + local_get(0) +
                     Bytes{0x0e, 0x02, 0x00, 0x01, 0x02} + end + i32_const(100) + Bytes{0x0f} + end + i32_const(101) +
                     Bytes{0x0f} + end + i32_const(102);
  EXPECT_EQ(run_i32(code, 0), 100u);
  EXPECT_EQ(run_i32(code, 1), 101u);
  EXPECT_EQ(run_i32(code, 2), 102u);
  EXPECT_EQ(run_i32(code, UINT32_MAX), 102u);
}

TEST_F(Oracle, ResultsOfManyValuesComeInOrder) {
  const Store::Results results = run({i64}, {i64, i32, i64}, local_get(0) + i32_const(2) + i64_const(3),
                                     {Value::i64(1)});
  ASSERT_EQ(results.values.size(), 3u);
  EXPECT_EQ(results.values[0].slot.bits, 1u);
  EXPECT_EQ(results.values[1].slot.bits, 2u);
  EXPECT_EQ(results.values[2].slot.bits, 3u);
}

TEST_F(Oracle, LocalsStartAsZeroInEveryCall) {
  ModuleBuilder builder;
  const std::uint32_t type = builder.type({}, {i32});
  builder.function(type, Bytes{0x20, 0x00} + i32_const(7) + Bytes{0x21, 0x00}, {1, 3, i32});
  builder.export_item("run", 0, builder.function(type, call_function(0) + Bytes{0x1a} + call_function(0)));
  EXPECT_EQ(world.call_i32(world.instantiate(builder.build()), "run"), 0u);
}

TEST_F(Oracle, AMillionTailCallsNeedNoStack) {
  for (const bool indirect : {false, true}) {
    ModuleBuilder builder;
    const std::uint32_t type = builder.type({i32}, {i32});
    builder.table({funcref_byte, 0x00, 1});
    builder.element(Bytes{0x00} + i32_const(0) + end + sized({0}));
    const Bytes call = indirect ? i32_const(0) + Bytes{0x13} + unsigned_leb(type) + Bytes{0x00} : Bytes{0x12, 0x00};
    builder.export_item("run", 0,
                        builder.function(type, local_get(0) + Bytes{0x45, 0x04, i32} + i32_const(42) + Bytes{0x05} +
                                                   local_get(0) + i32_const(1) + Bytes{0x6b} + call + end));
    EXPECT_EQ(world.call_i32(world.instantiate(builder.build()), "run", {Value::i32(1'000'000)}), 42u);
  }
}

TEST_F(Oracle, TailCallsReachHostFunctionsAndOtherInstances) {
  world.linker.define_function("env", "triple", [](std::int32_t value) { return 3 * value; });
  ModuleBuilder first;
  const std::uint32_t type = first.type({i32}, {i32});
  first.import("env", "triple", Bytes{0x00} + unsigned_leb(type));
  first.global(i32, false, i32_const(1000) + end);
  first.export_item("f", 0, first.function(type, local_get(0) + Bytes{0x23, 0x00, 0x6a, 0x12, 0x00}) + 1);
  world.linker.define_instance("first", *world.instantiate(first.build()));
  ModuleBuilder second;
  second.import("first", "f", Bytes{0x00} + unsigned_leb(second.type({i32}, {i32})));
  second.global(i32, false, i32_const(5) + end);
  export_function(second, "run", {i32}, {i32}, local_get(0) + Bytes{0x23, 0x00, 0x6a, 0x12, 0x00}, 1);
  EXPECT_EQ(world.call_i32(world.instantiate(second.build()), "run", {Value::i32(2)}), 3u * (2 + 5 + 1000));
}

TEST_F(Oracle, ExhaustionIsRecoverableAlsoWithHugeFrames) {
  for (const std::uint32_t locals : {0u, 50'000u - 1}) {
    ModuleBuilder builder;
    builder.export_item("run", 0, builder.function(builder.type({}, {}), call_function(0),
                                                   Bytes{1} + unsigned_leb(locals) + Bytes{i64}));
    export_function(builder, "quick", {}, {i32}, i32_const(1));
    ModuleInstance* const instance = world.instantiate(builder.build());
    EXPECT_EQ(world.call_trap(instance, "run"), TrapKind::CallStackExhausted);
    EXPECT_EQ(world.call_i32(instance, "quick"), 1u);
  }
}

TEST_F(Oracle, AddressesDoNotWrap) {
  ModuleBuilder builder;
  builder.memory({0x04, 1});  // 64-bit addresses
  export_function(builder, "load", {i64}, {i32}, local_get(0) + Bytes{0x2d, 0x00} + unsigned_leb(UINT64_MAX));
  export_function(builder, "near", {i64}, {i64}, local_get(0) + Bytes{0x29, 0x03, 0x08});
  ModuleInstance* const instance = world.instantiate(builder.build());
  for (const std::uint64_t address : {std::uint64_t{0}, std::uint64_t{1}, UINT64_MAX})
    EXPECT_EQ(world.call_trap(instance, "load", {Value::i64(address)}), TrapKind::OutOfBoundsMemoryAccess);
  EXPECT_EQ(world.call_trap(instance, "near", {Value::i64(65520)}), TrapKind::None);
  EXPECT_EQ(world.call_trap(instance, "near", {Value::i64(65521)}), TrapKind::OutOfBoundsMemoryAccess);
  EXPECT_EQ(world.call_trap(instance, "near", {Value::i64(UINT64_MAX - 7)}), TrapKind::OutOfBoundsMemoryAccess);
}

TEST_F(Oracle, TrapsLeaveTheStoreUsable) {
  EXPECT_EQ(run({}, {}, {0x00}).trap->kind, TrapKind::Unreachable);
  EXPECT_EQ(run({}, {i32}, i32_const(1) + i32_const(0) + Bytes{0x6d}).trap->kind, TrapKind::IntegerDivideByZero);
  EXPECT_EQ(world.store.context().frame_top, world.store.context().stack_begin);
  EXPECT_EQ(run_i32(local_get(0), 3), 3u);
}

}  // namespace
}  // namespace tfvm::test
