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

// Statements over parameters 0 and 1 (i32), locals 2 (i32) and 4 (i64), as compilers write them.
const Bytes& statement(std::uint32_t choice) {
  static const Bytes statements[] = {
      {0x20, 2, 0x20, 1, 0x20, 2, 0x41, 2, 0x74, 0x6a, 0x28, 2, 16, 0x6a, 0x21, 2},  // a += array[b]
      {0x20, 1, 0x20, 2, 0x41, 0x80, 0x08, 0x6c, 0x36, 2, 0x80, 0x01},               // p->field = a * 1024
      {0x20, 4, 0x20, 2, 0xad, 0x42, 0x05, 0x7e, 0x7c, 0x21, 4},                     // sum += (u64)a * 5
      {0x02, 0x40, 0x20, 2, 0x20, 0, 0x4e, 0x0d, 0, 0x41, 1, 0x21, 2, 0x0b},         // if (a < n) a = 1
      {0x20, 0, 0x45, 0x04, 0x40, 0x20, 1, 0x21, 2, 0x05, 0x20, 0, 0x22, 2, 0x1a, 0x0b},
      {0x03, 0x40, 0x20, 2, 0x41, 1, 0x6a, 0x22, 2, 0x20, 0, 0x48, 0x0d, 0, 0x0b},  // while (++a < n)
      {0x20, 1, 0x20, 2, 0x10, 0, 0x21, 2},                                         // a = f(p, a)
      {0x20, 1, 0x2d, 0, 3, 0x41, 0xff, 0x01, 0x71, 0x21, 2},                       // a = p->byte & 255
      {0x20, 1, 0x20, 1, 0x29, 3, 8, 0x42, 0x20, 0x88, 0x37, 3, 24},                // p->x = p->y >> 32
      {0x41, 7, 0x20, 2, 0x20, 0, 0x1b, 0x21, 2},                                   // a = n ? 7 : a
  };
  return statements[choice % std::size(statements)];
}

Bytes made_module() {
  test::ModuleBuilder builder;
  builder.type({test::i32, test::i32}, {test::i32});
  builder.memory({0x00, 1});
  std::uint64_t state = 1;
  for (int function = 0; function < 6'000; ++function) {
    Bytes code;
    for (int i = 0; i < 60; ++i) {
      state = state * 6364136223846793005u + 1442695040888963407u;
      code = std::move(code) + statement(static_cast<std::uint32_t>(state >> 33));
    }
    builder.function(0, code + Bytes{0x20, 2, 0x20, 4, 0xa7, 0x6a}, {2, 2, test::i32, 1, test::i64});
  }
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
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations()) * static_cast<std::int64_t>(bytes.size()));
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
