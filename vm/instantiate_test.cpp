// Instantiation: the order of its steps, what stays after a trap, limits, lazily made functions.
#include <gtest/gtest.h>

#include "vm/test_instance.hpp"

namespace tfvm::test {
namespace {

const Bytes end = {0x0b};

/// An active data segment of memory 0 at `offset`.
Bytes data_at(std::int64_t offset, const Bytes& bytes) { return Bytes{0x00} + i32_const(offset) + end + sized(bytes); }
/// An active segment of table 0 with function indices.
Bytes elements_at(std::int64_t offset, const Bytes& functions) {
  return Bytes{0x00} + i32_const(offset) + end + sized(functions);
}

TEST(Instantiate, GlobalsSeeEarlierOnesAndExtendedExpressions) {
  ModuleBuilder builder;
  builder.import("env", "base", Bytes{0x03, i32, 0x00});
  builder.global(i32, false, Bytes{0x23, 0} + i32_const(5) + Bytes{0x6c} + end);  // base * 5
  builder.global(i32, true, Bytes{0x23, 1} + i32_const(7) + Bytes{0x6a} + i32_const(1) + Bytes{0x6b} + end);
  builder.global(i64, false, i64_const(-3) + i64_const(4) + Bytes{0x7e} + end);
  builder.export_item("g", 3, 2);
  builder.export_item("h", 3, 3);
  World world;
  External base;
  base.kind = ExternKind::Global;
  base.global = world.store.new_global({ValueKind::I32, false}, Slot::i32(10));
  world.linker.define("env", "base", base);
  ModuleInstance* const instance = world.instantiate(builder.build());
  EXPECT_EQ(Store::find_export(*instance, "g")->global.cell->as_i32(), 56u);
  EXPECT_EQ(Store::find_export(*instance, "h")->global.cell->as_i64(), static_cast<std::uint64_t>(-12));
}

TEST(Instantiate, SegmentsBeforeATrapStayAndSoDoesTheInstance) {
  World world;
  ModuleBuilder host;
  host.table({funcref_byte, 0x00, 4});
  host.memory({0x00, 1});
  host.export_item("table", 1, 0);
  host.export_item("memory", 2, 0);
  ModuleInstance* const shared = world.instantiate(host.build());
  world.linker.define_instance("host", *shared);

  ModuleBuilder builder;
  builder.import("host", "table", {0x01, funcref_byte, 0x00, 4});
  builder.import("host", "memory", {0x02, 0x00, 1});
  builder.function(builder.type({}, {i32}), i32_const(77));
  builder.element(elements_at(1, {0}));
  builder.data(data_at(0, {1, 2, 3}));
  builder.data(data_at(65535, {4, 5}));
  builder.data(data_at(8, {9}));
  world.instantiate(builder.build());
  EXPECT_EQ(world.trap, TrapKind::OutOfBoundsMemoryAccess);
  EXPECT_EQ(shared->memories[0]->base[2], 3);
  EXPECT_EQ(shared->memories[0]->base[65535], 0);
  EXPECT_EQ(shared->memories[0]->base[8], 0);
  FunctionInstance* const function = shared->tables[0]->elements[1].as_function();
  ASSERT_NE(function, nullptr);
  const Store::Results results = world.store.call(*function, {});
  ASSERT_FALSE(results.trap);
  EXPECT_EQ(results.values[0].slot.as_i32(), 77u);
}

TEST(Instantiate, ElementsComeBeforeDataAndBothBeforeStart) {
  ModuleBuilder builder;
  builder.table({funcref_byte, 0x00, 1});
  builder.memory({0x00, 1});
  builder.function(builder.type({}, {}), {0x00});  // unreachable
  builder.start(0);
  builder.element(elements_at(1, {0}));
  builder.data(data_at(65536, {1}));
  World world;
  world.instantiate(builder.build());
  EXPECT_EQ(world.trap, TrapKind::OutOfBoundsTableAccess);
}

TEST(Instantiate, StartTrapsAfterTheSegments) {
  ModuleBuilder builder;
  builder.memory({0x00, 1});
  builder.function(builder.type({}, {}), {0x00});
  builder.start(0);
  builder.data(data_at(3, {8}));
  World world;
  ModuleInstance* const instance = world.instantiate(builder.build());
  EXPECT_EQ(world.trap, TrapKind::Unreachable);
  EXPECT_EQ(instance->memories[0]->base[3], 8);
}

TEST(Instantiate, EmptySegmentsMayStandAtTheEndButNotBehindIt) {
  for (const auto& [offset, expected] :
       {std::pair{65536, TrapKind::None}, {65537, TrapKind::OutOfBoundsMemoryAccess}}) {
    ModuleBuilder builder;
    builder.memory({0x00, 1});
    builder.data(data_at(offset, {}));
    World world;
    world.instantiate(builder.build());
    EXPECT_EQ(world.trap, expected);
  }
  for (const auto& [offset, expected] : {std::pair{2, TrapKind::None}, {3, TrapKind::OutOfBoundsTableAccess}}) {
    ModuleBuilder builder;
    builder.table({funcref_byte, 0x00, 2});
    builder.element(elements_at(offset, {}));
    World world;
    world.instantiate(builder.build());
    EXPECT_EQ(world.trap, expected);
  }
}

TEST(Instantiate, NegativeOffsetsAreLargeOnes) {
  ModuleBuilder builder;
  builder.memory({0x00, 1});
  builder.data(data_at(-1, {1}));
  World world;
  world.instantiate(builder.build());
  EXPECT_EQ(world.trap, TrapKind::OutOfBoundsMemoryAccess);
}

TEST(Instantiate, FailureLeavesNoMemoryBehind) {
  StoreLimits limits;
  limits.max_memory_bytes = 3 * page_size_bytes;
  World world(limits);
  ModuleBuilder builder;
  builder.memory({0x00, 2});
  builder.memory({0x00, 2});
  const auto result = world.linker.try_instantiate(world.load(builder.build()));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, ErrorKind::Limit);
  EXPECT_EQ(world.store.memory_bytes(), 0u);
  EXPECT_TRUE(world.store.memories().empty());
}

TEST(Instantiate, InstancesAreCounted) {
  StoreLimits limits;
  limits.max_instances = 2;
  World world(limits);
  const auto module = world.load(ModuleBuilder().build());
  EXPECT_TRUE(world.linker.instantiate(module));
  EXPECT_TRUE(world.linker.instantiate(module));
  const auto third = world.linker.instantiate(module);
  ASSERT_FALSE(third);
  EXPECT_EQ(third.error().kind, ErrorKind::Limit);
}

TEST(Instantiate, FunctionInstancesAreMadeAtFirstUseAndStay) {
  ModuleBuilder builder;
  builder.function(builder.type({}, {}), {});
  builder.function(builder.type({}, {}), {});
  builder.export_item("a", 0, 1);
  World world;
  ModuleInstance* const instance = world.instantiate(builder.build());
  EXPECT_EQ(instance->own_functions[1].instance, nullptr);
  FunctionInstance* const function = Store::find_export(*instance, "a")->function;
  EXPECT_EQ(function, &instance->own_functions[1]);
  EXPECT_EQ(function->instance, instance);
  EXPECT_EQ(instance->function(1), function);
  EXPECT_EQ(instance->own_functions[0].instance, nullptr);
}

TEST(Instantiate, InstancesOfOneModuleShareNothingThatChanges) {
  ModuleBuilder builder;
  builder.memory({0x00, 1});
  builder.global(i32, true, i32_const(1) + end);
  builder.data(data_at(0, {1}));
  World world;
  const auto module = world.load(builder.build());
  ModuleInstance& first = (*world.linker.instantiate(module)).get();
  ModuleInstance& second = (*world.linker.instantiate(module)).get();
  first.memories[0]->base[0] = 9;
  *first.globals[0].cell = Slot::i32(9);
  EXPECT_EQ(second.memories[0]->base[0], 1);
  EXPECT_EQ(second.globals[0].cell->as_i32(), 1u);
  EXPECT_EQ(first.module, second.module);
}

TEST(Instantiate, BlockHoldsOwnGlobalsAndAddressesOfImportedOnes) {
  ModuleBuilder builder;
  builder.import("env", "g", Bytes{0x03, i32, 0x01});
  builder.global(i64, false, i64_const(42) + end);
  World world;
  External external;
  external.kind = ExternKind::Global;
  external.global = world.store.new_global({ValueKind::I32, true}, Slot::i32(5));
  world.linker.define("env", "g", external);
  ModuleInstance* const instance = world.instantiate(builder.build());
  EXPECT_EQ(instance->block->globals()[0].bits, reinterpret_cast<std::uint64_t>(external.global.cell));
  EXPECT_EQ(instance->block->globals()[1].bits, 42u);
  EXPECT_EQ(instance->block->owner, instance);
  EXPECT_EQ(instance->block->context, &world.store.context());
}

}  // namespace
}  // namespace tfvm::test
