// Store::renew: an instance that ran is as new; nothing of the earlier run is left, whatever it did.
#include <algorithm>
#include <gtest/gtest.h>

#include "vm/test_instance.hpp"

namespace tfvm::test {
namespace {

const Bytes end = {0x0b};

/// A module with memory (1 page, data at 100), a table of 4 (f at 1), a mutable and a passive everything.
struct Sample {
  ModuleBuilder builder;
  std::uint32_t start_calls = 0;

  Sample() {
    builder.memory({0x00, 1});
    builder.table({funcref_byte, 0x00, 4});
    builder.global(i32, true, i32_const(7) + end);
    export_function(builder, "global", {}, {i32}, {0x23, 0});
    export_function(builder, "set_global", {i32}, {}, Bytes{0x20, 0, 0x24, 0});
    export_function(builder, "peek", {i32}, {i32}, Bytes{0x20, 0, 0x2d, 0, 0});
    export_function(builder, "poke", {i32, i32}, {}, Bytes{0x20, 0, 0x20, 1, 0x3a, 0, 0});
    export_function(builder, "grow", {i32}, {i32}, Bytes{0x20, 0, 0x40, 0});
    export_function(builder, "pages", {}, {i32}, {0x3f, 0});
    export_function(builder, "clear_element", {i32}, {}, Bytes{0x20, 0, 0xd0, 0x70, 0x26, 0});
    export_function(builder, "is_null", {i32}, {i32}, Bytes{0x20, 0, 0x25, 0, 0xd1});
    export_function(builder, "grow_table", {i32}, {i32}, Bytes{0xd0, 0x70, 0x20, 0, 0xfc, 15, 0});
    export_function(builder, "table_size", {}, {i32}, {0xfc, 16, 0});
    export_function(builder, "use_segments", {}, {},
                    i32_const(200) + i32_const(0) + i32_const(3) + Bytes{0xfc, 8, 1, 0} +     // memory.init 1
                        i32_const(3) + i32_const(0) + i32_const(1) + Bytes{0xfc, 12, 1, 0} +  // table.init 1
                        Bytes{0xfc, 9, 1, 0xfc, 13, 1});                                      // both dropped
    builder.element(Bytes{0x00} + i32_const(1) + end + sized(Bytes{0}));
    builder.element(Bytes{0x01, 0x00} + sized(Bytes{0}));
    builder.data(Bytes{0x00} + i32_const(100) + end + sized(Bytes{1, 2, 3}));
    builder.data(Bytes{0x01} + sized(Bytes{4, 5, 6}));
    builder.data_count(2);
  }
};

void expect_new(World& world, ModuleInstance* instance) {
  EXPECT_EQ(world.call_i32(instance, "global"), 7u);
  EXPECT_EQ(world.call_i32(instance, "pages"), 1u);
  EXPECT_EQ(world.call_i32(instance, "table_size"), 4u);
  EXPECT_EQ(world.call_i32(instance, "is_null", {Value::i32(1)}), 0u);
  EXPECT_EQ(world.call_i32(instance, "is_null", {Value::i32(3)}), 1u);
  const MemoryInstance& memory = *instance->memories[0];
  EXPECT_EQ(std::count(memory.base, memory.base + memory.size, 0), 65536 - 3);
  EXPECT_EQ(memory.base[100], 1);
  EXPECT_EQ(memory.base[102], 3);
}

void spoil(World& world, ModuleInstance* instance) {
  EXPECT_FALSE(world.call(instance, "set_global", {Value::i32(99)}).trap);
  for (const std::uint32_t address : {0u, 101u, 4096u, 65535u})
    EXPECT_FALSE(world.call(instance, "poke", {Value::i32(address), Value::i32(0xcc)}).trap);
  EXPECT_EQ(world.call_i32(instance, "grow", {Value::i32(3)}), 1u);
  EXPECT_FALSE(world.call(instance, "poke", {Value::i32(4 * 65536 - 1), Value::i32(0xcc)}).trap);
  EXPECT_FALSE(world.call(instance, "clear_element", {Value::i32(1)}).trap);
  EXPECT_EQ(world.call_i32(instance, "grow_table", {Value::i32(1000)}), 4u);
  EXPECT_FALSE(world.call(instance, "use_segments").trap);
}

void renew(World& world, ModuleInstance* instance) {
  const Result<Store::Instantiated> renewed = world.store.renew(*instance);
  ASSERT_TRUE(renewed.ok()) << renewed.error().to_string();
  EXPECT_FALSE(renewed->trap);
  EXPECT_EQ(renewed->instance, instance);
}

TEST(Renew, NothingOfTheRunIsLeft) {
  for (const bool guarded : {true, false}) {
    StoreLimits limits;
    limits.allow_guarded_memory = guarded;
    World world(limits);
    ModuleInstance* const instance = world.instantiate(Sample().builder.build());
    ASSERT_NE(instance, nullptr);
    expect_new(world, instance);
    for (int round = 0; round < 3; ++round) {
      spoil(world, instance);
      renew(world, instance);
      expect_new(world, instance);
      EXPECT_EQ(world.store.memory_bytes(), 65536u);
      EXPECT_EQ(world.call_trap(instance, "peek", {Value::i32(65536)}), TrapKind::OutOfBoundsMemoryAccess);
    }
  }
}

TEST(Renew, DroppedSegmentsAreThereAgain) {
  World world;
  ModuleInstance* const instance = world.instantiate(Sample().builder.build());
  EXPECT_FALSE(world.call(instance, "use_segments").trap);
  EXPECT_EQ(world.call_trap(instance, "use_segments"), TrapKind::OutOfBoundsMemoryAccess);
  renew(world, instance);
  EXPECT_FALSE(world.call(instance, "use_segments").trap);
}

TEST(Renew, TheStartFunctionRunsAgainAndItsTrapIsTold) {
  World world;
  int starts = 0;
  bool fails = false;
  world.linker.define_function("env", "start", [&]() -> HostOutcome {
    ++starts;
    return fails ? HostOutcome::trap(TrapKind::HostFunctionFailed, "no") : HostOutcome::ok();
  });
  ModuleBuilder builder;
  builder.import("env", "start", Bytes{0x00, static_cast<std::uint8_t>(builder.type({}, {}))});
  builder.memory({0x00, 0});
  builder.start(0);
  ModuleInstance* const instance = world.instantiate(builder.build());
  EXPECT_EQ(starts, 1);
  renew(world, instance);
  EXPECT_EQ(starts, 2);
  fails = true;
  const Result<Store::Instantiated> renewed = world.store.renew(*instance);
  ASSERT_TRUE(renewed.ok());
  ASSERT_TRUE(renewed->trap);
  EXPECT_EQ(renewed->trap->message, "no");
}

TEST(Renew, RefusesWhatOthersHold) {
  World world;
  ModuleBuilder host;
  host.memory({0x00, 1});
  host.export_item("memory", 2, 0);
  ModuleInstance* const shared = world.instantiate(host.build());
  world.linker.define_instance("host", *shared);
  ModuleBuilder builder;
  builder.import("host", "memory", {0x02, 0x00, 1});
  ModuleInstance* const instance = world.instantiate(builder.build());
  const Result<Store::Instantiated> renewed = world.store.renew(*instance);
  ASSERT_FALSE(renewed.ok());
  EXPECT_EQ(renewed.error().kind, ErrorKind::Unlinkable);
}

TEST(Renew, AfterATrapAndAfterALimit) {
  StoreLimits limits;
  limits.max_memory_bytes = 4 << 16;
  limits.fuel = 1'000'000;
  World world(limits);
  ModuleInstance* const instance = world.instantiate(Sample().builder.build());
  EXPECT_EQ(world.call_trap(instance, "peek", {Value::i32(65536)}), TrapKind::OutOfBoundsMemoryAccess);
  spoil(world, instance);
  world.store.set_fuel(0);
  EXPECT_EQ(world.call_trap(instance, "pages"), TrapKind::OutOfFuel);
  world.store.set_fuel(1'000'000);
  renew(world, instance);
  expect_new(world, instance);
  EXPECT_EQ(world.call_i32(instance, "grow", {Value::i32(3)}), 1u);  // the limit counts what is there, not what was
}

}  // namespace
}  // namespace tfvm::test
