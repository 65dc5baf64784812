// The tree interpreter as a machine: its stack and limits, tail calls, backtraces, nested invocations, memories that
// move or are shared, interrupts and fuel. The oracle is the judge where both must agree.
#include "vm/interpreter.hpp"

#include <future>
#include <gtest/gtest.h>
#include <thread>

#include "vm/test_executors.hpp"

namespace tfvm::test {
namespace {

const Bytes loop = {0x03, empty_block}, br_0 = {0x0c, 0x00}, br_if_0 = {0x0d, 0x00};

Bytes function_import(std::uint32_t type) { return Bytes{0x00} + unsigned_leb(type); }

StoreLimits with_stack(std::uint64_t bytes) {
  StoreLimits limits;
  limits.max_stack_bytes = bytes;
  return limits;
}

// ---- the stack

/// "run" counts its calls in a global and calls itself for ever, in the given way; "depth" gives the count.
Bytes endless_recursion(const Bytes& call, std::uint32_t locals = 0) {
  ModuleBuilder builder;
  const std::uint32_t type = builder.type({}, {});
  builder.table({funcref_byte, 0x00, 1});
  builder.element(Bytes{0x00} + i32_const(0) + end + sized({0}));
  builder.global(i32, true, i32_const(0) + end);
  const Bytes count = Bytes{0x23, 0x00} + i32_const(1) + i32_add + Bytes{0x24, 0x00};
  builder.export_item("run", 0, builder.function(type, count + call, Bytes{1} + unsigned_leb(locals) + Bytes{i64}));
  export_function(builder, "depth", {}, {i32}, {0x23, 0x00});
  return builder.build();
}
const Bytes direct_call = call_function(0);
const Bytes indirect_call = i32_const(0) + Bytes{0x11, 0x00, 0x00};

TEST(Stack, ExhaustionTrapsAndLeavesTheStoreUsable) {
  for (const Bytes& call : {direct_call, indirect_call}) {
    World world;
    ModuleInstance* const instance = world.instantiate(endless_recursion(call));
    std::uint32_t before = 0;
    for (int round = 0; round < 3; ++round) {
      const Store::Results results = world.call(instance, "run");
      ASSERT_TRUE(results.trap);
      EXPECT_EQ(results.trap->to_string(), "call stack exhausted");
      const std::uint32_t depth = world.call_i32(instance, "depth");
      EXPECT_GT(depth, before + 10'000);
      before = depth;
      EXPECT_EQ(world.store.context().frame_top, world.store.context().stack_begin);
      EXPECT_EQ(world.store.context().record_top, world.store.context().stack_end);
    }
  }
}

TEST(Stack, IsAsLargeAsTheLimitSays) {
  std::uint32_t depths[3];
  const std::uint64_t sizes[] = {64 << 10, 1 << 20, 4 << 20};
  for (int i = 0; i < 3; ++i) {
    World world(with_stack(sizes[i]));
    ModuleInstance* const instance = world.instantiate(endless_recursion(direct_call, 10));
    EXPECT_EQ(world.call_trap(instance, "run"), TrapKind::CallStackExhausted);
    depths[i] = world.call_i32(instance, "depth");
    EXPECT_LT(depths[i] * std::uint64_t{10 * 8}, sizes[i]);
    EXPECT_GT(depths[i], sizes[i] / 1000);
  }
  EXPECT_NEAR(depths[1], depths[0] * 16.0, depths[1] * 0.05);
  EXPECT_NEAR(depths[2], depths[1] * 4.0, depths[2] * 0.05);
}

TEST(Stack, AFrameThatDoesNotFitTrapsBeforeItsFirstInstruction) {
  World world(with_stack(64 << 10));
  ModuleInstance* const instance = world.instantiate(endless_recursion(direct_call, 50'000));
  for (int round = 0; round < 2; ++round) {  // when it is translated, and when it was
    EXPECT_EQ(world.call_trap(instance, "run"), TrapKind::CallStackExhausted);
    EXPECT_EQ(world.call_i32(instance, "depth"), 0u);
  }
}

TEST(Stack, MayBeTiny) {
  for (const std::uint64_t bytes : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{100}, std::uint64_t{4096}}) {
    World world(with_stack(bytes));
    ModuleInstance* const instance = world.instantiate(endless_recursion(direct_call));
    EXPECT_EQ(world.call_trap(instance, "run"), TrapKind::CallStackExhausted) << bytes;
    const Store::Results results = world.call(instance, "depth");
    if (results.trap) {
      EXPECT_EQ(results.trap->kind, TrapKind::CallStackExhausted) << bytes;
    } else EXPECT_LE(results.values[0].slot.as_i32(), page_size_bytes / 16) << bytes;  // sizes are rounded up to pages
  }
}

TEST(Stack, CallsBetweenInstancesCountToo) {
  World world(with_stack(256 << 10));
  ModuleBuilder first;  // "run" calls table 0, which holds the second module's function
  const std::uint32_t type = first.type({}, {});
  first.table({funcref_byte, 0x00, 1});
  first.export_item("table", 1, 0);
  first.export_item("run", 0, first.function(type, indirect_call));
  ModuleInstance* const instance = world.instantiate(first.build());
  world.linker.define_instance("first", *instance);
  ModuleBuilder second;
  second.import("first", "run", function_import(second.type({}, {})));
  second.import("first", "table", {0x01, funcref_byte, 0x00, 1});
  second.function(0, call_function(0));
  second.element(Bytes{0x00} + i32_const(0) + end + sized({1}));
  world.instantiate(second.build());
  const Store::Results results = world.call(instance, "run");
  ASSERT_TRUE(results.trap);
  EXPECT_EQ(results.trap->kind, TrapKind::CallStackExhausted);
  EXPECT_EQ(results.trap->backtrace.size(), 2 * backtrace_end_frames);
  EXPECT_GT(results.trap->omitted_frames, 100u);
}

TEST(Stack, AMillionTailCallsBetweenInstancesNeedNone) {
  World world(with_stack(64 << 10));
  // f(n): n = 0 gives 42, else tail call of table 0; g(n): tail call of f(n - 1)
  ModuleBuilder first;
  const std::uint32_t type = first.type({i32}, {i32});
  first.table({funcref_byte, 0x00, 1});
  first.export_item("table", 1, 0);
  first.global(i32, false, i32_const(42) + end);
  first.export_item("f", 0,
                    first.function(type, local_get(0) + Bytes{0x45, 0x04, i32, 0x23, 0x00, 0x05} + local_get(0) +
                                             i32_const(0) + Bytes{0x13, 0x00, 0x00} + end));
  export_function(first, "run", {i32}, {i32, i32}, local_get(0) + call_function(0) + Bytes{0x23, 0x00});
  ModuleInstance* const instance = world.instantiate(first.build());
  world.linker.define_instance("first", *instance);
  ModuleBuilder second;
  second.import("first", "f", function_import(second.type({i32}, {i32})));
  second.import("first", "table", {0x01, funcref_byte, 0x00, 1});
  second.global(i32, false, i32_const(1) + end);
  second.function(0, local_get(0) + Bytes{0x23, 0x00} + i32_sub + Bytes{0x12, 0x00});
  second.element(Bytes{0x00} + i32_const(0) + end + sized({1}));
  world.instantiate(second.build());
  const Store::Results results = world.call(instance, "run", {Value::i32(1'000'000)});
  ASSERT_EQ(results.values.size(), 2u);
  EXPECT_EQ(results.values[0].slot.bits, 42u);
  EXPECT_EQ(results.values[1].slot.bits, 42u);  // the first instance's global again
}

TEST(Stack, TailCallsToLargerFramesAreChecked) {
  ModuleBuilder builder;  // small -> large by tail call; large does not fit
  const std::uint32_t type = builder.type({}, {i32});
  builder.function(type, i32_const(1), Bytes{1} + unsigned_leb(20'000) + Bytes{i64});
  builder.export_item("run", 0, builder.function(type, {0x12, 0x00}));
  EXPECT_EQ(run_on_both(builder.build(), {}, with_stack(1 << 20)).i32(), 1u);
  EXPECT_EQ(run_on_both(builder.build(), {}, with_stack(128 << 10)).trap, TrapKind::CallStackExhausted);
}

// ---- backtraces

TEST(TreeBacktrace, OfNestedCallsIsTheOracles) {
  const Bytes traps[] = {{0x00},
                         i32_const(1) + local_get(0) + i32_div_s + drop,
                         local_get(0) + i32_load + drop,
                         local_get(0) + i32_const(0) + i32_store,
                         local_get(0) + Bytes{0xb3, 0xa8} + drop + Bytes{0x01, 0x00}};
  for (const Bytes& trap : traps) {
    for (const std::uint32_t argument : {0u, 0xfffffff0u}) {
      ModuleBuilder builder;
      const std::uint32_t type = builder.type({i32}, {});
      builder.memory({0x00, 1});
      builder.table({funcref_byte, 0x00, 1});
      builder.element(Bytes{0x00} + i32_const(0) + end + sized({0}));
      builder.function(type, local_get(0) + i32_const(3) + i32_mul + drop + trap);
      builder.function(type, local_get(0) + i32_const(0) + Bytes{0x11, 0x00, 0x00});
      builder.function(type, Bytes{0x01} + loop + local_get(0) + call_function(1) + end);
      builder.export_item("run", 0, builder.function(type, local_get(0) + call_function(2) + Bytes{0x01}));
      const Outcome outcome = run_on_both(builder.build(), {Value::i32(argument)});
      if (outcome.trap != TrapKind::None) {
        EXPECT_EQ(outcome.frames.size(), 4u);
      }
    }
  }
}

TEST(TreeBacktrace, OfATreeNamesThePartThatTraps) {
  // load(a) + load(b) / load(c), all in one tree; mem[0] = 0, mem[4] = 1
  const Bytes tree = local_get(0) + i32_load + local_get(1) + i32_load + local_get(2) + i32_load + i32_div_s + i32_add;
  const Bytes setup = i32_const(4) + i32_const(1) + i32_store;
  const std::uint32_t outside = 0xffff'0000;
  const std::vector<Value> cases[] = {{Value::i32(4), Value::i32(4), Value::i32(4)},
                                      {Value::i32(outside), Value::i32(4), Value::i32(0)},
                                      {Value::i32(4), Value::i32(4), Value::i32(0)},
                                      {Value::i32(0), Value::i32(0), Value::i32(0)}};
  for (const bool guarded : {true, false}) {
    for (const std::vector<Value>& arguments : cases) {
      ModuleBuilder builder;
      builder.memory({0x00, 1});
      export_function(builder, "run", {i32, i32, i32}, {i32}, setup + tree);
      StoreLimits limits;
      limits.allow_guarded_memory = guarded;
      const Outcome outcome = run_on_both(builder.build(), arguments, limits);
      EXPECT_EQ(outcome.frames.size(), outcome.trap == TrapKind::None ? 0u : 1u);
    }
  }
}

TEST(TreeBacktrace, OfDeepRecursionKeepsBothEnds) {
  ModuleBuilder builder;  // 0 calls 1 calls 0 ... until n is 0
  const std::uint32_t type = builder.type({i32}, {});
  const Bytes next = local_get(0) + i32_const(1) + i32_sub;
  builder.function(type, local_get(0) + Bytes{0x45, 0x04, empty_block, 0x00} + end + next + call_function(1));
  builder.function(type, Bytes{0x01} + next + call_function(0) + Bytes{0x01, 0x01});
  builder.export_item("run", 0, builder.function(type, local_get(0) + call_function(0)));
  for (const std::uint32_t depth : {62u, 64u, 1000u, 10'000u}) {
    const Outcome outcome = run_on_both(builder.build(), {Value::i32(depth)});
    EXPECT_EQ(outcome.trap, TrapKind::Unreachable);
    EXPECT_EQ(outcome.frames.size() + outcome.omitted_frames, depth + 2);
    EXPECT_LE(outcome.frames.size(), 2 * backtrace_end_frames);
    EXPECT_EQ(outcome.frames.back().first, 2u);
  }
}

TEST(TreeBacktrace, CrossesInstancesAndHostFunctions) {
  ModuleBuilder inner;
  export_function(inner, "fail", {i32}, {i32}, i32_const(1) + local_get(0) + i32_div_s);
  ModuleBuilder outer;
  const std::uint32_t type = outer.type({i32}, {i32});
  outer.import("inner", "fail", function_import(type));
  outer.import("env", "fail", function_import(type));
  outer.function(type, local_get(0) + call_function(0));
  outer.export_item("run", 0, outer.function(type, local_get(0) + call_function(2) + call_function(1)) + 2);
  const auto prepare = [&](World& world) {
    world.linker.define_host_function("env", "fail", {{ValueKind::I32}, {ValueKind::I32}}, [](Caller&, Slot*) {
      return HostOutcome::trap(TrapKind::HostFunctionFailed, "no");
    });
    world.linker.define_instance("inner", *world.instantiate(inner.build()));
  };
  Outcome outcome = run_on_both(outer.build(), {Value::i32(0)}, {}, prepare);
  EXPECT_EQ(outcome.trap, TrapKind::IntegerDivideByZero);
  EXPECT_EQ(outcome.frames.size(), 3u);
  outcome = run_on_both(outer.build(), {Value::i32(1)}, {}, prepare);
  EXPECT_EQ(outcome.trap, TrapKind::HostFunctionFailed);
  EXPECT_EQ(outcome.frames.size(), 2u);
}

// ---- nested invocations

/// "run"(x) = x * 1000 + host(x) with the product pending across the call; "inner"(x) = 7 / x; x + 1 if memory has it.
Bytes nesting_module() {
  ModuleBuilder builder;
  const std::uint32_t type = builder.type({i32}, {i32});
  builder.import("env", "back", function_import(type));
  builder.memory({0x00, 1});
  export_function(builder, "inner", {i32}, {i32}, i32_const(7) + local_get(0) + i32_div_s, 1);
  const Bytes hot = loop + local_get(1) + i32_const(2) + i32_mul + local_set(1) + local_get(2) +
                    Bytes{0x44, 0, 0, 0, 0, 0, 0, 0xf8, 0x3f, 0xa2} + local_set(2) + local_get(3) + local_get(0) +
                    i32_const(1000) + i32_mul + local_get(0) + call_function(0) + i32_add + i32_add + local_set(3) +
                    local_get(1) + i32_const(64) + Bytes{0x48} + br_if_0 + end;
  const std::uint32_t run = builder.function(
      type,
      i32_const(1) + local_set(1) + hot + local_get(3) + local_get(1) + i32_add + local_get(2) + Bytes{0xaa} + i32_add,
      {3, 1, i32, 1, f64, 1, i32});
  builder.export_item("run", 0, run + 1);
  return builder.build();
}

TEST(NestedInvocation, KeepsTheOuterFrame) {
  const Outcome outcome = run_on_both(nesting_module(), {Value::i32(2)}, {}, [](World& world) {
    world.linker.define_function("env", "back", [&world](Caller& caller, std::int32_t x) {
      const Store::Results results =
          world.call(caller.instance(), "inner", {Value::i32(static_cast<std::uint32_t>(x))});
      return static_cast<std::int32_t>(results.values.at(0).slot.as_i32());
    });
  });
  EXPECT_EQ(outcome.i32(), 6 * (2000u + 3) + 64);
}

TEST(NestedInvocation, TrapsInsideMayBeCaughtByTheHost) {
  const Outcome outcome = run_on_both(nesting_module(), {Value::i32(0)}, {}, [](World& world) {
    world.linker.define_function("env", "back", [&world](Caller& caller, std::int32_t) {
      const Store::Results results = world.call(caller.instance(), "inner", {Value::i32(0)});
      EXPECT_EQ(results.trap->kind, TrapKind::IntegerDivideByZero);
      EXPECT_EQ(results.trap->backtrace.size(), 1u);  // of the inner invocation alone
      return 5;
    });
  });
  EXPECT_EQ(outcome.i32(), 6 * 5u + 64);
}

TEST(NestedInvocation, TrapsPassThroughBothLevels) {
  for (const std::uint32_t argument : {0u, 1u}) {
    const Outcome outcome = run_on_both(nesting_module(), {Value::i32(argument)}, {}, [](World& world) {
      world.linker.define_host_function(
          "env", "back", {{ValueKind::I32}, {ValueKind::I32}}, [&world](Caller& caller, Slot* slots) {
            const Store::Results results = world.call(caller.instance(), "inner", {Value::i32(slots[0].as_i32())});
            if (results.trap) return HostOutcome::trap(results.trap->kind, "inside");
            return HostOutcome::ok();
          });
    });
    EXPECT_EQ(outcome.trap, argument == 0 ? TrapKind::IntegerDivideByZero : TrapKind::None);
    if (argument == 0) {  // the host function, and who called it
      EXPECT_EQ(outcome.frames.size(), 2u);
    }
  }
}

TEST(NestedInvocation, StackOfBothLevelsIsBounded) {
  World world(with_stack(256 << 10));
  ModuleBuilder builder;
  builder.import("env", "back", function_import(builder.type({}, {})));
  export_function(builder, "endless", {}, {}, call_function(1), 1);
  export_function(builder, "run", {}, {}, call_function(0), 1);
  TrapKind inner = TrapKind::None;
  world.linker.define_function("env", "back",
                               [&](Caller& caller) { inner = world.call_trap(caller.instance(), "endless"); });
  ModuleInstance* const instance = world.instantiate(builder.build());
  EXPECT_EQ(world.call_trap(instance, "run"), TrapKind::None);
  EXPECT_EQ(inner, TrapKind::CallStackExhausted);
  EXPECT_EQ(world.call_trap(instance, "run"), TrapKind::None);
}

// ---- memories

TEST(Memories, GrownByACallOfAnyKindAreSeenAfterIt) {
  for (const bool guarded : {true, false}) {
    ModuleBuilder owner;  // owns the memory; "grow" grows it and writes behind its old end
    const std::uint32_t type = owner.type({}, {});
    owner.memory({0x01, 1, 20});
    owner.export_item("memory", 2, 0);
    owner.export_item("grow", 0,
                      owner.function(type, i32_const(3) + Bytes{0x40, 0x00} + i32_const(16) + Bytes{0x74} +
                                               i32_const(77) + i32_store));
    ModuleBuilder user;  // imports memory and function, calls it in all ways; reads what was written, before and after
    const std::uint32_t user_type = user.type({}, {});
    user.import("owner", "grow", function_import(user_type));
    user.import("env", "grow", function_import(user_type));
    user.import("owner", "memory", {0x02, 0x01, 1, 20});
    user.table({funcref_byte, 0x00, 2});
    user.element(Bytes{0x00} + i32_const(0) + end + sized({0, 1}));
    const std::uint32_t tail = user.function(user_type, {0x12, 0x00}) + 2;
    Bytes code = i32_const(8) + i32_const(5) + i32_store;
    Bytes sum = i32_const(8) + i32_load;
    const Bytes calls[] = {call_function(0), call_function(1), i32_const(0) + Bytes{0x11, 0x00, 0x00},
                           i32_const(1) + Bytes{0x11, 0x00, 0x00}, call_function(tail)};
    std::uint32_t pages = 1;
    for (const Bytes& call : calls) {
      code = code + call + sum + i32_const(8) + i32_const(6) + i32_store + drop;
      sum = sum + i32_const(std::int64_t{pages} * 65536) + i32_load + i32_add;
      pages += 3;
    }
    export_function(user, "run", {}, {i32}, code + sum, 2);
    StoreLimits limits;
    limits.allow_guarded_memory = guarded;
    const Outcome outcome = run_on_both(user.build(), {}, limits, [&](World& world) {
      world.linker.define_function("env", "grow", [](Caller& caller) {
        MemoryInstance& memory = *caller.instance()->memories[0];
        const std::uint64_t old_size = memory.size;
        memory.grow(3);
        EXPECT_TRUE(GuestMemory(memory).store(old_size, std::uint32_t{77}));
      });
      world.linker.define_instance("owner", *world.instantiate(owner.build()));
    });
    EXPECT_EQ(outcome.i32(), 6u + 5 * 77);
  }
}

TEST(Memories, SharedByTwoInstancesAreOne) {
  for (const bool guarded : {true, false}) {
    ModuleBuilder owner;
    owner.memory({0x00, 1});
    owner.export_item("memory", 2, 0);
    export_function(owner, "read", {i32}, {i32}, local_get(0) + i32_load);
    ModuleBuilder user;
    user.import("owner", "memory", {0x02, 0x00, 1});
    user.memory({0x00, 1});  // a second memory of its own, which must stay apart
    export_function(user, "write", {i32, i32}, {i32},
                    local_get(0) + local_get(1) + i32_store + local_get(0) + Bytes{0x28, 0x42, 0x01, 0x00});
    StoreLimits limits;
    limits.allow_guarded_memory = guarded;
    World world(limits);
    ModuleInstance* const reader = world.instantiate(owner.build());
    world.linker.define_instance("owner", *reader);
    ModuleInstance* const writer = world.instantiate(user.build());
    ASSERT_NE(writer, nullptr);
    EXPECT_EQ(world.call_i32(writer, "write", {Value::i32(100), Value::i32(4321)}), 0u);
    EXPECT_EQ(world.call_i32(reader, "read", {Value::i32(100)}), 4321u);
    reader->memories[0]->grow(1);
    // The store goes to the grown memory; the load behind it finds the other one short.
    EXPECT_EQ(world.call_trap(writer, "write", {Value::i32(65536), Value::i32(9)}), TrapKind::OutOfBoundsMemoryAccess);
    EXPECT_EQ(world.call_i32(reader, "read", {Value::i32(65536)}), 9u);
  }
}

// ---- interrupts and fuel

TEST(Interruption, EndsWhateverTheGuestDoesInItsLoop) {
  const Bytes bodies[] = {{},
                          local_get(0) + i32_const(1) + i32_add + local_set(0),
                          i32_const(0) + i32_const(0) + i32_load + i32_const(1) + i32_add + i32_store,
                          i32_const(1) + call_function(1) + drop,
                          i32_const(0) + Bytes{0x40, 0x00} + drop,
                          local_get(0) + local_set(1) + Bytes{0x44, 0, 0, 0, 0, 0, 0, 0xf8, 0x3f, 0x9f, 0x1a}};
  for (const Bytes& body : bodies) {
    World world;
    std::promise<void> runs;
    world.linker.define_function("env", "runs", [&] { runs.set_value(); });
    ModuleBuilder builder;
    builder.import("env", "runs", function_import(builder.type({}, {})));
    builder.memory({0x00, 1});
    export_function(builder, "double", {i32}, {i32}, local_get(0) + local_get(0) + i32_add, 1);
    builder.export_item("run", 0, builder.function(0, call_function(0) + loop + body + br_0 + end, {1, 2, i32}) + 1);
    ModuleInstance* const instance = world.instantiate(builder.build());
    ASSERT_NE(instance, nullptr);
    std::thread other([&] {
      runs.get_future().wait();
      world.store.interrupt(TrapKind::DeadlineExceeded);
    });
    EXPECT_EQ(world.call_trap(instance, "run"), TrapKind::DeadlineExceeded);
    other.join();
    EXPECT_EQ(world.call_i32(instance, "double", {Value::i32(4)}), 8u);
  }
}

TEST(Interruption, ReachesANestedInvocation) {
  World world;
  std::promise<void> runs;
  TrapKind inner = TrapKind::None;
  world.linker.define_function("env", "back", [&](Caller& caller) {
    runs.set_value();
    inner = world.call_trap(caller.instance(), "endless");
  });
  ModuleBuilder builder;
  builder.import("env", "back", function_import(builder.type({}, {})));
  export_function(builder, "endless", {}, {}, loop + br_0 + end, 1);
  export_function(builder, "run", {}, {}, call_function(0) + loop + br_0 + end, 1);
  export_function(builder, "quick", {}, {i32}, i32_const(3), 1);
  ModuleInstance* const instance = world.instantiate(builder.build());
  std::thread other([&] {
    runs.get_future().wait();
    world.store.interrupt();
  });
  EXPECT_EQ(world.call_trap(instance, "run"), TrapKind::Interrupted);  // not only the inner one
  other.join();
  EXPECT_EQ(inner, TrapKind::Interrupted);
  EXPECT_EQ(world.call_i32(instance, "quick"), 3u);
}

TEST(FuelOfBoth, APendingTrapComesBeforeTheChargeOfTheNextRegion) {
  ModuleBuilder builder;
  builder.memory({0x00, 1});
  const Bytes if_true = i32_const(1) + Bytes{0x04, empty_block};
  export_function(builder, "run", {}, {}, i32_const(-1) + i32_load + if_true + Bytes{0x01} + end + drop);
  StoreLimits limits;
  for (std::uint64_t fuel = 0; fuel <= 10; ++fuel) {
    limits.fuel = fuel;
    // all but the nop, which is a region of its own and never reached
    EXPECT_EQ(run_on_both(builder.build(), {}, limits).trap,
              fuel < 7 ? TrapKind::OutOfFuel : TrapKind::OutOfBoundsMemoryAccess);
  }
}

TEST(FuelOfBoth, RunsOutAtTheSamePlaceWhateverTheAmount) {
  ModuleBuilder builder;
  builder.memory({0x00, 1});
  // write(n): memory[4 * n] = n; run(): loops, branches, calls and stores, then a load that traps
  export_function(builder, "write", {i32}, {}, local_get(0) + i32_const(4) + i32_mul + local_get(0) + i32_store);
  const Bytes body = local_get(0) + i32_const(1) + Bytes{0x71, 0x04, empty_block} + local_get(0) + call_function(0) +
                     Bytes{0x05} + i32_const(0) + local_get(0) + i32_store + end;
  export_function(
      builder, "run", {i32}, {i32},
      loop + body + local_get(0) + i32_const(1) + i32_sub + local_tee(0) + br_if_0 + end + i32_const(-1) + i32_load);
  const Bytes module = builder.build();
  StoreLimits limits;
  limits.fuel = 1'000'000;
  const Outcome whole = run_on_both(module, {Value::i32(5)}, limits);
  EXPECT_EQ(whole.trap, TrapKind::OutOfBoundsMemoryAccess);
  const std::uint64_t needed = *limits.fuel - whole.fuel;
  EXPECT_GT(needed, 50u);
  for (std::uint64_t fuel = 0; fuel <= needed + 1; ++fuel) {
    limits.fuel = fuel;
    const Outcome outcome = run_on_both(module, {Value::i32(5)}, limits);
    EXPECT_EQ(outcome.trap, fuel < needed ? TrapKind::OutOfFuel : TrapKind::OutOfBoundsMemoryAccess) << fuel;
    if (fuel >= needed) {
      EXPECT_EQ(outcome.fuel, fuel - needed);
    }
  }
}

}  // namespace
}  // namespace tfvm::test
