// Images: instances share what segments gave them and nothing else; who may have one; the ranges of the arena.
#include "vm/memory_image.hpp"

#include <gtest/gtest.h>

#include "vm/test_instance.hpp"

namespace tfvm::test {
namespace {

const Bytes end = {0x0b};
constexpr std::uint64_t segment_address = 70'000;  // not at a page, in the second of three wasm pages

/// A memory of three pages with a segment of 40,000 bytes of 7, and functions to look at it and to change it.
ModuleBuilder sample() {
  ModuleBuilder builder;
  builder.memory({0x00, 3});
  export_function(builder, "peek", {i32}, {i32}, Bytes{0x20, 0, 0x2d, 0, 0});
  export_function(builder, "poke", {i32, i32}, {}, Bytes{0x20, 0, 0x20, 1, 0x3a, 0, 0});
  export_function(builder, "grow", {i32}, {i32}, Bytes{0x20, 0, 0x40, 0});
  builder.data(Bytes{0x00} + i32_const(segment_address) + end + sized(Bytes(40'000, 7)));
  return builder;
}

std::vector<std::uint8_t> contents(const ModuleInstance& instance) {
  const MemoryInstance& memory = *instance.memories[0];
  return {memory.base, memory.base + memory.size};
}

/// What the memory must hold at first.
std::vector<std::uint8_t> expected() {
  std::vector<std::uint8_t> bytes(3 * 65536);
  std::fill_n(bytes.begin() + segment_address, 40'000, 7);
  return bytes;
}

ModuleInstance* instantiate(World& world, const std::shared_ptr<const LoadedModule>& module) {
  return world.linker.try_instantiate(module)->instance;
}

TEST(MemoryImage, IsMadeByTheSecondInstanceAndUsedFromTheThirdOn) {
  World world;
  const auto module = world.load(sample().build());
  for (int i = 0; i < 5; ++i) {
    const ModuleInstance* const instance = instantiate(world, module);
    EXPECT_EQ(instance->memories[0]->holds_image, i >= 2);
    EXPECT_EQ(contents(*instance), expected());
  }
}

TEST(MemoryImage, WritesStayInTheInstance) {
  World world;
  const auto module = world.load(sample().build());
  for (int i = 0; i < 2; ++i) instantiate(world, module);
  ModuleInstance* const first = instantiate(world, module);
  ModuleInstance* const second = instantiate(world, module);
  for (const std::uint32_t address : {0u, 69'000u, 70'000u, 109'999u, 110'000u, 196'607u})
    EXPECT_FALSE(world.call(first, "poke", {Value::i32(address), Value::i32(99)}).trap);
  EXPECT_EQ(contents(*second), expected());
  EXPECT_EQ(contents(*instantiate(world, module)), expected());
  ASSERT_TRUE(world.store.renew(*first).ok());
  EXPECT_EQ(contents(*first), expected());
}

TEST(MemoryImage, RenewingMakesAndKeepsIt) {
  World world;
  ModuleInstance* const instance = world.instantiate(sample().build());
  for (int i = 0; i < 4; ++i) {
    EXPECT_FALSE(world.call(instance, "poke", {Value::i32(segment_address + 5), Value::i32(1)}).trap);
    EXPECT_EQ(world.call_i32(instance, "grow", {Value::i32(2)}), 3u);
    EXPECT_FALSE(world.call(instance, "poke", {Value::i32(5 * 65536 - 1), Value::i32(1)}).trap);
    ASSERT_TRUE(world.store.renew(*instance).ok());
    EXPECT_EQ(contents(*instance), expected());
    EXPECT_EQ(instance->memories[0]->holds_image, i >= 1);
  }
}

TEST(MemoryImage, OnlyWhereSegmentsAreTheSameForAll) {
  World world;
  ModuleBuilder small;
  small.memory({0x00, 1});
  small.data(Bytes{0x00} + i32_const(0) + end + sized(Bytes(100, 7)));
  ModuleBuilder sparse;
  sparse.memory({0x00, 100});
  sparse.data(Bytes{0x00} + i32_const(0) + end + sized(Bytes(10'000, 7)));
  sparse.data(Bytes{0x00} + i32_const(6'000'000) + end + sized(Bytes(10'000, 7)));
  ModuleBuilder imports;
  imports.import("env", "base", {0x03, i32, 0x00});
  imports.memory({0x00, 3});
  imports.data(Bytes{0x00, 0x23, 0} + end + sized(Bytes(40'000, 7)));
  External base;
  base.kind = ExternKind::Global;
  base.global = world.store.new_global({ValueKind::I32, false}, Slot::i32(10));
  world.linker.define("env", "base", base);
  for (ModuleBuilder* builder : {&small, &sparse, &imports}) {
    const auto module = world.load(builder->build());
    for (int i = 0; i < 4; ++i) EXPECT_FALSE(instantiate(world, module)->memories[0]->holds_image);
  }
  StoreLimits limits;
  limits.allow_guarded_memory = false;
  World checked(limits);
  const auto module = checked.load(sample().build());
  for (int i = 0; i < 4; ++i) {
    const ModuleInstance* const instance = instantiate(checked, module);
    EXPECT_FALSE(instance->memories[0]->holds_image);
    EXPECT_EQ(contents(*instance), expected());
  }
}

TEST(MemoryImage, PassiveSegmentsAreThereOnceActiveOnesAreDropped) {
  ModuleBuilder builder = sample();
  export_function(builder, "init", {i32}, {}, i32_const(0) + i32_const(0) + i32_const(1) + Bytes{0xfc, 8, 0, 0});
  export_function(builder, "init_passive", {i32}, {},
                  i32_const(0) + i32_const(0) + i32_const(1) + Bytes{0xfc, 8, 1, 0});
  builder.data(Bytes{0x01} + sized(Bytes{5}));
  builder.data_count(2);
  World world;
  const auto module = world.load(builder.build());
  for (int i = 0; i < 3; ++i) {
    ModuleInstance* const instance = instantiate(world, module);
    EXPECT_EQ(world.call_trap(instance, "init", {Value::i32(0)}), TrapKind::OutOfBoundsMemoryAccess);
    EXPECT_EQ(world.call_trap(instance, "init_passive", {Value::i32(0)}), TrapKind::None);
    EXPECT_EQ(world.call_i32(instance, "peek", {Value::i32(0)}), 5u);
  }
}

TEST(ImageArena, GivesRangesBackAndJoinsThem) {
  ImageArena arena;
  const std::vector<std::uint8_t> page(4096, 1);
  const std::vector<std::uint8_t> pages(3 * 4096, 2);
  std::vector<std::uint64_t> offsets;
  for (int i = 0; i < 4; ++i) offsets.push_back(*arena.add(page.data(), page.size()));
  EXPECT_EQ(offsets, (std::vector<std::uint64_t>{0, 4096, 8192, 12288}));
  arena.remove(0, 4096);
  arena.remove(8192, 4096);
  arena.remove(4096, 4096);
  EXPECT_EQ(arena.add(pages.data(), pages.size()), 0u);
  EXPECT_EQ(arena.add(page.data(), page.size()), 16384u);
}

}  // namespace
}  // namespace tfvm::test
