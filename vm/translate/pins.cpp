// See pins.hpp.
#include "vm/translate/pins.hpp"

#include <algorithm>

#include "vm/function_body.hpp"

namespace tfvm::interpreter {
namespace {

/// A pin costs its loads and stores around every call; a use of a slot costs little more than that of a register.
constexpr double uses_per_call = 2;
constexpr double least_uses = 2;
/// Uses in a loop count this much more than those around it.
constexpr double loop_factor = 8;
constexpr unsigned deepest_loop = 6;

struct Weights {
  std::vector<double> uses;
  std::vector<bool> written;
  double calls = 0;
};

Weights weigh(const Module& module, std::uint32_t function_index, std::size_t local_count, std::uint32_t body_offset) {
  Weights weights{std::vector<double>(local_count), std::vector<bool>(local_count)};
  const ByteRange body = module.functions[function_index].body;
  Reader reader(module.bytes(), body_offset, body.offset + body.size);
  std::vector<bool> loops = {false};
  unsigned depth = 0;
  double weight = 1;
  const auto set_depth = [&](unsigned to) {
    depth = to;
    weight = 1;
    for (unsigned i = 0; i < std::min(depth, deepest_loop); ++i) weight *= loop_factor;
  };
  Instruction instruction;
  LiveCode live_code;
  while (!reader.at_end()) {
    read_instruction(reader, module, module.features_used, instruction);
    if (!live_code.reaches(instruction)) continue;
    switch (instruction.op) {
      case Op::LocalSet:
      case Op::LocalTee: weights.written[instruction.index] = true; [[fallthrough]];
      case Op::LocalGet: weights.uses[instruction.index] += weight; break;
      case Op::Block:
      case Op::If: loops.push_back(false); break;
      case Op::Loop:
        loops.push_back(true);
        set_depth(depth + 1);
        break;
      case Op::End:
        if (loops.back()) set_depth(depth - 1);
        loops.pop_back();
        break;
      case Op::Call:
      case Op::CallIndirect:
      case Op::CallRef: weights.calls += weight; break;
      default: break;
    }
  }
  return weights;
}

}  // namespace

Pins choose_pins(const Module& module, std::uint32_t function_index, const std::vector<ValueKind>& locals,
                 std::uint32_t body_offset) {
  Pins pins;
  std::fill(std::begin(pins.integers), std::end(pins.integers), no_local);
  std::fill(std::begin(pins.floats), std::end(pins.floats), no_local);
  if (locals.empty()) return pins;
  const Weights weights = weigh(module, function_index, locals.size(), body_offset);
  const double least = least_uses + uses_per_call * weights.calls;
  const auto choose = [&](bool floats, std::uint32_t* chosen, unsigned count, PinMask& mask, PinMask& written) {
    std::vector<std::uint32_t> candidates;
    for (std::uint32_t local = 0; local < locals.size(); ++local) {
      const bool is_float = locals[local] == ValueKind::F32 || locals[local] == ValueKind::F64;
      if (is_float == floats && weights.uses[local] >= least) candidates.push_back(local);
    }
    const std::size_t number = std::min<std::size_t>(count, candidates.size());
    std::partial_sort(candidates.begin(), candidates.begin() + static_cast<std::ptrdiff_t>(number), candidates.end(),
                      [&](std::uint32_t a, std::uint32_t b) {
                        return weights.uses[a] != weights.uses[b] ? weights.uses[a] > weights.uses[b] : a < b;
                      });
    for (unsigned n = 0; n < number; ++n) {
      chosen[n] = candidates[n];
      mask |= 1u << n;
      if (weights.written[candidates[n]]) written |= 1u << n;
    }
  };
  choose(false, pins.integers, integer_pins, pins.integer_mask, pins.written_integers);
  choose(true, pins.floats, float_pins, pins.float_mask, pins.written_floats);
  return pins;
}

}  // namespace tfvm::interpreter
