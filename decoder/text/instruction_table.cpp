// Both tables, sorted by spelling (instruction_table.hpp).
#include "decoder/text/instruction_table.hpp"

#include <algorithm>
#include <vector>

#include "decoder/opcodes.hpp"

namespace tfvm::text {
namespace {

constexpr InstructionRow rows[] = {
#define OP(prefix, code, name, spelling, immediate, signature, width, feature, effect) \
  {spelling, prefix, code, Operands::immediate, width},
#include "decoder/opcodes.def"
#undef OP
#define TEXT_OP(prefix, code, spelling, operands, width) {spelling, prefix, code, Operands::operands, width},
#include "decoder/text/missing_opcodes.def"
#undef TEXT_OP
};

std::vector<const InstructionRow*> sorted_rows() {
  std::vector<const InstructionRow*> sorted;
  for (const InstructionRow& row : rows)
    // `select` with types is the row for both: which opcode it is shows behind the name.
    if (row.spelling != "select" || row.operands == Operands::SelectTypes) sorted.push_back(&row);
  std::sort(sorted.begin(), sorted.end(), [](const InstructionRow* a, const InstructionRow* b) {
    return a->spelling != b->spelling ? a->spelling < b->spelling : a < b;  // a row of opcodes.def comes first
  });
  return sorted;
}

}  // namespace

const InstructionRow* find_instruction(std::string_view spelling) {
  static const std::vector<const InstructionRow*> sorted = sorted_rows();
  const auto found =
      std::lower_bound(sorted.begin(), sorted.end(), spelling,
                       [](const InstructionRow* row, std::string_view wanted) { return row->spelling < wanted; });
  return found != sorted.end() && (*found)->spelling == spelling ? *found : nullptr;
}

}  // namespace tfvm::text
