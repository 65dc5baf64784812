// Speed of decoding and validation, in bytes of module per second. TFVM_BENCH_MODULE names a module to measure; without
// it a module of 4 MB is made, with the mix of instructions that compiled code has.
#include <benchmark/benchmark.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <memory>
#include <vector>

#include "decoder/module.hpp"
#include "decoder/test_module.hpp"
#include "decoder/validate_code.hpp"

namespace {

using namespace tfvm;
using test::Bytes;
using test::operator+;

// while (a < n) { a += *(b + 4 * a); if (a & 1) f(a, b) ; else store }, a few times over.
Bytes function_code(std::uint32_t callee) {
  const Bytes iteration =
      Bytes{0x02, 0x40, 0x03, 0x40, 0x20, 2, 0x20, 0, 0x4e, 0x0d, 1} +                              // leave the loop
      Bytes{0x20, 2, 0x20, 1, 0x20, 2, 0x41, 2, 0x74, 0x6a, 0x28, 2, 16, 0x6a, 0x22, 2} +          // load, add, tee
      Bytes{0x41, 1, 0x71, 0x04, 0x40, 0x20, 2, 0x20, 1, 0x10} + test::unsigned_leb(callee) +       // if, call
      Bytes{0x21, 2, 0x05, 0x20, 1, 0x20, 2, 0x41, 0x80, 0x08, 0x6c, 0x36, 2, 0x80, 0x01, 0x0b} +  // else, store
      Bytes{0x20, 3, 0x20, 2, 0xad, 0x42, 0x05, 0x7e, 0x7c, 0x21, 3, 0x0c, 0, 0x0b, 0x0b};         // 64-bit sum, again
  return test::repeat(iteration, 8) + Bytes{0x20, 2, 0x20, 3, 0xa7, 0x6a};
}

Bytes made_module() {
  test::ModuleBuilder builder;
  builder.type({test::i32, test::i32}, {test::i32});
  builder.memory({0x00, 1});
  constexpr std::uint32_t count = 6'000;
  for (std::uint32_t i = 0; i < count; ++i)
    builder.function(0, function_code((i * 7919) % count), {2, 2, test::i32, 1, test::i64});
  return builder.build();
}

const Bytes& module_bytes() {
  static const Bytes bytes = [] {
    const char* const path = std::getenv("TFVM_BENCH_MODULE");
    if (path == nullptr) return made_module();
    std::ifstream file(path, std::ios::binary);
    return Bytes(std::istreambuf_iterator<char>(file), {});
  }();
  return bytes;
}

std::int64_t code_size(const Module& module) {
  std::int64_t size = 0;
  for (const Function& function : module.functions) size += function.body.size;
  return size;
}

void decode(benchmark::State& state) {
  const Bytes& bytes = module_bytes();
  for (auto _ : state) {
    state.PauseTiming();
    Bytes copy = bytes;
    state.ResumeTiming();
    auto module = decode_module(std::move(copy), std::make_shared<TypeRegistry>());
    if (!module) return state.SkipWithError(module.error().to_string().c_str());
    benchmark::DoNotOptimize(module);
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * bytes.size()));
}
BENCHMARK(decode);

void validate(benchmark::State& state) {
  auto module = decode_module(module_bytes(), std::make_shared<TypeRegistry>());
  if (!module) return state.SkipWithError(module.error().to_string().c_str());
  for (auto _ : state) {
    const auto valid = validate_module(**module);
    if (!valid) return state.SkipWithError(valid.error().to_string().c_str());
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations()) * code_size(**module));
}
BENCHMARK(validate);

void validate_by_the_rules_alone(benchmark::State& state) {
  auto module = decode_module(module_bytes(), std::make_shared<TypeRegistry>());
  if (!module) return state.SkipWithError(module.error().to_string().c_str());
  for (auto _ : state) {
    const auto valid = validate_module(**module, {}, ValidationPath::Plain);
    if (!valid) return state.SkipWithError(valid.error().to_string().c_str());
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations()) * code_size(**module));
}
BENCHMARK(validate_by_the_rules_alone);

}  // namespace
