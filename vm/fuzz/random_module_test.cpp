// Random modules are valid whatever the bytes, hold what they should, and run the same in every executor; so do the
// modules of testdata/, each of which once did not.
#include "vm/fuzz/random_module.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <iterator>
#include <random>
#include <string>

#include "decoder/instruction_reader.hpp"
#include "vm/fuzz/differential.hpp"

namespace tfvm::fuzz {
namespace {

constexpr std::uint64_t seeds = 500;

Bytes bytes_of_seed(std::uint64_t seed) {
  std::mt19937_64 random(seed);
  Bytes bytes(200 + random() % 2000);
  for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(random());
  return bytes;
}

TEST(RandomModule, IsValidWhateverTheBytes) {
  for (const int byte : {0x00, 0x01, 0x2a, 0x80, 0xff})
    for (const std::size_t size : {0u, 1u, 10u, 100u, 3000u}) {
      const RandomModules modules = random_modules(Bytes(size, static_cast<std::uint8_t>(byte)));
      EXPECT_EQ(test::verdict(modules.first.bytes), "valid") << size << " times " << int{byte};
      EXPECT_EQ(test::verdict(modules.second.bytes), "valid") << size << " times " << int{byte};
    }
}

TEST(RandomModule, ComesFromItsBytesAlone) {
  const Bytes bytes = bytes_of_seed(7);
  EXPECT_EQ(random_modules(bytes).second.bytes, random_modules(bytes).second.bytes);
  EXPECT_NE(random_modules(bytes).first.bytes, random_modules(bytes_of_seed(8)).first.bytes);
}

/// Which instructions occur in the modules of all seeds.
std::array<std::size_t, op_count> count_instructions() {
  std::array<std::size_t, op_count> counts{};
  for (std::uint64_t seed = 0; seed < seeds; ++seed) {
    const auto module = load_module(random_modules(bytes_of_seed(seed)).second.bytes, std::make_shared<TypeRegistry>());
    if (!module) {
      ADD_FAILURE() << "seed " << seed << ": " << module.error().to_string();
      continue;
    }
    for (std::uint32_t i = (*module)->imported_functions; i < (*module)->functions.size(); ++i) {
      const ByteRange body = (*module)->functions[i].body;
      Reader reader((*module)->bytes(), body.offset, body.offset + body.size);
      for (std::uint32_t groups = reader.u32(); groups != 0; --groups) {
        reader.u32();
        reader.byte();
      }
      Instruction instruction;
      while (!reader.at_end()) {
        read_instruction(reader, **module, (*module)->features_used, instruction);
        ++counts[static_cast<std::size_t>(instruction.op)];
      }
    }
  }
  return counts;
}

TEST(RandomModule, HoldsEveryInstructionThatCanRun) {
  const auto counts = count_instructions();
  for (std::size_t i = 0; i < op_count; ++i) {
    const OpInfo& row = op_infos[i];
    const bool can_run = FeatureSet().has(row.feature);
    if (can_run) EXPECT_GT(counts[i], 0u) << row.spelling;
    else EXPECT_EQ(counts[i], 0u) << row.spelling;
  }
}

TEST(RandomModule, RunsTheSameInEveryExecutor) {
  Statistics statistics;
  for (std::uint64_t seed = 1000; seed < 1000 + seeds; ++seed)
    if (const auto difference = find_random_difference(bytes_of_seed(seed), seed, &statistics))
      ADD_FAILURE() << "seed " << seed << ": " << *difference;
  // Were most calls to trap at once, little would be compared.
  std::uint64_t all = 0;
  for (const std::uint64_t count : statistics.outcomes) all += count;
  EXPECT_GT(statistics.outcomes[0], all / 2);
  for (const TrapKind kind : {TrapKind::IntegerDivideByZero, TrapKind::OutOfBoundsMemoryAccess, TrapKind::OutOfFuel,
                              TrapKind::Unreachable, TrapKind::IndirectCallTypeMismatch})
    EXPECT_GT(statistics.outcomes[static_cast<std::size_t>(kind)], 0u) << to_string(kind);
}

TEST(Differential, SaysWhatDoesNotLoad) {
  const auto difference = find_difference({{{0x00, 0x61, 0x73}}, false}, 0);
  ASSERT_TRUE(difference.has_value());
  EXPECT_NE(difference->find("does not load"), std::string::npos) << *difference;
}

/// testdata/NAME.0.wasm, NAME.1.wasm ...: programs that once ran differently or crashed.
TEST(Differential, FormerDifferencesAreGone) {
  const std::filesystem::path folder = std::filesystem::path(TFVM_SOURCE_DIR) / "vm" / "testdata";
  std::size_t programs = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const std::string path = entry.path().string();
    if (!path.ends_with(".0.wasm")) continue;
    Program program;
    for (std::size_t i = 0;; ++i) {
      std::ifstream file(path.substr(0, path.size() - 6) + std::to_string(i) + ".wasm", std::ios::binary);
      if (!file) break;
      program.modules.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
    }
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
      const auto difference = find_difference(program, seed);
      EXPECT_FALSE(difference.has_value()) << path << ", arguments of seed " << seed << ": " << *difference;
    }
    ++programs;
  }
  EXPECT_GT(programs, 0u);
}

}  // namespace
}  // namespace tfvm::fuzz
