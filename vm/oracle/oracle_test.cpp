// The oracle's own parts: how it maps control (control_map.hpp). What it executes is tested in vm/execution_test.cpp.
#include "vm/oracle/oracle.hpp"

#include <gtest/gtest.h>

#include "vm/oracle/control_map.hpp"
#include "vm/test_instance.hpp"

namespace tfvm::test {
namespace {

TEST(ControlMap, MatchesBlocksElsesAndEnds) {
  ModuleBuilder builder;
  // 0 block 1 const 2 if 3 nop 4 else 5 nop 6 end 7 end 8 const 9 if 10 end 11 end
  const Bytes code = Bytes{0x02, empty_block} + i32_const(1) + Bytes{0x04, empty_block, 0x01, 0x05, 0x01, 0x0b, 0x0b} +
                     i32_const(0) + Bytes{0x04, empty_block, 0x0b};
  builder.function(builder.type({}, {}), code, {1, 3, f64});
  World world;
  const oracle::Code map = oracle::make_code(world.load(builder.build())->module(), 0);
  ASSERT_EQ(map.steps.size(), 12u);
  EXPECT_EQ(map.local_count, 3u);
  EXPECT_EQ(map.steps[0].end, 7u);
  EXPECT_EQ(map.steps[2].otherwise, 4u);
  EXPECT_EQ(map.steps[2].end, 6u);
  EXPECT_EQ(map.steps[4].end, 6u);
  EXPECT_EQ(map.steps[9].otherwise, 10u);
  EXPECT_EQ(map.steps[9].end, 10u);
}

TEST(ControlMap, KnowsLabelsAndCosts) {
  ModuleBuilder builder;
  const Bytes code =
      Bytes{0x02, empty_block, 0x03, empty_block} + i32_const(1) + Bytes{0x0e, 0x02, 0, 1, 2, 0x0b, 0x0b};
  builder.function(builder.type({}, {}), code);
  World world;
  const oracle::Code map = oracle::make_code(world.load(builder.build())->module(), 0);
  EXPECT_EQ(map.labels, (std::vector<std::uint32_t>{0, 1, 2}));
  std::vector<std::uint32_t> costs;
  for (const oracle::Step& step : map.steps) costs.push_back(step.fuel);
  EXPECT_EQ(costs, (std::vector<std::uint32_t>{2, 0, 2, 0, 0, 1, 2}));
}

}  // namespace
}  // namespace tfvm::test
