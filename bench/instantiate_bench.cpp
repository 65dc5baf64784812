// What a fresh guest costs: a store with an instance made, called and dropped; an instance renewed and called. By size
// of the module's data, in KiB.
#include <benchmark/benchmark.h>
#include <memory>

#include "decoder/test_module.hpp"
#include "vm/runtime.hpp"

namespace {

using namespace tfvm;
using test::Bytes;

/// A memory of 2 MiB with one data segment at 1 MiB, a table, 20 imports; `run` writes to three pages, as a small
/// program does: its stack, its data, its heap.
std::shared_ptr<const LoadedModule> make_module(const Engine& engine, std::uint32_t data_kib) {
  test::ModuleBuilder builder;
  const std::uint32_t type = builder.type({}, {});
  for (int i = 0; i < 20; ++i) builder.import("env", "f" + std::to_string(i), Bytes{0x00} + test::unsigned_leb(type));
  builder.memory({0x00, 32});
  builder.table({0x70, 0x00, 64});
  Bytes code;
  for (const std::int64_t address : {0xffff0, 0x100010, 0x1f0000})
    code = code + Bytes{0x41} + test::signed_leb(address) + Bytes{0x41, 1, 0x36, 2, 0};
  const std::uint32_t run = 20 + builder.function(type, code);
  builder.export_item("run", 0, run);
  builder.element(Bytes{0x00, 0x41, 1, 0x0b, 1} + test::unsigned_leb(run));
  builder.data(Bytes{0x00, 0x41} + test::signed_leb(0x100000) + Bytes{0x0b} + test::sized(Bytes(data_kib << 10, 7)));
  auto module = engine.load(builder.build());
  if (!module) std::abort();
  return *module;
}

void define_imports(Linker& linker) {
  for (int i = 0; i < 20; ++i) linker.define_function("env", "f" + std::to_string(i), [] {});
}

StoreLimits limits() {
  StoreLimits limits;
  limits.max_stack_bytes = 1 << 20;
  return limits;
}

void fresh(benchmark::State& state) {
  Engine engine;
  const auto module = make_module(engine, static_cast<std::uint32_t>(state.range(0)));
  for (auto _ : state) {
    Store store(engine, limits());
    Linker linker(store);
    define_imports(linker);
    auto instance = linker.instantiate(module);
    auto run = instance->get_function<void()>("run");
    benchmark::DoNotOptimize((*run)().ok());
  }
}
BENCHMARK(fresh)->Arg(4)->Arg(64)->Arg(1024)->Unit(benchmark::kMicrosecond);

void renewed(benchmark::State& state) {
  Engine engine;
  const auto module = make_module(engine, static_cast<std::uint32_t>(state.range(0)));
  Store store(engine, limits());
  Linker linker(store);
  define_imports(linker);
  auto instance = linker.instantiate(module);
  auto run = instance->get_function<void()>("run");
  for (auto _ : state) {
    benchmark::DoNotOptimize(store.renew(instance->get()).ok());
    benchmark::DoNotOptimize((*run)().ok());
  }
}
BENCHMARK(renewed)->Arg(4)->Arg(64)->Arg(1024)->Unit(benchmark::kMicrosecond);

void renewed_with_deadline(benchmark::State& state) {
  Engine engine;
  const auto module = make_module(engine, 4);
  Store store(engine, limits());
  Linker linker(store);
  define_imports(linker);
  auto instance = linker.instantiate(module);
  auto run = instance->get_function<void()>("run");
  for (auto _ : state) {
    store.set_deadline(std::chrono::steady_clock::now() + std::chrono::seconds(10));
    benchmark::DoNotOptimize(store.renew(instance->get()).ok());
    benchmark::DoNotOptimize((*run)().ok());
    store.clear_deadline();
  }
}
BENCHMARK(renewed_with_deadline)->Unit(benchmark::kMicrosecond);

}  // namespace
