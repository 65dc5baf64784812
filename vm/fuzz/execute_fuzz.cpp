// libFuzzer target: random modules out of the fuzzer's bytes, run by every executor; whatever differs ends the process
// after a description of it. The modules are then in files beside the process: execute_fuzz.0.wasm,
// execute_fuzz.1.wasm.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <string>

#include "vm/fuzz/differential.hpp"

namespace {

using namespace tfvm::fuzz;

void write_modules(const Program& program) {
  for (std::size_t i = 0; i < program.modules.size(); ++i) {
    const std::string path = "execute_fuzz." + std::to_string(i) + ".wasm";
    std::FILE* const file = std::fopen(path.c_str(), "wb");
    if (file == nullptr) continue;
    std::fwrite(program.modules[i].data(), 1, program.modules[i].size(), file);
    std::fclose(file);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::span bytes(data, size);
  const auto difference = find_random_difference(bytes, size);
  if (!difference) return 0;
  std::fprintf(stderr, "%s\n", difference->c_str());
  write_modules(random_program(bytes));
  std::abort();
}
