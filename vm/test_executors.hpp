// For tests that hold the tree interpreter against the oracle: one call run by both, everything that can be seen of it
// compared.
#pragma once

#include <functional>
#include <gtest/gtest.h>
#include <ostream>
#include <utility>
#include <vector>

#include "vm/interpreter.hpp"
#include "vm/oracle/oracle.hpp"
#include "vm/test_instance.hpp"

namespace tfvm::test {

/// What a host sees of a call.
struct Outcome {
  TrapKind trap = TrapKind::None;
  std::vector<std::uint64_t> values;
  std::vector<std::pair<std::uint32_t, std::uint64_t>> frames;  ///< function index and module offset, innermost first
  std::uint64_t omitted_frames = 0;
  std::uint64_t fuel = 0;
  std::uint64_t memory_hash = 0;  ///< of all memories of the store
  bool operator==(const Outcome&) const = default;

  std::uint32_t i32() const { return values.empty() ? 0xdeadbeef : static_cast<std::uint32_t>(values[0]); }
};

inline std::ostream& operator<<(std::ostream& stream, const Outcome& outcome) {
  stream << '"' << to_string(outcome.trap) << "\" values";
  for (const std::uint64_t value : outcome.values) stream << ' ' << value;
  stream << " frames";
  for (const auto& [function, offset] : outcome.frames) stream << ' ' << function << '@' << offset;
  return stream << " (+" << outcome.omitted_frames << ") fuel " << outcome.fuel << " memory " << outcome.memory_hash;
}

inline Outcome observe(World& world, const Store::Results& results) {
  Outcome outcome;
  if (results.trap) {
    outcome.trap = results.trap->kind;
    for (const BacktraceFrame& frame : results.trap->backtrace)
      outcome.frames.emplace_back(frame.function_index, frame.offset);
    outcome.omitted_frames = results.trap->omitted_frames;
  }
  for (const Value& value : results.values) outcome.values.push_back(value.slot.bits);
  outcome.fuel = world.store.fuel().value_or(0);
  for (const auto& memory : world.store.memories())
    for (std::uint64_t i = 0; i < memory->size; ++i)
      outcome.memory_hash = (outcome.memory_hash ^ memory->base[i]) * 0x100000001b3u;
  return outcome;
}

/// Calls export "run" of the module with both executors, each in a world of its own that `prepare` completes. Expects
/// equal outcomes and gives the tree interpreter's.
inline Outcome run_on_both(
    const Bytes& module, const std::vector<Value>& arguments = {}, StoreLimits limits = {},
    const std::function<void(World&)>& prepare = [](World&) {}) {
  Outcome outcomes[2];
  for (const bool is_oracle : {false, true}) {
    World world(limits);
    world.store.set_execute(is_oracle ? &oracle::execute : &interpreter::execute);
    prepare(world);
    ModuleInstance* const instance = world.instantiate(module);
    if (instance == nullptr) return {};
    outcomes[is_oracle] = observe(world, world.store.call(*Store::find_export(*instance, "run")->function, arguments));
  }
  EXPECT_EQ(outcomes[0], outcomes[1]) << "tree interpreter, then oracle";
  return outcomes[0];
}

/// The same for the only function of a module with one page of memory and one mutable global (i32).
inline Outcome run_code(const Bytes& params, const Bytes& results, const Bytes& code,
                        const std::vector<Value>& arguments = {}, const Bytes& locals = {0}) {
  ModuleBuilder builder;
  builder.memory({0x00, 1});
  builder.global(i32, true, i32_const(17) + Bytes{0x0b});
  builder.export_item("run", 0, builder.function(builder.type(params, results), code, locals));
  return run_on_both(builder.build(), arguments);
}

// More instructions.
inline const Bytes end = {0x0b}, drop = {0x1a}, i32_add = {0x6a}, i32_sub = {0x6b}, i32_mul = {0x6c};
inline const Bytes i32_div_s = {0x6d}, i32_load = {0x28, 0x02, 0x00}, i32_store = {0x36, 0x02, 0x00};
inline Bytes local_set(std::uint32_t index) { return Bytes{0x21} + unsigned_leb(index); }
inline Bytes local_tee(std::uint32_t index) { return Bytes{0x22} + unsigned_leb(index); }

}  // namespace tfvm::test
