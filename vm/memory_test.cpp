// Linear memory: kinds, growth, limits, what is zero, what traps at which edge.
#include <cstdio>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include "vm/guest_memory.hpp"
#include "vm/test_instance.hpp"

namespace tfvm::test {
namespace {

MemoryType memory_type(std::uint64_t minimum, std::uint64_t maximum = UINT64_MAX,
                       AddressType address_type = AddressType::I32) {
  MemoryType type;
  type.address_type = address_type;
  type.limits = {minimum, maximum, maximum != UINT64_MAX};
  return type;
}

TEST(Memory, KindFollowsAddressTypeAndLimits) {
  World world;
  EXPECT_EQ((*world.store.new_memory(memory_type(1)))->kind, MemoryInstance::Kind::Guarded);
  EXPECT_EQ((*world.store.new_memory(memory_type(1, UINT64_MAX, AddressType::I64)))->kind,
            MemoryInstance::Kind::Checked);
  StoreLimits limits;
  limits.allow_guarded_memory = false;
  World checked(limits);
  EXPECT_EQ((*checked.store.new_memory(memory_type(1)))->kind, MemoryInstance::Kind::Checked);
}

TEST(Memory, IsZeroWhenMadeAndWhenGrownAndKeepsItsContents) {
  for (const bool guarded : {true, false}) {
    StoreLimits limits;
    limits.allow_guarded_memory = guarded;
    World world(limits);
    MemoryInstance& memory = **world.store.new_memory(memory_type(1, 4));
    EXPECT_EQ(memory.base[0], 0);
    EXPECT_EQ(memory.base[page_size_bytes - 1], 0);
    memory.base[5] = 99;
    EXPECT_EQ(memory.grow(2), 1u);
    EXPECT_EQ(memory.pages(), 3u);
    EXPECT_EQ(memory.base[5], 99);
    EXPECT_EQ(memory.base[3 * page_size_bytes - 1], 0);
    EXPECT_EQ(memory.grow(0), 3u);
    EXPECT_EQ(memory.grow(2), UINT64_MAX);
    EXPECT_EQ(memory.grow(UINT64_MAX), UINT64_MAX);
    EXPECT_EQ(memory.grow(1), 3u);
    EXPECT_EQ(world.store.memory_bytes(), 4 * page_size_bytes);
  }
}

TEST(Memory, GrowsFromZeroPages) {
  for (const bool guarded : {true, false}) {
    StoreLimits limits;
    limits.allow_guarded_memory = guarded;
    World world(limits);
    MemoryInstance& memory = **world.store.new_memory(memory_type(0));
    EXPECT_FALSE(GuestMemory(memory).load<std::uint8_t>(0));
    EXPECT_TRUE(GuestMemory(memory).bytes(0, 0));
    EXPECT_EQ(memory.grow(1), 0u);
    EXPECT_EQ(GuestMemory(memory).load<std::uint64_t>(page_size_bytes - 8), 0u);
    EXPECT_FALSE(GuestMemory(memory).load<std::uint64_t>(page_size_bytes - 7));
    EXPECT_FALSE(GuestMemory(memory).load<std::uint64_t>(UINT64_MAX - 3));
  }
}

TEST(Memory, ThirtyTwoBitMemoriesEndAt65536Pages) {
  World world;
  MemoryInstance& memory = **world.store.new_memory(memory_type(65535));
  EXPECT_EQ(memory.grow(2), UINT64_MAX);
  EXPECT_EQ(memory.grow(1), 65535u);
  EXPECT_EQ(memory.base[(std::uint64_t{1} << 32) - 1], 0);
  EXPECT_EQ(memory.grow(1), UINT64_MAX);
}

TEST(Memory, StoreLimitHoldsForAllMemoriesTogether) {
  StoreLimits limits;
  limits.max_memory_bytes = 3 * page_size_bytes;
  World world(limits);
  MemoryInstance& first = **world.store.new_memory(memory_type(1));
  ASSERT_TRUE(world.store.new_memory(memory_type(1)));
  EXPECT_EQ(first.grow(2), UINT64_MAX);
  EXPECT_EQ(first.grow(1), 1u);
  const auto third = world.store.new_memory(memory_type(1));
  ASSERT_FALSE(third);
  EXPECT_EQ(third.error().kind, ErrorKind::Limit);
}

TEST(Memory, GiantMinimumIsAnErrorAndAllocatesNothing) {
  World world;
  for (const std::uint64_t pages : {std::uint64_t{1} << 32, std::uint64_t{1} << 48, UINT64_MAX}) {
    const auto memory = world.store.new_memory(memory_type(pages, UINT64_MAX, AddressType::I64));
    ASSERT_FALSE(memory);
    EXPECT_EQ(memory.error().kind, ErrorKind::Limit);
  }
  EXPECT_EQ(world.store.memory_bytes(), 0u);
}

TEST(Memory, GuestsTrapAtTheEdgesOfEveryKindAndSize) {
  ModuleBuilder builder;
  builder.memory({0x00, 0});
  const Bytes load32 = local_get(0) + Bytes{0x28, 0x02, 0x00};
  const Bytes load8_far = local_get(0) + Bytes{0x2d, 0x00} + unsigned_leb(UINT32_MAX);
  export_function(builder, "load", {i32}, {i32}, load32);
  export_function(builder, "far", {i32}, {i32}, load8_far);
  export_function(builder, "store", {i32}, {}, local_get(0) + i64_const(-1) + Bytes{0x37, 0x03, 0x00});
  export_function(builder, "grow", {i32}, {i32}, local_get(0) + Bytes{0x40, 0x00});
  for (const bool guarded : {true, false}) {
    StoreLimits limits;
    limits.allow_guarded_memory = guarded;
    World world(limits);
    ModuleInstance* const instance = world.instantiate(builder.build());
    ASSERT_NE(instance, nullptr);
    const auto trap = TrapKind::OutOfBoundsMemoryAccess;
    EXPECT_EQ(world.call_trap(instance, "load", {Value::i32(0)}), trap);
    EXPECT_EQ(world.call_i32(instance, "grow", {Value::i32(1)}), 0u);
    EXPECT_EQ(world.call_i32(instance, "load", {Value::i32(65532)}), 0u);
    for (const std::uint32_t address : {65533u, 65536u, 0x7fffffffu, 0x80000000u, UINT32_MAX})
      EXPECT_EQ(world.call_trap(instance, "load", {Value::i32(address)}), trap) << address;
    for (const std::uint32_t address : {0u, 1u, UINT32_MAX})
      EXPECT_EQ(world.call_trap(instance, "far", {Value::i32(address)}), trap) << address;
    // Nothing of a store that does not fit is seen.
    EXPECT_EQ(world.call_trap(instance, "store", {Value::i32(65529)}), trap);
    EXPECT_EQ(world.call_i32(instance, "load", {Value::i32(65532)}), 0u);
    EXPECT_EQ(world.call_trap(instance, "store", {Value::i32(65528)}), TrapKind::None);
    EXPECT_EQ(world.call_i32(instance, "load", {Value::i32(65532)}), UINT32_MAX);
  }
}

TEST(MemoryDeathTest, FallsBackToChecksWhereAddressSpaceIsLimited) {
  const auto limited = [] {
    unsigned long pages = 0;
    std::FILE* const file = std::fopen("/proc/self/statm", "r");
    if (file == nullptr || std::fscanf(file, "%lu", &pages) != 1) _exit(1);
    const rlim_t bytes = pages * static_cast<rlim_t>(sysconf(_SC_PAGESIZE)) + (rlim_t{1} << 30);
    const rlimit limit{bytes, bytes};
    if (setrlimit(RLIMIT_AS, &limit) != 0) _exit(2);
    World world;
    const auto memory = world.store.new_memory(memory_type(2));
    if (!memory) _exit(3);
    if ((*memory)->kind != MemoryInstance::Kind::Checked || (*memory)->grow(1) != 2) _exit(4);
    if ((*memory)->grow(60000) != UINT64_MAX) _exit(5);
    _exit(0);
  };
  EXPECT_EXIT(limited(), testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace tfvm::test
