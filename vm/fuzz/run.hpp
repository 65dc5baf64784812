// One run of a program by one executor: instances, calls with chosen arguments, host functions that watch, and the
// transcript of everything that a host could see.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "vm/runtime.hpp"

namespace tfvm::fuzz {

inline constexpr std::uint32_t steps_per_call = 500;

/// Who runs, and how.
struct Configuration {
  const char* name;
  bool is_oracle;
  bool guards_memory;
  bool counts_fuel;
};

/// A small generator of random numbers: its sequence must not depend on the library.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next();

 private:
  std::uint64_t state_;
};

class Hash {
 public:
  void add(std::uint64_t value);
  /// Words of eight bytes, then single bytes.
  void add(std::span<const std::uint8_t> bytes);
  std::uint64_t value() const { return state_; }

 private:
  std::uint64_t state_ = 1;
};

/// One thing that happened. Values are portable: no addresses, and all NaNs of a type alike.
struct Event {
  std::string_view what;  ///< "instantiate", "call", or of the final state "memory", "global", "table"
  std::uint32_t instance = 0;
  std::uint32_t index = 0;  ///< of the function, memory, global or table
  TrapKind trap = TrapKind::None;
  std::uint32_t trap_function = 0;
  std::uint64_t trap_offset = 0;
  std::size_t frames = 0;
  std::uint64_t fuel = 0;  ///< left
  std::uint64_t seen_by_host = 0;
  std::vector<std::uint64_t> arguments = {};
  std::vector<std::uint64_t> values = {};

  /// Whether `other`, of the tree interpreter, stands for the same as this, of the oracle. An instruction of the tree
  /// interpreter stands for several of wasm: it may give the position of the first of them that can trap. Loads that
  /// nothing separates are not ordered: when two of them trap, either may be named.
  bool agrees_with(const Event& other) const;
  std::string to_string() const;
};
using Transcript = std::vector<Event>;

/// A store with host functions, for one program.
class Run {
 public:
  Run(const Engine& engine, const Configuration& configuration);

  /// Instantiates the modules in order, the last one twice, and calls exports with arguments chosen by `seed`.
  Transcript run(const std::vector<std::shared_ptr<const LoadedModule>>& modules, std::uint64_t seed);

 private:
  void define_host_functions();
  HostOutcome host_call(std::string_view name, Caller& caller, Slot* slots);
  HostOutcome call_back(Caller& caller, Slot* slots);
  void instantiate(const std::shared_ptr<const LoadedModule>& module);
  void call_all(ModuleInstance& instance, Random& random);
  void call(ModuleInstance& instance, FunctionInstance& function, std::uint32_t index, Random& random);
  Slot argument(ValueType type, ModuleInstance& instance, Random& random);
  void refill();
  void finish(Event event);
  void describe_state();
  std::uint32_t ordinal(const ModuleInstance* instance) const;
  std::uint64_t portable(ValueType type, Slot slot) const;

  Store store_;
  Linker linker_;
  std::uint64_t fuel_per_call_ = 0;
  Hash seen_;
  unsigned nested_calls_ = 0;
  std::size_t calls_ = 0;
  Transcript transcript_;
};

}  // namespace tfvm::fuzz
