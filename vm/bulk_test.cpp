// Bulk operations: edges, overlap, dropped segments, no partial effect, fuel (pitfalls 17, 18, 20).
#include "vm/bulk.hpp"

#include <gtest/gtest.h>

#include "vm/fuel.hpp"
#include "vm/test_instance.hpp"

namespace tfvm::test {
namespace {

constexpr TrapKind none = TrapKind::None;
constexpr TrapKind memory_trap = TrapKind::OutOfBoundsMemoryAccess;
constexpr TrapKind table_trap = TrapKind::OutOfBoundsTableAccess;

/// One memory of a page, two tables of eight, a passive data and a passive element segment of four.
class Bulk : public testing::Test {
 protected:
  explicit Bulk(StoreLimits limits = {}) : world(limits) {
    ModuleBuilder builder;
    const std::uint32_t type = builder.type({}, {});
    for (int i = 0; i < 4; ++i) builder.function(type, {});
    builder.table({funcref_byte, 0x00, 8});
    builder.table({funcref_byte, 0x01, 8, 10});
    builder.memory({0x01, 1, 3});
    builder.element(Bytes{0x01, 0x00} + sized({0, 1, 2, 3}));
    builder.data(Bytes{0x01} + sized({1, 2, 3, 4}));
    builder.data_count(1);
    instance = world.instantiate(builder.build());
  }
  std::uint8_t& byte(std::uint64_t address) { return instance->memories[0]->base[address]; }
  Slot& element(std::uint32_t table, std::uint64_t index) { return instance->tables[table]->elements[index]; }

