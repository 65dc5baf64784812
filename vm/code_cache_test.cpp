// CodeCache: functions are translated at their first call, once for all instances and threads, and once a variant.
#include "vm/code_cache.hpp"

#include <atomic>
#include <gtest/gtest.h>
#include <thread>
#include <vector>

#include "vm/test_instance.hpp"

namespace tfvm::test {
namespace {

/// "first" and "second" give 1 and 2; "both" calls both; "load" reads memory.
Bytes module_bytes() {
  ModuleBuilder builder;
  builder.memory({0x00, 1});
  export_function(builder, "first", {}, {i32}, i32_const(1));
  export_function(builder, "second", {}, {i32}, i32_const(2));
  export_function(builder, "both", {}, {i32}, call_function(0) + call_function(1) + Bytes{0x6a});
  export_function(builder, "load", {i32}, {i32}, local_get(0) + Bytes{0x28, 0x02, 0x00});
  return builder.build();
}

/// A store of its own for a module that others load, too.
struct OwnStore {
  explicit OwnStore(const Engine& engine, StoreLimits limits = {}) : store(engine, limits), linker(store) {}
  ModuleInstance* instantiate(const std::shared_ptr<const LoadedModule>& module) {
    return linker.try_instantiate(module)->instance;
  }
  std::uint32_t call(ModuleInstance* instance, std::string_view name, std::initializer_list<Value> arguments = {}) {
    const Store::Results results = store.call(*Store::find_export(*instance, name)->function, arguments);
    return results.values.empty() ? 0xdeadbeef : results.values[0].slot.as_i32();
  }
  Store store;
  Linker linker;
};

FunctionCode* code_of(ModuleInstance* instance, std::string_view name) {
  return Store::find_export(*instance, name)->function->code;
}

TEST(CodeCacheTest, FunctionsAreTranslatedAtTheirFirstCall) {
  World world;
  const auto module = world.load(module_bytes());
  ModuleInstance* const instance = world.linker.try_instantiate(module)->instance;
  const CodeCache& cache = module->code();
  EXPECT_EQ(cache.statistics().functions, 0u);
  EXPECT_EQ(world.call_i32(instance, "first"), 1u);
  EXPECT_EQ(cache.statistics().functions, 1u);
  const CodeCache::Statistics before = cache.statistics();
  EXPECT_EQ(world.call_i32(instance, "first"), 1u);
  EXPECT_EQ(cache.statistics().code_bytes, before.code_bytes);
  EXPECT_EQ(world.call_i32(instance, "both"), 3u);
  EXPECT_EQ(cache.statistics().functions, 3u);
  EXPECT_GT(cache.statistics().code_bytes, before.code_bytes);
  EXPECT_EQ(cache.statistics().wasm_bytes,
            module->module().functions[0].body.size * 2 + module->module().functions[2].body.size);
}

TEST(CodeCacheTest, InstancesInTwoStoresShareTheirCode) {
  const Engine engine;
  const auto module = *engine.load(module_bytes());
  OwnStore one(engine);
  OwnStore two(engine);
  ModuleInstance* const first = one.instantiate(module);
  ModuleInstance* const second = two.instantiate(module);
  EXPECT_EQ(one.call(first, "both"), 3u);
  const std::size_t code_bytes = module->code().statistics().code_bytes;
  EXPECT_EQ(two.call(second, "both"), 3u);
  EXPECT_EQ(module->code().statistics().functions, 3u);
  EXPECT_EQ(module->code().statistics().code_bytes, code_bytes);
  EXPECT_EQ(code_of(first, "both"), code_of(second, "both"));
}

TEST(CodeCacheTest, VariantsDifferByFuelAndKindOfMemory) {
  const Engine engine;
  const auto module = *engine.load(module_bytes());
  std::vector<const std::uint8_t*> codes;
  for (const bool counts_fuel : {false, true}) {
    for (const bool guarded : {false, true}) {
      StoreLimits limits;
      limits.allow_guarded_memory = guarded;
      if (counts_fuel) limits.fuel = 1000;
      OwnStore own(engine, limits);
      ModuleInstance* const instance = own.instantiate(module);
      EXPECT_EQ(own.call(instance, "load", {Value::i32(0)}), 0u);
      const FunctionCode* const code = code_of(instance, "load");
      ASSERT_NE(code, nullptr);
      EXPECT_EQ(code->variant->key.counts_fuel, counts_fuel);
      EXPECT_EQ(code->variant->key.guards_memory,
                guarded && instance->memories[0]->kind == MemoryInstance::Kind::Guarded);
      for (const std::uint8_t* other : codes) EXPECT_NE(code->code, other);
      codes.push_back(code->code);
    }
  }
  EXPECT_EQ(module->code().statistics().functions, 4u);
}

TEST(CodeCacheTest, FindsTheFunctionOfACodeAddress) {
  World world;
  const auto module = world.load(module_bytes());
  ModuleInstance* const instance = world.linker.try_instantiate(module)->instance;
  EXPECT_EQ(world.call_i32(instance, "both"), 3u);
  const CodeCache& cache = module->code();
  for (const char* name : {"first", "second", "both"}) {
    const FunctionCode* const code = Store::find_export(*instance, name)->function->code;
    if (code == nullptr) continue;  // was only called from code that knows it directly
    EXPECT_EQ(cache.find(code->code), code);
    EXPECT_EQ(cache.find(code->code + code->code_bytes - 1), code);
    EXPECT_NE(cache.find(code->code + code->code_bytes), code);
  }
  EXPECT_EQ(cache.find(nullptr), nullptr);
  EXPECT_EQ(cache.find(reinterpret_cast<const std::uint8_t*>(&world)), nullptr);
}

TEST(CodeCacheTest, ManyThreadsTranslateAFunctionOnce) {
  constexpr unsigned thread_count = 8;
  ModuleBuilder builder;
  constexpr std::uint32_t functions = 64;
  Bytes sum = i32_const(0);
  for (std::uint32_t i = 0; i < functions; ++i) {
    builder.function(builder.type({}, {i32}), repeat(i32_const(1) + Bytes{0x1a}, 500) + i32_const(i));
    sum = sum + call_function(i) + Bytes{0x6a};
  }
  export_function(builder, "sum", {}, {i32}, sum);
  const Engine engine;
  const auto module = *engine.load(builder.build());
  std::atomic<unsigned> ready{0};
  std::vector<std::uint32_t> results(thread_count);
  std::vector<const FunctionCode*> codes(thread_count);
  std::vector<std::thread> threads;
  for (unsigned n = 0; n < thread_count; ++n) {
    threads.emplace_back([&, n] {
      OwnStore own(engine);
      ModuleInstance* const instance = own.instantiate(module);
      ready.fetch_add(1);
      while (ready.load() != thread_count) std::this_thread::yield();
      results[n] = own.call(instance, "sum");
      codes[n] = code_of(instance, "sum");
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (unsigned n = 0; n < thread_count; ++n) {
    EXPECT_EQ(results[n], functions * (functions - 1) / 2);
    EXPECT_EQ(codes[n], codes[0]);
  }
  EXPECT_EQ(module->code().statistics().functions, functions + 1);
}

TEST(CodeCacheTest, TranslatingAgainIsNoWork) {
  World world;
  const auto module = world.load(module_bytes());
  CodeCache& cache = module->code();
  CodeVariant& variant = cache.variant({});
  EXPECT_EQ(&cache.variant({}), &variant);
  ASSERT_EQ(variant.functions.size(), 4u);
  FunctionCode& function = variant.functions[2];
  EXPECT_EQ(function.function_index, 2u);
  EXPECT_EQ(function.code, nullptr);
  EXPECT_NE(function.entry.load(), nullptr);  // callable all the same
  ASSERT_TRUE(cache.translate(function));
  const std::uint8_t* const code = function.code;
  EXPECT_EQ(function.entry.load(), code);
  ASSERT_TRUE(cache.translate(function));
  EXPECT_EQ(function.code, code);
  EXPECT_EQ(cache.statistics().functions, 1u);
}

}  // namespace
}  // namespace tfvm::test
