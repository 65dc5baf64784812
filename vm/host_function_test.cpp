// Host functions: signatures from C++, many parameters and results both ways, exceptions, exits, calls back into
// guests.
#include "vm/host_function.hpp"

#include <gtest/gtest.h>
#include <stdexcept>

#include "vm/test_instance.hpp"

namespace tfvm::test {
namespace {

/// A module that imports env.f of the given type and exports it as "direct" and a function that calls it as "f".
Bytes forwarding_module(const Bytes& params, const Bytes& results) {
  ModuleBuilder builder;
  const std::uint32_t type = builder.type(params, results);
  builder.import("env", "f", Bytes{0x00} + unsigned_leb(type));
  Bytes code;
  for (std::uint32_t i = 0; i < params.size(); ++i) code = code + local_get(i);
  builder.export_item("direct", 0, 0);
  builder.export_item("f", 0, builder.function(type, code + call_function(0)) + 1);
  builder.memory({0x00, 1});
  return builder.build();
}

std::int32_t add_one(std::int32_t value) { return value + 1; }

TEST(HostFunction, SignaturesAreDeduced) {
  EXPECT_EQ(to_string(make_host_function([](std::int32_t, std::uint64_t, float, double) {}).first),
            "(i32, i64, f32, f64) -> ()");
  EXPECT_EQ(to_string(make_host_function(&add_one).first), "(i32) -> (i32)");
  EXPECT_EQ(to_string(make_host_function([](Caller&) { return std::tuple<float, std::int64_t>{}; }).first),
            "() -> (f32, i64)");
  EXPECT_EQ(to_string(make_host_function([](Caller&, std::uint32_t) { return HostOutcome::ok(); }).first),
            "(i32) -> ()");
}

TEST(HostFunction, TypedValuesGoBothWays) {
  World world;
  world.linker.define_function("env", "f", [](std::int32_t a, std::int64_t b, float c, double d) {
    return std::tuple<double, float, std::int64_t, std::int32_t>{d + 1, c + 1, b + 1, a + 1};
  });
  ModuleInstance* const instance = world.instantiate(forwarding_module({i32, i64, f32, f64}, {f64, f32, i64, i32}));
  for (const char* name : {"f", "direct"}) {
    const Store::Results results =
        world.call(instance, name, {Value::i32(UINT32_MAX), Value::i64(1), Value::f32(2.5F), Value::f64(3.5)});
    ASSERT_EQ(results.values.size(), 4u) << name;
    EXPECT_EQ(results.values[0].slot.as_f64(), 4.5);
    EXPECT_EQ(results.values[1].slot.as_f32(), 3.5F);
    EXPECT_EQ(results.values[2].slot.as_i64(), 2u);
    EXPECT_EQ(results.values[3].slot.bits, 0u);
  }
}

TEST(HostFunction, AnyNumberOfParametersAndResults) {
  for (const std::size_t count : {0u, 1u, 2u, 127u, 128u, 129u, 500u, 1000u}) {
    World world;
    FunctionType type;
    type.params.assign(count, ValueKind::I64);
    type.results.assign(1000 - count, ValueKind::I64);
    world.linker.define_host_function("env", "f", type, [count](Caller&, Slot* slots) {
      std::uint64_t sum = 0;
      for (std::size_t i = 0; i < count; ++i) sum += slots[i].bits * (i + 1);
      for (std::size_t i = 0; i < 1000 - count; ++i) slots[i] = Slot::i64(sum + i);
      return HostOutcome::ok();
    });
    ModuleInstance* const instance = world.instantiate(forwarding_module(Bytes(count, i64), Bytes(1000 - count, i64)));
    std::vector<Value> arguments;
    std::uint64_t sum = 0;
    for (std::uint64_t i = 0; i < count; ++i) {
      arguments.push_back(Value::i64(i * 3));
      sum += i * 3 * (i + 1);
    }
    for (const char* name : {"f", "direct"}) {
      const Store::Results results = world.store.call(*Store::find_export(*instance, name)->function, arguments);
      ASSERT_FALSE(results.trap) << results.trap->to_string();
      ASSERT_EQ(results.values.size(), 1000 - count);
      for (std::size_t i = 0; i < results.values.size(); ++i) EXPECT_EQ(results.values[i].slot.bits, sum + i);
    }
  }
}

TEST(HostFunction, UpperHalvesOfResultsAreCleared) {
  World world;
  world.linker.define_host_function("env", "f", {{}, {ValueKind::I32}}, [](Caller&, Slot* slots) {
    slots[0].bits = 0xffffffff00000001;
    return HostOutcome::ok();
  });
  ModuleInstance* const instance = world.instantiate(forwarding_module({}, {i32}));
  EXPECT_EQ(world.call(instance, "f").values[0].slot.bits, 1u);
  EXPECT_EQ(world.call(instance, "direct").values[0].slot.bits, 1u);
}

TEST(HostFunction, ExceptionsBecomeTraps) {
  World world;
  bool throws_number = false;
  world.linker.define_function("env", "f", [&] {
    if (throws_number) throw 5;
    throw std::runtime_error("disk on fire");
  });
  ModuleInstance* const instance = world.instantiate(forwarding_module({}, {}));
  for (const char* name : {"f", "direct"}) {
    throws_number = false;
    const Store::Results results = world.call(instance, name);
    ASSERT_TRUE(results.trap);
    EXPECT_EQ(results.trap->kind, TrapKind::HostFunctionFailed);
    EXPECT_EQ(results.trap->message, "disk on fire");
    throws_number = true;
    EXPECT_EQ(world.call_trap(instance, name), TrapKind::HostFunctionFailed);
  }
}

TEST(HostFunction, TrapsAndExitsEndTheGuest) {
  World world;
  HostOutcome next;
  world.linker.define_function("env", "f", [&] { return next; });
  ModuleInstance* const instance = world.instantiate(forwarding_module({}, {}));
  next = HostOutcome::exit(3);
  Store::Results results = world.call(instance, "f");
  ASSERT_TRUE(results.trap);
  EXPECT_EQ(results.trap->kind, TrapKind::Exit);
  EXPECT_EQ(results.trap->exit_code, 3);
  next = HostOutcome::trap(TrapKind::OutOfMemory, "too much");
  results = world.call(instance, "f");
  EXPECT_EQ(results.trap->to_string(), "the host has no memory left for the guest: too much");
  ASSERT_EQ(results.trap->backtrace.size(), 2u);
  EXPECT_TRUE(results.trap->backtrace[0].is_host);
  EXPECT_EQ(results.trap->backtrace[0].function_name, "env.f");
  EXPECT_EQ(results.trap->backtrace[1].function_index, 1u);
  next = HostOutcome::ok();
  EXPECT_EQ(world.call_trap(instance, "f"), TrapKind::None);
}

TEST(HostFunction, CallerSeesMemoryAndInstance) {
  World world;
  ModuleInstance* seen = nullptr;
  std::uint64_t size = 0;
  world.linker.define_function("env", "f", [&](Caller& caller) {
    seen = caller.instance();
    size = caller.memory().size();
  });
  ModuleInstance* const instance = world.instantiate(forwarding_module({}, {}));
  EXPECT_EQ(world.call_trap(instance, "f"), TrapKind::None);
  EXPECT_EQ(seen, instance);
  EXPECT_EQ(size, page_size_bytes);
  EXPECT_EQ(world.call_trap(instance, "direct"), TrapKind::None);
  EXPECT_EQ(seen, nullptr);
  EXPECT_EQ(size, 0u);
}

TEST(HostFunction, MemoryGrownInsideACallIsSeenAfterwards) {
  for (const bool guarded : {true, false}) {
    StoreLimits limits;
    limits.allow_guarded_memory = guarded;
    World world(limits);
    world.linker.define_function("env", "grow", [](Caller& caller) {
      caller.instance()->memories[0]->grow(1);
      return caller.memory().store(page_size_bytes, std::uint32_t{4321}) ? 1 : 0;
    });
    ModuleBuilder builder;
    builder.import("env", "grow", Bytes{0x00} + unsigned_leb(builder.type({}, {i32})));
    builder.memory({0x00, 1});
    export_function(builder, "run", {}, {i32},
                    i32_const(0) + i32_const(5) + Bytes{0x36, 0x02, 0x00} + call_function(0) + Bytes{0x1a} +
                        i32_const(65536) + Bytes{0x28, 0x02, 0x00} + i32_const(0) + Bytes{0x28, 0x02, 0x00, 0x6a},
                    1);
    ModuleInstance* const instance = world.instantiate(builder.build());
    EXPECT_EQ(world.call_i32(instance, "run"), 4326u);
  }
}

TEST(HostFunction, NestedInvocationsAreLimitedAndRecoverable) {
  World world;
  ModuleInstance* instance = nullptr;
  std::uint32_t depth = 0;
  world.linker.define_function("env", "f", [&](std::int32_t wanted) -> HostOutcome {
    depth = std::max(depth, world.store.context().nesting);
    if (wanted == 0) return HostOutcome::ok();
    const Store::Results results = world.call(instance, "f", {Value::i32(static_cast<std::uint32_t>(wanted - 1))});
    return results.trap ? HostOutcome::trap(results.trap->kind, results.trap->message) : HostOutcome::ok();
  });
  instance = world.instantiate(forwarding_module({i32}, {}));
  EXPECT_EQ(world.call_trap(instance, "f", {Value::i32(50)}), TrapKind::None);
  EXPECT_EQ(depth, 51u);
  EXPECT_EQ(world.call_trap(instance, "f", {Value::i32(1000)}), TrapKind::CallStackExhausted);
  EXPECT_EQ(world.store.context().nesting, 0u);
  EXPECT_EQ(world.call_trap(instance, "f", {Value::i32(50)}), TrapKind::None);
}

TEST(HostFunction, WrongArgumentsAreRefusedBeforeTheCall) {
  World world;
  int calls = 0;
  world.linker.define_function("env", "f", [&](std::int32_t) { ++calls; });
  ModuleInstance* const instance = world.instantiate(forwarding_module({i32}, {}));
  EXPECT_EQ(world.call_trap(instance, "f"), TrapKind::HostFunctionFailed);
  EXPECT_EQ(world.call_trap(instance, "f", {Value::i64(1)}), TrapKind::HostFunctionFailed);
  EXPECT_EQ(calls, 0);
}

}  // namespace
}  // namespace tfvm::test
