// Linker: names, replacement, lists of what is missing, import matching against the present state of externals.
#include <gtest/gtest.h>

#include "vm/test_instance.hpp"

namespace tfvm::test {
namespace {

const Bytes one_page = {0x00, 1};

External memory_external(MemoryInstance* memory) {
  External external;
  external.kind = ExternKind::Memory;
  external.memory = memory;
  return external;
}

bool links(World& world, const Bytes& bytes, std::string* message = nullptr) {
  auto result = world.linker.try_instantiate(world.load(bytes));
  if (result) return true;
  EXPECT_EQ(result.error().kind, ErrorKind::Unlinkable);
  if (message != nullptr) *message = result.error().message;
  return false;
}

TEST(Linker, ListsEveryMissingImportWithItsType) {
  ModuleBuilder builder;
  builder.import("env", "add", Bytes{0x00} + unsigned_leb(builder.type({i32, i64}, {f32})));
  builder.import("env", "memory", {0x02, 0x01, 1, 2});
  builder.import("env", "known", Bytes{0x03, i32, 0x00});
  builder.import("env", "counter", Bytes{0x03, i64, 0x01});
  builder.import("env", "table", {0x01, funcref_byte, 0x00, 3});
  World world;
  External known;
  known.kind = ExternKind::Global;
  known.global = world.store.new_global({ValueKind::I32, false}, Slot::i32(1));
  world.linker.define("env", "known", known);
  std::string message;
  EXPECT_FALSE(links(world, builder.build(), &message));
  EXPECT_EQ(message,
            "unknown import: 4 are missing:\n"
            "  env.add: function (i32, i64) -> (f32)\n"
            "  env.memory: memory 1..2 pages\n"
            "  env.counter: global mut i64\n"
            "  env.table: table 3.. of funcref");
}

TEST(Linker, LaterDefinitionReplacesAnEarlierOne) {
  ModuleBuilder builder;
  builder.import("env", "f", Bytes{0x00} + unsigned_leb(builder.type({}, {i32})));
  builder.export_item("g", 0, 0);
  World world;
  world.linker.define_function("env", "f", [] { return std::int32_t{1}; });
  world.linker.define_function("env", "f", [] { return std::int32_t{2}; });
  ModuleInstance* const instance = world.instantiate(builder.build());
  EXPECT_EQ(world.call_i32(instance, "g"), 2u);
}

TEST(Linker, FunctionTypesMustMatch) {
  ModuleBuilder builder;
  builder.import("env", "f", Bytes{0x00} + unsigned_leb(builder.type({i32}, {i32})));
  World world;
  world.linker.define_function("env", "f", [](std::int64_t) { return std::int32_t{1}; });
  std::string message;
  EXPECT_FALSE(links(world, builder.build(), &message));
  EXPECT_EQ(message, "incompatible import type: env.f: wanted function (i32) -> (i32), given function (i64) -> (i32)");
}

TEST(Linker, KindsMustMatch) {
  ModuleBuilder builder;
  builder.import("env", "f", Bytes{0x00} + unsigned_leb(builder.type({}, {})));
  World world;
  world.linker.define("env", "f", memory_external(*world.store.new_memory({})));
  EXPECT_FALSE(links(world, builder.build()));
}

TEST(Linker, LimitsAreComparedWithThePresentSize) {
  ModuleBuilder wants_two;
  wants_two.import("env", "memory", {0x02, 0x00, 2});
  World world;
  MemoryType type;
  type.limits = {1, 5, true};
  MemoryInstance* const memory = *world.store.new_memory(type);
  world.linker.define("env", "memory", memory_external(memory));
  EXPECT_FALSE(links(world, wants_two.build()));
  memory->grow(1);
  EXPECT_TRUE(links(world, wants_two.build()));
  ModuleBuilder wants_maximum;
  wants_maximum.import("env", "memory", {0x02, 0x01, 1, 4});
  EXPECT_FALSE(links(world, wants_maximum.build()));
  ModuleBuilder wants_wide_addresses;
  wants_wide_addresses.import("env", "memory", {0x02, 0x04, 1});
  EXPECT_FALSE(links(world, wants_wide_addresses.build()));
}

TEST(Linker, MutabilityOfGlobalsMustMatch) {
  World world;
  External external;
  external.kind = ExternKind::Global;
  external.global = world.store.new_global({ValueKind::I32, true}, Slot::i32(1));
  world.linker.define("env", "g", external);
  ModuleBuilder immutable;
  immutable.import("env", "g", Bytes{0x03, i32, 0x00});
  EXPECT_FALSE(links(world, immutable.build()));
  ModuleBuilder is_mutable;
  is_mutable.import("env", "g", Bytes{0x03, i32, 0x01});
  EXPECT_TRUE(links(world, is_mutable.build()));
}

TEST(Linker, ExportsOfOneInstanceAreImportsOfAnother) {
  ModuleBuilder exporter;
  exporter.memory(one_page);
  exporter.export_item("memory", 2, 0);
  export_function(exporter, "load", {}, {i32}, i32_const(8) + Bytes{0x28, 0x02, 0x00});
  World world;
  ModuleInstance* const first = world.instantiate(exporter.build());
  world.linker.define_instance("first", *first);

  ModuleBuilder importer;
  importer.import("first", "memory", Bytes{0x02} + one_page);
  importer.import("first", "load", Bytes{0x00} + unsigned_leb(importer.type({}, {i32})));
  export_function(importer, "run", {}, {i32},
                  i32_const(8) + i32_const(1234) + Bytes{0x36, 0x02, 0x00} + call_function(0), 1);
  ModuleInstance* const second = world.instantiate(importer.build());
  EXPECT_EQ(world.call_i32(second, "run"), 1234u);
  EXPECT_EQ(first->memories[0], second->memories[0]);
}

TEST(Linker, ModulesOfAnotherEngineAreRefused) {
  Engine other;
  World world;
  ModuleBuilder builder;
  builder.memory(one_page);
  const auto result = world.linker.try_instantiate(*other.load(builder.build()));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, ErrorKind::Unlinkable);
}

TEST(Linker, ExternalsOfAnotherStoreAreRefused) {
  World world;
  Store other(world.engine);
  world.linker.define("env", "memory", memory_external(*other.new_memory({})));
  ModuleBuilder builder;
  builder.import("env", "memory", {0x02, 0x00, 0});
  EXPECT_FALSE(links(world, builder.build()));
}

TEST(Linker, TypedFunctionsCheckTheirSignature) {
  ModuleBuilder builder;
  export_function(builder, "add", {i32, i32}, {i32}, local_get(0) + local_get(1) + Bytes{0x6a});
  World world;
  auto instance = world.linker.instantiate(world.load(builder.build()));
  ASSERT_TRUE(instance);
  auto add = instance->get_function<std::int32_t(std::int32_t, std::int32_t)>("add");
  ASSERT_TRUE(add);
  const auto outcome = (*add)(40, 2);
  ASSERT_TRUE(outcome.ok());
  EXPECT_EQ(outcome.value, 42);
  EXPECT_FALSE(instance->get_function<std::int64_t(std::int32_t, std::int32_t)>("add"));
  EXPECT_FALSE(instance->get_function<void()>("nothing"));
}

}  // namespace
}  // namespace tfvm::test
