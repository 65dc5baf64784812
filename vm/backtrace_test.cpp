// Backtraces: names, offsets, order, and what is left out of long ones.
#include "vm/backtrace.hpp"

#include <gtest/gtest.h>

#include "vm/test_instance.hpp"

namespace tfvm::test {
namespace {

Bytes name_section(std::string_view module, std::initializer_list<std::pair<std::uint32_t, const char*>> functions) {
  Bytes names = unsigned_leb(functions.size());
  for (const auto& [index, name] : functions) names = names + unsigned_leb(index) + name_bytes(name);
  return ModuleBuilder::section(0, name_bytes(module)) + ModuleBuilder::section(1, names);
}

TEST(Backtrace, NamesComeFromTheNameSectionElseFromExports) {
  ModuleBuilder builder;
  const std::uint32_t type = builder.type({}, {});
  builder.function(type, {0x01, 0x00});  // nop, unreachable
  builder.function(type, Bytes{0x01, 0x01} + call_function(0));
  builder.export_item("outer", 0, builder.function(type, call_function(1)));
  builder.custom("name", name_section("guest", {{0, "inner"}, {1, "_Z6middlev"}}));
  World world;
  const Bytes bytes = builder.build();
  ModuleInstance* const instance = world.instantiate(bytes);
  const Store::Results results = world.call(instance, "outer");
  ASSERT_TRUE(results.trap);
  const std::vector<BacktraceFrame>& frames = results.trap->backtrace;
  ASSERT_EQ(frames.size(), 3u);
  EXPECT_EQ(frames[0].function_name, "inner");
  EXPECT_EQ(frames[0].module_name, "guest");
  EXPECT_EQ(bytes[frames[0].offset], 0x00);
  EXPECT_EQ(bytes[frames[0].offset - 1], 0x01);
  EXPECT_EQ(frames[1].function_name, "_Z6middlev");
  EXPECT_EQ(bytes[frames[1].offset], 0x10);
  EXPECT_EQ(frames[2].function_name, "outer");
  EXPECT_EQ(frames[2].function_index, 2u);
}

TEST(Backtrace, ATailCallLeavesNoFrame) {
  ModuleBuilder builder;
  const std::uint32_t type = builder.type({}, {});
  builder.function(type, {0x00});
  builder.function(type, {0x12, 0x00});
  builder.export_item("run", 0, builder.function(type, call_function(1)));
  World world;
  const Store::Results results = world.call(world.instantiate(builder.build()), "run");
  ASSERT_EQ(results.trap->backtrace.size(), 2u);
  EXPECT_EQ(results.trap->backtrace[0].function_index, 0u);
  EXPECT_EQ(results.trap->backtrace[1].function_index, 2u);
}

TEST(Backtrace, LongOnesKeepBothEnds) {
  ModuleBuilder builder;  // recursion to depth n, then unreachable
  export_function(builder, "run", {i32}, {},
                  local_get(0) + Bytes{0x45, 0x04, empty_block, 0x00, 0x0b} + local_get(0) + i32_const(1) +
                      Bytes{0x6b} + call_function(0));
  World world;
  ModuleInstance* const instance = world.instantiate(builder.build());
  const Store::Results results = world.call(instance, "run", {Value::i32(999)});
  ASSERT_TRUE(results.trap);
  EXPECT_EQ(results.trap->kind, TrapKind::Unreachable);
  EXPECT_EQ(results.trap->backtrace.size(), 2 * backtrace_end_frames);
  EXPECT_EQ(results.trap->omitted_frames, 1000 - 2 * backtrace_end_frames);
  EXPECT_NE(results.trap->backtrace[0].offset, results.trap->backtrace[1].offset);
}

TEST(Backtrace, TheWindowKeepsTheOutermostFrames) {
  ExecutionContext context;
  for (std::uint32_t i = 0; i < 200; ++i) append_frame(context, {nullptr, nullptr, i, 0});
  ASSERT_EQ(context.backtrace.size(), 2 * backtrace_end_frames);
  EXPECT_EQ(context.backtrace.front().function_index, 0u);
  EXPECT_EQ(context.backtrace[backtrace_end_frames - 1].function_index, backtrace_end_frames - 1);
  EXPECT_EQ(context.backtrace[backtrace_end_frames].function_index, 200 - backtrace_end_frames);
  EXPECT_EQ(context.backtrace.back().function_index, 199u);
  EXPECT_EQ(context.omitted_frames, 200 - 2 * backtrace_end_frames);
}

TEST(Backtrace, ExhaustionHasOne) {
  ModuleBuilder builder;
  export_function(builder, "run", {}, {}, call_function(0));
  World world;
  ModuleInstance* const instance = world.instantiate(builder.build());
  const Store::Results results = world.call(instance, "run");
  ASSERT_TRUE(results.trap);
  EXPECT_EQ(results.trap->kind, TrapKind::CallStackExhausted);
  EXPECT_EQ(results.trap->backtrace.size(), 2 * backtrace_end_frames);
  EXPECT_GT(results.trap->omitted_frames, 1000u);
}

}  // namespace
}  // namespace tfvm::test
