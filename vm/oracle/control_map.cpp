// Decoding of a body into steps, and the matching of block, else and end (control_map.hpp).
#include "vm/oracle/control_map.hpp"

#include "vm/fuel.hpp"
#include "vm/function_body.hpp"

namespace tfvm::oracle {
namespace {

/// Fills the positions of ends and elses while steps come in.
class BlockMatcher {
 public:
  explicit BlockMatcher(std::vector<Step>& steps) : steps_(steps) {}

  void add(const Module& module, Step& step, std::uint32_t position) {
    switch (step.instruction.op) {
      case Op::Block:
      case Op::Loop:
      case Op::If: {
        const BlockSignature signature = block_signature(module, step.instruction.block);
        step.param_count = static_cast<std::uint32_t>(signature.params.size());
        step.result_count = static_cast<std::uint32_t>(signature.results.size());
        return open_.push_back(position);
      }
      case Op::Else: steps_[open_.back()].otherwise = position; return open_.push_back(position);
      case Op::End: return close(position);
      default: return;
    }
  }

 private:
  void close(std::uint32_t position) {
    if (open_.empty()) return;  // the end of the function
    if (steps_[open_.back()].instruction.op == Op::Else) {
      steps_[open_.back()].end = position;
      open_.pop_back();
    }
    Step& opener = steps_[open_.back()];
    opener.end = position;
    if (opener.otherwise == 0) opener.otherwise = position;
    open_.pop_back();
  }

  std::vector<Step>& steps_;
  std::vector<std::uint32_t> open_;  ///< positions of the block, loop and if that are open, each with its else
};

void add_labels(Code& code, const Module& module) {
  Step& step = code.steps.back();
  if (step.instruction.op != Op::BrTable) return;
  step.labels = static_cast<std::uint32_t>(code.labels.size());
  Reader reader(module.bytes(), step.instruction.labels_offset, module.bytes().size());
  for (std::uint32_t i = 0; i <= step.instruction.label_count; ++i) code.labels.push_back(reader.u32());
}

void add_fuel(Code& code, const std::vector<FuelRegion>& blocks) {
  auto block = blocks.begin();
  for (Step& step : code.steps) {
    if (block == blocks.end()) return;
    if (block->offset != step.instruction.offset) continue;
    step.fuel = block->cost;
    ++block;
  }
}

}  // namespace

Code make_code(const Module& module, std::uint32_t function_index) {
  Code code;
  code.type = &module.function_type(function_index);
  Reader reader = body_reader(module, function_index);
  code.local_count = static_cast<std::uint32_t>(code.type->params.size()) + skip_local_declarations(reader);
  BlockMatcher matcher(code.steps);
  while (!reader.at_end()) {
    Step& step = code.steps.emplace_back();
    read_instruction(reader, module, all_features(), step.instruction);
    matcher.add(module, step, static_cast<std::uint32_t>(code.steps.size() - 1));
    add_labels(code, module);
  }
  add_fuel(code, fuel_regions(module, function_index));
  return code;
}

}  // namespace tfvm::oracle
