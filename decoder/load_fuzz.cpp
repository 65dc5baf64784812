// libFuzzer target: decodes, validates and disassembles raw bytes with every feature on. Whatever the input, nothing
// may crash or hang, and both paths of the validator must say the same.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <vector>

#include "decoder/const_expr.hpp"
#include "decoder/disassemble.hpp"
#include "decoder/module.hpp"
#include "decoder/name_section.hpp"
#include "decoder/validate_code.hpp"

namespace {

using namespace tfvm;

void walk_constants(const Module& module) {
  std::size_t count = 0;
  const auto visit = [&count](const auto&) { ++count; };
  for (const Global& global : module.globals)
    if (global.initializer.size != 0) for_each_instruction(module, global.initializer, visit);
  for (const ElementSegment& segment : module.elements) {
    if (!segment.holds_expressions) {
      for_each_function_index(module, segment, visit);
      continue;
    }
    Reader reader(module.bytes(), segment.items.offset, segment.items.offset + segment.items.size);
    for (std::uint32_t i = 0; i < segment.count; ++i) for_each_instruction(reader, module, visit);
  }
}

void disassemble_all(const Module& module) {
  const Disassembler disassembler(module);
  std::size_t size = 0;
  for (std::uint32_t i = 0; i < module.functions.size(); ++i) {
    size += disassembler.function_header(i).size();
    (void)disassembler.function(i, [&size](const DisassemblyLine& line) { size += line.text.size(); });
  }
}

bool are_same(const Result<Done>& a, const Result<Done>& b) {
  if (a.ok() || b.ok()) return a.ok() == b.ok();
  return a.error().to_string() == b.error().to_string();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto registry = std::make_shared<TypeRegistry>();
  {
    auto module = decode_module({data, data + size}, registry, FeatureSet::all());
    if (!module) return 0;
    disassemble_all(**module);
    const auto fast = validate_module(**module, FeatureSet::all(), ValidationPath::Fast);
    const auto plain = validate_module(**module, FeatureSet::all(), ValidationPath::Plain);
    if (!are_same(fast, plain)) std::abort();
    if (fast) walk_constants(**module);
  }
  if (registry->live_types() != 0) std::abort();
  return 0;
}
