// Differential execution (differential.hpp): runs (run.hpp) give transcripts, which are compared here.
#include "vm/fuzz/differential.hpp"

#include <algorithm>
#include <span>

#include "vm/fuzz/random_module.hpp"
#include "vm/fuzz/run.hpp"
#include "vm/runtime.hpp"

namespace tfvm::fuzz {
namespace {

constexpr Configuration with_fuel[] = {{"oracle", true, true, true},
                                       {"tree, guarded memory", false, true, true},
                                       {"tree, checked memory", false, false, true}};
constexpr Configuration without_fuel[] = {{"oracle without fuel", true, true, false},
                                          {"tree without fuel, guarded memory", false, true, false},
                                          {"tree without fuel, checked memory", false, false, false}};

/// The first event that differs, up to where a stack was exhausted: how deep that is depends on the executor.
std::optional<std::string> compare(const Configuration& a, const Transcript& first, const Configuration& b,
                                   const Transcript& second) {
  for (std::size_t i = 0; i < std::max(first.size(), second.size()); ++i) {
    if (i >= first.size() || i >= second.size()) return "the number of events differs";
    if (first[i].trap == TrapKind::CallStackExhausted || second[i].trap == TrapKind::CallStackExhausted)
      return std::nullopt;
    if (first[i].agrees_with(second[i])) continue;
    return "event " + std::to_string(i) + " differs\n  " + a.name + ": " + first[i].to_string() + "\n  " + b.name +
           ": " + second[i].to_string();
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string> find_difference(const Program& program, std::uint64_t seed, Statistics* statistics) {
  const Engine engine;
  std::vector<std::shared_ptr<const LoadedModule>> modules;
  for (const test::Bytes& bytes : program.modules) {
    auto module = engine.load(bytes);
    if (!module) return "module " + std::to_string(modules.size()) + " does not load: " + module.error().to_string();
    modules.push_back(*module);
  }
  for (const auto& configurations :
       {std::span<const Configuration>(with_fuel), std::span<const Configuration>(without_fuel)}) {
    if (!configurations[0].counts_fuel && !program.counts_steps) break;
    const Transcript expected = Run(engine, configurations[0]).run(modules, seed);
    if (statistics != nullptr)
      for (const Event& event : expected)
        if (event.what == "call") ++statistics->outcomes[static_cast<std::size_t>(event.trap)];
    for (const Configuration& configuration : configurations.subspan(1)) {
      const Transcript actual = Run(engine, configuration).run(modules, seed);
      if (auto difference = compare(configurations[0], expected, configuration, actual)) return difference;
    }
  }
  return std::nullopt;
}

Program random_program(std::span<const std::uint8_t> bytes) {
  const RandomModules modules = random_modules(bytes);
  return {{modules.first.bytes, modules.second.bytes}, modules.options.counts_steps};
}

std::optional<std::string> find_random_difference(std::span<const std::uint8_t> bytes, std::uint64_t seed,
                                                  Statistics* statistics) {
  auto difference = find_difference(random_program(bytes), seed, statistics);
  if (!difference) return std::nullopt;
  const RandomModules modules = random_modules(bytes, true);
  const Program canonical{{modules.first.bytes, modules.second.bytes}, modules.options.counts_steps};
  if (find_difference(canonical, seed)) return difference;
  if (statistics != nullptr) ++statistics->nan_differences;
  return std::nullopt;
}

}  // namespace tfvm::fuzz
