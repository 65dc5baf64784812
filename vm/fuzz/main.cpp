// differential: runs random modules with every executor, without libFuzzer, as fast as it goes.
//   differential FIRST LAST [FOLDER]     seeds FIRST to LAST; failing modules are made small and written to FOLDER
//   differential --run MODULE...         module files together: the first is "a"
//   differential --write SEED FOLDER     only writes the modules of a seed
//   differential --transcripts FIRST LAST    what judge.mjs compares with another engine: a line of JSON a seed
// Exit status: 0 no difference, 1 differences, 2 usage.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "vm/fuzz/differential.hpp"
#include "vm/fuzz/random_module.hpp"
#include "vm/fuzz/run.hpp"

namespace {

using namespace tfvm;
using namespace tfvm::fuzz;
using test::Bytes;

Bytes bytes_of_seed(std::uint64_t seed) {
  std::mt19937_64 random(seed);
  const bool is_large = random() % 64 == 0;
  Bytes bytes(200 + random() % (is_large ? 60'000 : 3000));
  for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(random());
  return bytes;
}

bool write_file(const std::string& path, const Bytes& bytes) {
  std::FILE* const file = std::fopen(path.c_str(), "wb");
  if (file == nullptr) return false;
  const bool is_written = std::fwrite(bytes.data(), 1, bytes.size(), file) == bytes.size();
  return std::fclose(file) == 0 && is_written;
}

void write_program(const Program& program, const std::string& path) {
  for (std::size_t i = 0; i < program.modules.size(); ++i)
    if (!write_file(path + "." + std::to_string(i) + ".wasm", program.modules[i]))
      std::fprintf(stderr, "cannot write %s\n", path.c_str());
}

/// Removes and zeroes bytes as long as there still is a difference.
Bytes make_small(Bytes bytes, std::uint64_t seed) {
  const auto still_differs = [&](const Bytes& candidate) {
    return find_random_difference(candidate, seed).has_value();
  };
  bool is_smaller = true;
  for (unsigned round = 0; is_smaller && round < 4; ++round) {
    is_smaller = false;
    for (std::size_t size = bytes.size() / 2; size > 0; size /= 2) {
      for (std::size_t at = 0; at < bytes.size(); at += size) {
        Bytes candidate = bytes;
        const auto begin = candidate.begin() + static_cast<std::ptrdiff_t>(at);
        const auto end = candidate.begin() + static_cast<std::ptrdiff_t>(std::min(at + size, bytes.size()));
        candidate.erase(begin, end);
        if (!still_differs(candidate)) {
          candidate = bytes;
          std::fill_n(candidate.begin() + static_cast<std::ptrdiff_t>(at), std::min(size, bytes.size() - at),
                      std::uint8_t{0});
          if (candidate == bytes || !still_differs(candidate)) continue;
        }
        bytes = std::move(candidate);
        is_smaller = true;
      }
    }
  }
  return bytes;
}

int run_seeds(std::uint64_t first, std::uint64_t last, const std::string& folder) {
  const auto start = std::chrono::steady_clock::now();
  Statistics statistics;
  unsigned failures = 0;
  for (std::uint64_t seed = first; seed <= last; ++seed) {
    if (std::getenv("TFVM_FUZZ_TRACE") != nullptr)
      std::fprintf(stderr, "seed %llu\n", static_cast<unsigned long long>(seed));
    const Bytes bytes = bytes_of_seed(seed);
    const auto difference = find_random_difference(bytes, seed, &statistics);
    if (!difference) continue;
    const Bytes small = make_small(bytes, seed);
    const Program program = random_program(small);
    std::printf("seed %llu: %s\n", static_cast<unsigned long long>(seed),
                find_difference(program, seed).value_or(*difference).c_str());
    std::fflush(stdout);
    if (!folder.empty()) write_program(program, folder + "/seed" + std::to_string(seed));
    if (++failures >= 20) break;
  }
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  std::printf("%s programs in %.1f s, %u differences; calls:", std::to_string(last - first + 1).c_str(),
              seconds.count(), failures);
  for (std::size_t i = 0; i < statistics.outcomes.size(); ++i)
    if (statistics.outcomes[i] != 0)
      std::printf(" %s %llu,", i == 0 ? "returned" : std::string(to_string(static_cast<TrapKind>(i))).c_str(),
                  static_cast<unsigned long long>(statistics.outcomes[i]));
  std::printf(" programs that differ in NaNs: %llu\n", static_cast<unsigned long long>(statistics.nan_differences));
  return failures == 0 ? 0 : 1;
}

std::string base64(const Bytes& bytes) {
  static constexpr char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t group = 0;
    for (std::size_t k = i; k < i + 3; ++k) group = group << 8 | (k < bytes.size() ? bytes[k] : 0u);
    for (unsigned k = 0; k < 4; ++k) text += i + k > bytes.size() ? '=' : digits[group >> (18 - 6 * k) & 63];
  }
  return text;
}

std::string json_numbers(const std::vector<std::uint64_t>& numbers) {
  std::string text = "[";
  for (const std::uint64_t number : numbers) text += (text.size() > 1 ? ",\"" : "\"") + std::to_string(number) + "\"";
  return text + "]";
}

std::string json_types(const Bytes& types) {
  std::string text = "[";
  for (const std::uint8_t type : types) text += (text.size() > 1 ? "," : "") + std::to_string(type);
  return text + "]";
}

std::string json_module(const RandomModule& module) {
  const ModuleShape& shape = module.shape;
  std::string text = "{\"bytes\":\"" + base64(module.bytes) + "\",\"functions\":[";
  for (std::uint32_t i = 0; i < shape.functions.size(); ++i)
    text += (i == 0 ? "[" : ",[") + json_types(shape.signature(i).params) + "," +
            json_types(shape.signature(i).results) + "]";
  text += "],\"globals\":[";
  for (std::uint32_t i = 0; i < shape.globals.size(); ++i)
    text += (i == 0 ? "" : ",") + std::to_string(shape.globals[i].type);
  return text + "],\"imported_functions\":" + std::to_string(shape.imported_functions) +
         ",\"imported_memories\":" + std::to_string(shape.imported_memories) +
         ",\"memories\":" + std::to_string(shape.memories.size()) + "}";
}

std::string json_event(const Event& event) {
  return "{\"what\":\"" + std::string(event.what) + "\",\"instance\":" + std::to_string(event.instance) +
         ",\"index\":" + std::to_string(event.index) + ",\"trap\":\"" + std::string(to_string(event.trap)) +
         "\",\"host\":\"" + std::to_string(event.seen_by_host) + "\",\"arguments\":" + json_numbers(event.arguments) +
         ",\"values\":" + json_numbers(event.values) + "}";
}

/// Modules that other engines know, and what the tree interpreter makes of them.
int write_transcripts(std::uint64_t first, std::uint64_t last) {
  for (std::uint64_t seed = first; seed <= last; ++seed) {
    ModuleOptions options;
    options.counts_steps = options.canonical_nans = true;
    options.has_several_memories = options.has_wide_tables = options.has_callers = false;
    options.has_wide_memories = seed % 4 == 0;
    const RandomModules modules = random_modules(bytes_of_seed(seed), options);
    const Engine engine;
    std::vector<std::shared_ptr<const LoadedModule>> loaded;
    for (const RandomModule* module : {&modules.first, &modules.second}) loaded.push_back(*engine.load(module->bytes));
    std::string text = "{\"seed\":" + std::to_string(seed) + ",\"steps\":" + std::to_string(steps_per_call) +
                       ",\"modules\":[" + json_module(modules.first) + "," + json_module(modules.second) +
                       "],\"events\":[";
    bool is_first = true;
    for (const Event& event : Run(engine, {"tree", false, seed % 2 == 0, false}).run(loaded, seed)) {
      text += (is_first ? "" : ",") + json_event(event);
      is_first = false;
    }
    std::puts((text + "]}").c_str());
  }
  return 0;
}

int run_files(int count, char** paths) {
  Program program;
  for (int i = 0; i < count; ++i) {
    std::FILE* const file = std::fopen(paths[i], "rb");
    if (file == nullptr) {
      std::fprintf(stderr, "cannot open %s\n", paths[i]);
      return 2;
    }
    Bytes bytes;
    for (int byte = std::fgetc(file); byte != EOF; byte = std::fgetc(file))
      bytes.push_back(static_cast<std::uint8_t>(byte));
    std::fclose(file);
    program.modules.push_back(std::move(bytes));
  }
  for (std::uint64_t seed = 0; seed < 20; ++seed)
    if (const auto difference = find_difference(program, seed)) {
      std::printf("arguments of seed %llu: %s\n", static_cast<unsigned long long>(seed), difference->c_str());
      return 1;
    }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc >= 3 && std::strcmp(argv[1], "--run") == 0) return run_files(argc - 2, argv + 2);
  if (argc == 4 && std::strcmp(argv[1], "--write") == 0) {
    write_program(random_program(bytes_of_seed(std::strtoull(argv[2], nullptr, 10))),
                  std::string(argv[3]) + "/seed" + argv[2]);
    return 0;
  }
  if (argc == 4 && std::strcmp(argv[1], "--transcripts") == 0)
    return write_transcripts(std::strtoull(argv[2], nullptr, 10), std::strtoull(argv[3], nullptr, 10));
  if (argc == 3 || argc == 4)
    return run_seeds(std::strtoull(argv[1], nullptr, 10), std::strtoull(argv[2], nullptr, 10),
                     argc == 4 ? argv[3] : "");
  std::fputs(
      "usage: differential FIRST LAST [FOLDER] | --run MODULE... | --write SEED FOLDER | --transcripts FIRST LAST\n",
      stderr);
  return 2;
}
