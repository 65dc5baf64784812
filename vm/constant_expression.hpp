// Evaluation of constant expressions (WebAssembly 3.0, section 4.6.5, 3.4.12): initialisers, offsets, items.
#pragma once

#include <vector>

#include "decoder/module.hpp"
#include "decoder/reader.hpp"
#include "vm/instance.hpp"

namespace tfvm {

/// Evaluates expressions of the module of one instance; keeps its operand stack between them.
/// REQUIRES: the expressions were validated, and the globals that they read are initialised.
class ConstantEvaluator {
 public:
  explicit ConstantEvaluator(ModuleInstance& instance) : instance_(instance) {}

  Slot evaluate(ByteRange expression);
  /// The expression at the reader, which ends behind its `end`.
  Slot evaluate(Reader& reader);

 private:
  ModuleInstance& instance_;
  std::vector<Slot> operands_;
};

/// Calls visit(Slot item) for each item of an element segment, in order (section 4.7.3).
template <class Visit>
void for_each_item(ModuleInstance& instance, const Module& module, const ElementSegment& segment, Visit&& visit) {
  Reader reader(module.bytes(), segment.items.offset, std::size_t{segment.items.offset} + segment.items.size);
  ConstantEvaluator evaluator(instance);
  for (std::uint32_t i = 0; i < segment.count; ++i)
    visit(segment.holds_expressions ? evaluator.evaluate(reader) : Slot::function(instance.function(reader.u32())));
}

}  // namespace tfvm
