// Fuel: where regions start, what they cost, and that what runs is charged exactly so.
#include "vm/fuel.hpp"

#include <gtest/gtest.h>

#include "vm/test_instance.hpp"

namespace tfvm::test {
namespace {

/// Costs of the regions of a function () -> () with this code.
std::vector<std::uint32_t> costs(const Bytes& code) {
  World world;
  ModuleBuilder builder;
  builder.function(builder.type({}, {}), code, {1, 2, i32});
  const auto module = world.load(builder.build());
  std::vector<std::uint32_t> result;
  std::uint32_t previous = 0;
  for (const FuelRegion& region : fuel_regions(module->module(), 0)) {
    EXPECT_GT(region.offset, previous);
    previous = region.offset;
    result.push_back(region.cost);
  }
  return result;
}

using Costs = std::vector<std::uint32_t>;
const Bytes nop = {0x01}, block = {0x02, empty_block}, loop = {0x03, empty_block}, end = {0x0b}, otherwise = {0x05};
const Bytes if_true = i32_const(1) + Bytes{0x04, empty_block}, br_0 = {0x0c, 0x00}, br_if_0 = {0x0d, 0x00};

const Bytes br_1 = {0x0c, 0x01}, br_if_1 = {0x0d, 0x01}, leave = {0x0f};

TEST(FuelRegions, StraightCodeIsOneWithItsEnd) {
  EXPECT_EQ(costs({}), (Costs{1}));
  EXPECT_EQ(costs(nop + nop), (Costs{3}));
}

TEST(FuelRegions, WhatSurelyRunsBelongsTogether) {
  EXPECT_EQ(costs(block + nop + end + nop), (Costs{5}));
  EXPECT_EQ(costs(loop + nop + end), (Costs{3, 1}));
  EXPECT_EQ(costs(if_true + nop + end), (Costs{4, 1}));
  EXPECT_EQ(costs(if_true + nop + otherwise + nop + nop + end), (Costs{4, 2, 2}));
  EXPECT_EQ(costs(block + i32_const(0) + br_if_0 + nop + end), (Costs{5, 1}));
  EXPECT_EQ(costs(loop + i32_const(0) + br_if_0 + end + nop), (Costs{4, 2}));
}

TEST(FuelRegions, ABranchPastAnEndStartsANewOneThere) {
  EXPECT_EQ(costs(block + block + i32_const(0) + br_if_1 + end + nop + end + nop), (Costs{7, 2}));
  EXPECT_EQ(costs(block + if_true + br_1 + end + nop + end + nop), (Costs{6, 1, 2}));
  EXPECT_EQ(costs(loop + if_true + br_1 + end + nop + end + nop), (Costs{4, 2, 1, 2}));
  EXPECT_EQ(costs(block + if_true + leave + end + nop + end + nop), (Costs{3, 1, 2, 3}));
  EXPECT_EQ(costs(block + block + i32_const(0) + Bytes{0x0e, 2, 0, 1, 0} + end + nop + end + nop), (Costs{7, 2}));
}

TEST(FuelRegions, CallsAndTrapsDoNotEndThem) {
  EXPECT_EQ(costs(call_function(0) + nop), (Costs{3}));
  EXPECT_EQ(costs(if_true + Bytes{0x00} + end + nop), (Costs{5, 1}));
}

TEST(FuelRegions, DeadCodeCostsNothing) {
  EXPECT_EQ(costs(Bytes{0x00} + nop + nop), (Costs{1}));
  EXPECT_EQ(costs(block + br_0 + nop + block + nop + end + nop + end + nop), (Costs{5}));
  EXPECT_EQ(costs(if_true + leave + nop + otherwise + nop + end + nop), (Costs{2, 1, 1, 3}));
  EXPECT_EQ(costs(block + Bytes{0x00} + if_true + otherwise + loop + end + end + end + nop), (Costs{5}));
}

StoreLimits with_fuel(std::uint64_t fuel) {
  StoreLimits limits;
  limits.fuel = fuel;
  return limits;
}

/// (param i32): counts down in a loop of five instructions an iteration, plus two before and one behind.
Bytes countdown() {
  ModuleBuilder builder;
  export_function(builder, "run", {i32}, {},
                  loop + local_get(0) + i32_const(1) + Bytes{0x6b, 0x22, 0x00} + br_if_0 + end);
  return builder.build();
}

TEST(Fuel, IsChargedByBlocksThatRun) {
  World world(with_fuel(1000));
  ModuleInstance* const instance = world.instantiate(countdown());
  EXPECT_EQ(world.call_trap(instance, "run", {Value::i32(10)}), TrapKind::None);
  // loop and both ends; ten times the five of the body
  EXPECT_EQ(*world.store.fuel(), 1000u - 1 - 10 * 5 - 1 - 1);
}

TEST(Fuel, ExactlyEnoughIsEnough) {
  World world(with_fuel(53));
  ModuleInstance* const instance = world.instantiate(countdown());
  EXPECT_EQ(world.call_trap(instance, "run", {Value::i32(10)}), TrapKind::None);
  EXPECT_EQ(*world.store.fuel(), 0u);
  world.store.set_fuel(52);
  EXPECT_EQ(world.call_trap(instance, "run", {Value::i32(10)}), TrapKind::OutOfFuel);
  EXPECT_EQ(*world.store.fuel(), 0u);
  world.store.set_fuel(53);
  EXPECT_EQ(world.call_trap(instance, "run", {Value::i32(10)}), TrapKind::None);
}

TEST(Fuel, AnOverdrawnBlockHasNoEffect) {
  ModuleBuilder builder;
  builder.global(i32, true, i32_const(0) + end);
  builder.export_item("g", 3, 0);
  export_function(builder, "run", {}, {}, i32_const(1) + Bytes{0x24, 0x00} + nop);
  World world(with_fuel(3));
  ModuleInstance* const instance = world.instantiate(builder.build());
  EXPECT_EQ(world.call_trap(instance, "run"), TrapKind::OutOfFuel);
  EXPECT_EQ(instance->globals[0].cell->as_i32(), 0u);
  world.store.set_fuel(4);
  EXPECT_EQ(world.call_trap(instance, "run"), TrapKind::None);
  EXPECT_EQ(instance->globals[0].cell->as_i32(), 1u);
}

TEST(Fuel, EveryKindOfCallIsCharged) {
  ModuleBuilder builder;
  builder.table({funcref_byte, 0x00, 1});
  builder.element(Bytes{0x00} + i32_const(0) + end + sized({0}));
  const std::uint32_t type = builder.type({}, {});
  builder.function(type, nop + nop);  // costs 3
  export_function(builder, "call", {}, {}, call_function(0));
  export_function(builder, "indirect", {}, {}, i32_const(0) + Bytes{0x11} + unsigned_leb(type) + Bytes{0x00});
  export_function(builder, "tail", {}, {}, {0x12, 0x00});
  export_function(builder, "tail_indirect", {}, {}, i32_const(0) + Bytes{0x13} + unsigned_leb(type) + Bytes{0x00});
  World world(with_fuel(0));
  ModuleInstance* const instance = world.instantiate(builder.build());
  for (const auto& [name, cost] : {std::pair{"call", 5u}, {"indirect", 6u}, {"tail", 4u}, {"tail_indirect", 5u}}) {
    world.store.set_fuel(100);
    EXPECT_EQ(world.call_trap(instance, name), TrapKind::None);
    EXPECT_EQ(*world.store.fuel(), 100 - cost) << name;
  }
}

TEST(Fuel, HostWorkIsCharged) {
  World world(with_fuel(100));
  EXPECT_TRUE(world.store.consume_fuel(60));
  EXPECT_FALSE(world.store.consume_fuel(41));
  EXPECT_EQ(*world.store.fuel(), 0u);
  World without;
  EXPECT_TRUE(without.store.consume_fuel(UINT64_MAX));
  EXPECT_FALSE(without.store.fuel());
}

TEST(Fuel, HostCallsShareIt) {
  World world(with_fuel(1000));
  world.linker.define_function("env", "work", [](Caller& caller, std::int32_t units) {
    return caller.consume_fuel(static_cast<std::uint64_t>(units)) ? HostOutcome::ok()
                                                                  : HostOutcome::trap(TrapKind::OutOfFuel);
  });
  ModuleBuilder builder;
  builder.import("env", "work", Bytes{0x00} + unsigned_leb(builder.type({i32}, {})));
  export_function(builder, "run", {i32}, {}, local_get(0) + call_function(0), 1);
  ModuleInstance* const instance = world.instantiate(builder.build());
  EXPECT_EQ(world.call_trap(instance, "run", {Value::i32(500)}), TrapKind::None);
  EXPECT_EQ(*world.store.fuel(), 1000u - 500 - 3);
  EXPECT_EQ(world.call_trap(instance, "run", {Value::i32(500)}), TrapKind::OutOfFuel);
  EXPECT_EQ(*world.store.fuel(), 0u);
}

TEST(Fuel, EveryStepOfABulkOperationIsAllOrNothing) {
  ModuleBuilder builder;
  builder.memory({0x00, 1});
  export_function(builder, "run", {}, {}, i32_const(0) + i32_const(1) + i32_const(64) + Bytes{0xfc, 0x0b, 0x00});
  for (std::uint64_t fuel = 0; fuel <= 10; ++fuel) {
    World world(with_fuel(fuel));
    ModuleInstance* const instance = world.instantiate(builder.build());
    const bool is_enough = fuel >= 5 + 64 / bulk_bytes_per_fuel;
    EXPECT_EQ(world.call_trap(instance, "run"), is_enough ? TrapKind::None : TrapKind::OutOfFuel) << fuel;
    EXPECT_EQ(instance->memories[0]->base[0], is_enough ? 1 : 0);
    EXPECT_EQ(instance->memories[0]->base[63], is_enough ? 1 : 0);
  }
}

}  // namespace
}  // namespace tfvm::test