  World world;
  ModuleInstance* instance = nullptr;
};

TEST_F(Bulk, ZeroLengthIsFineAtTheEndAndNotBehindIt) {
  EXPECT_EQ(bulk::memory_fill(*instance, 0, 65536, 1, 0), none);
  EXPECT_EQ(bulk::memory_fill(*instance, 0, 65537, 1, 0), memory_trap);
  EXPECT_EQ(bulk::memory_copy(*instance, 0, 0, 65536, 65536, 0), none);
  EXPECT_EQ(bulk::memory_copy(*instance, 0, 0, 0, 65537, 0), memory_trap);
  EXPECT_EQ(bulk::memory_init(*instance, 0, 0, 65536, 4, 0), none);
  EXPECT_EQ(bulk::memory_init(*instance, 0, 0, 0, 5, 0), memory_trap);
  EXPECT_EQ(bulk::table_init(*instance, 0, 0, 8, 4, 0), none);
  EXPECT_EQ(bulk::table_init(*instance, 0, 0, 9, 0, 0), table_trap);
  EXPECT_EQ(bulk::table_copy(*instance, 0, 1, 8, 8, 0), none);
  EXPECT_EQ(bulk::table_copy(*instance, 0, 1, 9, 0, 0), table_trap);
  EXPECT_EQ(bulk::table_fill(*instance, 0, 8, Slot::null(), 0), none);
  EXPECT_EQ(bulk::table_fill(*instance, 0, 9, Slot::null(), 0), table_trap);
}

TEST_F(Bulk, NothingIsWrittenWhenTheRangeDoesNotFit) {
  EXPECT_EQ(bulk::memory_fill(*instance, 0, 65530, 0xff, 7), memory_trap);
  EXPECT_EQ(byte(65530), 0);
  EXPECT_EQ(bulk::memory_fill(*instance, 0, UINT64_MAX, 0xff, 2), memory_trap);
  EXPECT_EQ(bulk::memory_copy(*instance, 0, 0, 65535, 0, UINT64_MAX), memory_trap);
  EXPECT_EQ(bulk::memory_init(*instance, 0, 0, 0, 1, 4), memory_trap);
  EXPECT_EQ(byte(0), 0);
  EXPECT_EQ(bulk::table_init(*instance, 0, 0, 6, 0, 3), table_trap);
  EXPECT_TRUE(element(0, 6).is_null());
}

TEST_F(Bulk, CopiesOverlapInBothDirections) {
  EXPECT_EQ(bulk::memory_init(*instance, 0, 0, 0, 0, 4), none);
  EXPECT_EQ(bulk::memory_copy(*instance, 0, 0, 1, 0, 4), none);
  EXPECT_EQ(byte(1), 1);
  EXPECT_EQ(byte(4), 4);
  EXPECT_EQ(bulk::memory_copy(*instance, 0, 0, 0, 1, 4), none);
  EXPECT_EQ(byte(0), 1);
  EXPECT_EQ(byte(3), 4);
  EXPECT_EQ(bulk::table_init(*instance, 0, 0, 0, 0, 4), none);
  EXPECT_EQ(bulk::table_copy(*instance, 0, 0, 2, 0, 4), none);
  EXPECT_EQ(element(0, 5).as_function(), instance->function(3));
  EXPECT_EQ(bulk::table_copy(*instance, 1, 0, 4, 2, 4), none);
  EXPECT_EQ(element(1, 4).as_function(), instance->function(0));
}

TEST_F(Bulk, DroppedSegmentsAreEmpty) {
  bulk::data_drop(*instance, 0);
  bulk::data_drop(*instance, 0);
  EXPECT_EQ(bulk::memory_init(*instance, 0, 0, 0, 0, 1), memory_trap);
  EXPECT_EQ(bulk::memory_init(*instance, 0, 0, 0, 0, 0), none);
  bulk::element_drop(*instance, 0);
  EXPECT_EQ(bulk::table_init(*instance, 0, 0, 0, 0, 1), table_trap);
  EXPECT_EQ(bulk::table_init(*instance, 0, 0, 0, 0, 0), none);
}

TEST_F(Bulk, FillUsesTheLowByte) {
  EXPECT_EQ(bulk::memory_fill(*instance, 0, 1, 0x1ab, 2), none);
  EXPECT_EQ(byte(0), 0);
  EXPECT_EQ(byte(1), 0xab);
  EXPECT_EQ(byte(2), 0xab);
  EXPECT_EQ(byte(3), 0);
}

TEST_F(Bulk, GrowthGivesTheOldSizeOrMinusOneOfItsWidth) {
  std::uint64_t result = 0;
  EXPECT_EQ(bulk::memory_grow(*instance, 0, 2, result), none);
  EXPECT_EQ(result, 1u);
  EXPECT_EQ(bulk::memory_grow(*instance, 0, 1, result), none);
  EXPECT_EQ(result, UINT32_MAX);
  EXPECT_EQ(bulk::table_grow(*instance, 1, 2, Slot::function(instance->function(1)), result), none);
  EXPECT_EQ(result, 8u);
  EXPECT_EQ(element(1, 9).as_function(), instance->function(1));
  EXPECT_EQ(bulk::table_grow(*instance, 1, 1, Slot::null(), result), none);
  EXPECT_EQ(result, UINT32_MAX);
}

TEST_F(Bulk, CalleesAreFoundInTheOrderOfTheStandard) {
  EXPECT_EQ(bulk::table_init(*instance, 0, 0, 0, 0, 1), none);
  const DefinedType& type = *instance->function(0)->type;
  FunctionInstance* callee = nullptr;
  EXPECT_EQ(bulk::find_callee(*instance, 0, 0, type, callee), none);
  EXPECT_EQ(callee, instance->function(0));
  EXPECT_EQ(bulk::find_callee(*instance, 0, 1, type, callee), TrapKind::UninitializedElement);
  EXPECT_EQ(bulk::find_callee(*instance, 0, 8, type, callee), TrapKind::UndefinedElement);
  const auto other = world.engine.registry()->intern_function({{ValueKind::I32}, {}});
  EXPECT_EQ(bulk::find_callee(*instance, 0, 0, other->type(0), callee), TrapKind::IndirectCallTypeMismatch);
}

TEST_F(Bulk, SingleElementsAreChecked) {
  Slot slot;
  EXPECT_EQ(bulk::table_set(*instance, 0, 7, Slot::function(instance->function(2))), none);
  EXPECT_EQ(bulk::table_get(*instance, 0, 7, slot), none);
  EXPECT_EQ(slot.as_function(), instance->function(2));
  EXPECT_EQ(bulk::table_get(*instance, 0, 8, slot), table_trap);
  EXPECT_EQ(bulk::table_set(*instance, 0, UINT64_MAX, Slot::null()), table_trap);
}

class BulkWithFuel : public Bulk {
 protected:
  static StoreLimits limits() {
    StoreLimits limits;
    limits.fuel = 1000;
    limits.trap_on_grow_failure = true;
    return limits;
  }
  BulkWithFuel() : Bulk(limits()) {}
  /// Units that `operation` took.
  template <class Operation>
  std::uint64_t cost(Operation operation) {
    world.store.set_fuel(1000);
    EXPECT_EQ(operation(), none);
    return 1000 - *world.store.fuel();
  }
};

TEST_F(BulkWithFuel, CostsByTheTariff) {
  std::uint64_t result = 0;
  EXPECT_EQ(cost([&] { return bulk::memory_fill(*instance, 0, 0, 1, 160); }), 160 / bulk_bytes_per_fuel);
  EXPECT_EQ(cost([&] { return bulk::memory_fill(*instance, 0, 0, 1, bulk_bytes_per_fuel - 1); }), 0u);
  EXPECT_EQ(cost([&] { return bulk::memory_copy(*instance, 0, 0, 0, 100, 320); }), 320 / bulk_bytes_per_fuel);
  EXPECT_EQ(cost([&] { return bulk::table_fill(*instance, 0, 0, Slot::null(), 8); }), 8 / bulk_elements_per_fuel);
  EXPECT_EQ(cost([&] { return bulk::table_init(*instance, 0, 0, 0, 0, 4); }), 4 / bulk_elements_per_fuel);
  EXPECT_EQ(cost([&] { return bulk::memory_grow(*instance, 0, 2, result); }), 2 / pages_per_fuel);
}

TEST_F(BulkWithFuel, WithoutEnoughThereIsNoEffect) {
  world.store.set_fuel(3);
  EXPECT_EQ(bulk::memory_fill(*instance, 0, 0, 1, 64), TrapKind::OutOfFuel);
  EXPECT_EQ(byte(0), 0);
  world.store.set_fuel(4);
  EXPECT_EQ(bulk::memory_fill(*instance, 0, 0, 1, 64), none);
  EXPECT_EQ(byte(63), 1);
  std::uint64_t result = 7;
  world.store.set_fuel(1);
  EXPECT_EQ(bulk::memory_grow(*instance, 0, 2, result), TrapKind::OutOfFuel);
  EXPECT_EQ(instance->memories[0]->pages(), 1u);
}

TEST_F(BulkWithFuel, GrowthFailureTrapsIfTheStoreWantsSo) {
  std::uint64_t result = 0;
  EXPECT_EQ(bulk::memory_grow(*instance, 0, 3, result), TrapKind::MemoryLimitExceeded);
}

}  // namespace
}  // namespace tfvm::test
