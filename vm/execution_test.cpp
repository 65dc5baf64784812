// What both executors must do alike: control flow, multi-value blocks, calls of all kinds, stacks, references, traps.
#include <gtest/gtest.h>

#include "vm/interpreter.hpp"
#include "vm/oracle/oracle.hpp"
#include "vm/test_instance.hpp"

namespace tfvm::test {
namespace {

const Bytes end = {0x0b};

class Execution : public testing::TestWithParam<ExecuteFunction> {
 protected:
  Execution() { world.store.set_execute(GetParam()); }
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

TEST_P(Execution, BranchesKeepTheirOperandsAndDropTheRest) {
  // block (result i32): 1, 2, 3, br 0 keeps the 3
  EXPECT_EQ(run_i32(Bytes{0x02, i32} + i32_const(1) + i32_const(2) + i32_const(3) + Bytes{0x0c, 0x00} + end), 3u);
  // The same through two blocks and below other operands.
  EXPECT_EQ(run_i32(i32_const(100) + Bytes{0x02, i32} + i32_const(5) + Bytes{0x02, empty_block} + i32_const(7) +
                    Bytes{0x0c, 0x01} + end + end + Bytes{0x6a}),
            107u);
}

TEST_P(Execution, LoopsTakeParametersAgain) {
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

TEST_P(Execution, IfChoosesAndMayLackAnElse) {
  const Bytes choose = local_get(0) + Bytes{0x04, i32} + i32_const(10) + Bytes{0x05} + i32_const(20) + end;
  EXPECT_EQ(run_i32(choose, 1), 10u);
  EXPECT_EQ(run_i32(choose, 0), 20u);
  const Bytes lacks_else =
      local_get(0) + Bytes{0x04, empty_block} + i32_const(9) + Bytes{0x21, 0x00} + end + local_get(0);
  EXPECT_EQ(run_i32(lacks_else, 5), 9u);
  EXPECT_EQ(run_i32(lacks_else, 0), 0u);
}

TEST_P(Execution, BranchTableTakesItsDefaultBeyondTheEnd) {
  const Bytes code = Bytes{0x02, empty_block, 0x02, empty_block, 0x02, empty_block} + local_get(0) +
                     Bytes{0x0e, 0x02, 0x00, 0x01, 0x02} + end + i32_const(100) + Bytes{0x0f} + end + i32_const(101) +
                     Bytes{0x0f} + end + i32_const(102);
  EXPECT_EQ(run_i32(code, 0), 100u);
  EXPECT_EQ(run_i32(code, 1), 101u);
  EXPECT_EQ(run_i32(code, 2), 102u);
  EXPECT_EQ(run_i32(code, UINT32_MAX), 102u);
}

TEST_P(Execution, ResultsOfManyValuesComeInOrder) {
  const Store::Results results =
      run({i64}, {i64, i32, i64}, local_get(0) + i32_const(2) + i64_const(3), {Value::i64(1)});
  ASSERT_EQ(results.values.size(), 3u);
  EXPECT_EQ(results.values[0].slot.bits, 1u);
  EXPECT_EQ(results.values[1].slot.bits, 2u);
  EXPECT_EQ(results.values[2].slot.bits, 3u);
}

TEST_P(Execution, LocalsStartAsZeroInEveryCall) {
  ModuleBuilder builder;
  const std::uint32_t type = builder.type({}, {i32});
  builder.function(type, Bytes{0x20, 0x00} + i32_const(7) + Bytes{0x21, 0x00}, {1, 3, i32});
  builder.export_item("run", 0, builder.function(type, call_function(0) + Bytes{0x1a} + call_function(0)));
  EXPECT_EQ(world.call_i32(world.instantiate(builder.build()), "run"), 0u);
}

TEST_P(Execution, AMillionTailCallsNeedNoStack) {
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

TEST_P(Execution, TailCallsReachHostFunctionsAndOtherInstances) {
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

TEST_P(Execution, ExhaustionIsRecoverableAlsoWithHugeFrames) {
  for (const std::uint32_t locals : {0u, 50'000u - 1}) {
    ModuleBuilder builder;
    builder.export_item(
        "run", 0,
        builder.function(builder.type({}, {}), call_function(0), Bytes{1} + unsigned_leb(locals) + Bytes{i64}));
    export_function(builder, "quick", {}, {i32}, i32_const(1));
    ModuleInstance* const instance = world.instantiate(builder.build());
    EXPECT_EQ(world.call_trap(instance, "run"), TrapKind::CallStackExhausted);
    EXPECT_EQ(world.call_i32(instance, "quick"), 1u);
  }
}

TEST_P(Execution, AddressesDoNotWrap) {
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

TEST_P(Execution, TrapsLeaveTheStoreUsable) {
  EXPECT_EQ(run({}, {}, {0x00}).trap->kind, TrapKind::Unreachable);
  EXPECT_EQ(run({}, {i32}, i32_const(1) + i32_const(0) + Bytes{0x6d}).trap->kind, TrapKind::IntegerDivideByZero);
  EXPECT_EQ(world.store.context().frame_top, world.store.context().stack_begin);
  EXPECT_EQ(run_i32(local_get(0), 3), 3u);
}

TEST_P(Execution, MemoryGrownByACalleeIsSeenByItsCaller) {
  for (const bool guarded : {true, false}) {
    StoreLimits limits;
    limits.allow_guarded_memory = guarded;
    World own(limits);
    own.store.set_execute(GetParam());
    ModuleBuilder builder;
    const std::uint32_t type = builder.type({}, {});
    builder.memory({0x00, 1});
    builder.function(type,
                     i32_const(1000) + Bytes{0x40, 0x00, 0x1a} + i32_const(8) + i32_const(6) + Bytes{0x36, 0x02, 0x00});
    export_function(builder, "run", {}, {i32},
                    i32_const(8) + i32_const(5) + Bytes{0x36, 0x02, 0x00} + call_function(0) + i32_const(8) +
                        Bytes{0x28, 0x02, 0x00} + i32_const(65536 * 1000) + Bytes{0x28, 0x02, 0x00, 0x6a});
    EXPECT_EQ(own.call_i32(own.instantiate(builder.build()), "run"), 6u);
  }
}

TEST_P(Execution, IndirectCallsCompareTypesAcrossModules) {
  ModuleBuilder exporter;  // type indices differ from the importer's
  exporter.type({f32}, {});
  exporter.table({funcref_byte, 0x00, 3});
  exporter.export_item("table", 1, 0);
  exporter.function(exporter.type({i64}, {i64}), local_get(0));
  exporter.function(exporter.type({i32}, {i32}), local_get(0));
  exporter.element(Bytes{0x00} + i32_const(0) + end + sized({0, 1}));
  world.linker.define_instance("m", *world.instantiate(exporter.build()));
  ModuleBuilder importer;
  const std::uint32_t type = importer.type({i32}, {i32});
  importer.import("m", "table", {0x01, funcref_byte, 0x00, 3});
  export_function(importer, "run", {i32}, {i32},
                  i32_const(9) + local_get(0) + Bytes{0x11} + unsigned_leb(type) + Bytes{0});
  ModuleInstance* const instance = world.instantiate(importer.build());
  EXPECT_EQ(world.call_i32(instance, "run", {Value::i32(1)}), 9u);
  EXPECT_EQ(world.call_trap(instance, "run", {Value::i32(0)}), TrapKind::IndirectCallTypeMismatch);
  EXPECT_EQ(world.call_trap(instance, "run", {Value::i32(2)}), TrapKind::UninitializedElement);
  EXPECT_EQ(world.call_trap(instance, "run", {Value::i32(3)}), TrapKind::UndefinedElement);
  EXPECT_EQ(world.call_trap(instance, "run", {Value::i32(UINT32_MAX)}), TrapKind::UndefinedElement);
}

TEST_P(Execution, ReferencesPassThroughTablesGlobalsAndCalls) {
  ModuleBuilder builder;
  builder.table({externref_byte, 0x00, 2});
  builder.global(externref_byte, true, Bytes{0xd0, externref_byte} + end);
  export_function(builder, "run", {externref_byte}, {externref_byte, i32, i32},
                  i32_const(1) + local_get(0) + Bytes{0x26, 0x00} + i32_const(1) + Bytes{0x25, 0x00, 0x24, 0x00} +
                      Bytes{0x23, 0x00} + i32_const(0) + Bytes{0x25, 0x00, 0xd1} + i32_const(1) +
                      Bytes{0x25, 0x00, 0xd1});
  ModuleInstance* const instance = world.instantiate(builder.build());
  ASSERT_NE(instance, nullptr);
  const Store::Results results = world.call(instance, "run", {Value{externref, Slot::external(1234)}});
  ASSERT_EQ(results.values.size(), 3u);
  EXPECT_EQ(results.values[0].slot.as_external(), 1234u);
  EXPECT_EQ(results.values[1].slot.as_i32(), 1u);
  EXPECT_EQ(results.values[2].slot.as_i32(), 0u);
}

TEST_P(Execution, TrapsHappenThoughTheResultIsDroppedAndInOrder) {
  ModuleBuilder builder;
  builder.memory({0x00, 1});
  export_function(builder, "drop", {i32}, {}, i32_const(1) + local_get(0) + Bytes{0x6d, 0x1a});
  // The store comes before the trap of the division that stands behind it.
  export_function(
      builder, "order", {i32}, {},
      i32_const(0) + i32_const(7) + Bytes{0x36, 0x02, 0x00} + i32_const(1) + local_get(0) + Bytes{0x6d, 0x1a});
  // A load is pending while memory changes: it has the old value.
  export_function(builder, "pending", {}, {i32},
                  i32_const(4) + Bytes{0x28, 0x02, 0x00} + i32_const(4) + i32_const(9) + Bytes{0x36, 0x02, 0x00});
  ModuleInstance* const instance = world.instantiate(builder.build());
  EXPECT_EQ(world.call_trap(instance, "drop", {Value::i32(0)}), TrapKind::IntegerDivideByZero);
  EXPECT_EQ(world.call_trap(instance, "order", {Value::i32(0)}), TrapKind::IntegerDivideByZero);
  EXPECT_EQ(instance->memories[0]->base[0], 7);
  EXPECT_EQ(world.call_i32(instance, "pending"), 0u);
  EXPECT_EQ(world.call_i32(instance, "pending"), 9u);
}

INSTANTIATE_TEST_SUITE_P(Both, Execution, testing::Values(&interpreter::execute, &oracle::execute),
                         [](const auto& test) { return test.index == 0 ? "tree" : "oracle"; });

}  // namespace
}  // namespace tfvm::test
