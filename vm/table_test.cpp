// Tables: allocation, growth, limits.
#include <gtest/gtest.h>

#include "vm/test_instance.hpp"

namespace tfvm::test {
namespace {

TableType table_type(std::uint64_t minimum, std::uint64_t maximum = UINT64_MAX,
                     AddressType address_type = AddressType::I32) {
  TableType type;
  type.element = externref;
  type.address_type = address_type;
  type.limits = {minimum, maximum, maximum != UINT64_MAX};
  return type;
}

TEST(Table, HoldsItsInitialValueAndGrowsWithAnother) {
  World world;
  TableInstance& table = **world.store.new_table(table_type(2, 5), Slot::external(7));
  ASSERT_EQ(table.size, 2u);
  EXPECT_EQ(table.elements[1].as_external(), 7u);
  EXPECT_EQ(table.grow(2, Slot::external(8)), 2u);
  EXPECT_EQ(table.elements[1].as_external(), 7u);
  EXPECT_EQ(table.elements[3].as_external(), 8u);
  EXPECT_EQ(table.grow(1, Slot::null()), 4u);
  EXPECT_TRUE(table.elements[4].is_null());
  EXPECT_EQ(table.grow(1, Slot::null()), UINT64_MAX);
  EXPECT_EQ(table.grow(0, Slot::external(9)), 5u);
}

TEST(Table, GrowsFromNothing) {
  World world;
  TableInstance& table = **world.store.new_table(table_type(0), Slot::null());
  EXPECT_EQ(table.grow(UINT64_MAX, Slot::null()), UINT64_MAX);
  EXPECT_EQ(table.grow(1000, Slot::null()), 0u);
  EXPECT_TRUE(table.elements[999].is_null());
}

TEST(Table, StoreLimitHoldsForAllTablesTogether) {
  StoreLimits limits;
  limits.max_table_elements = 10;
  World world(limits);
  TableInstance& first = **world.store.new_table(table_type(4), Slot::null());
  ASSERT_TRUE(world.store.new_table(table_type(4), Slot::null()));
  EXPECT_EQ(first.grow(3, Slot::null()), UINT64_MAX);
  EXPECT_EQ(first.grow(2, Slot::null()), 4u);
  const auto third = world.store.new_table(table_type(1), Slot::null());
  ASSERT_FALSE(third);
  EXPECT_EQ(third.error().kind, ErrorKind::Limit);
}

TEST(Table, GiantMinimumIsAnError) {
  World world;
  for (const std::uint64_t elements : {std::uint64_t{UINT32_MAX}, std::uint64_t{1} << 61, UINT64_MAX}) {
    const auto table = world.store.new_table(table_type(elements, UINT64_MAX, AddressType::I64), Slot::null());
    ASSERT_FALSE(table) << elements;
    EXPECT_EQ(table.error().kind, ErrorKind::Limit);
  }
}

}  // namespace
}  // namespace tfvm::test
