// Basic blocks and their cost in fuel (fuel.hpp).
#include "vm/fuel.hpp"

#include "decoder/instruction_reader.hpp"
#include "vm/function_body.hpp"

namespace tfvm {
namespace {

/// How an instruction bears on blocks.
enum class Boundary : std::uint8_t {
  None,    ///< an instruction inside of a block
  Opens,   ///< ends a block, the next starts behind it; opens a structured instruction
  Splits,  ///< ends a block, the next starts behind it
  Closes,  ///< else and end: the same, and code is live again behind them
  Leaves,  ///< ends a block; what follows is dead up to else or end
};

Boundary boundary(Op op) {
  switch (op) {
    case Op::Loop:
    case Op::If: return Boundary::Opens;
    case Op::BrIf:
    case Op::BrOnNull:
    case Op::BrOnNonNull: return Boundary::Splits;
    case Op::Else:
    case Op::End: return Boundary::Closes;
    case Op::Br:
    case Op::BrTable:
    case Op::Return:
    case Op::Unreachable:
    case Op::ReturnCall:
    case Op::ReturnCallIndirect:
    case Op::ReturnCallRef: return Boundary::Leaves;
    default: return Boundary::None;
  }
}

bool opens_block(Op op) { return op == Op::Block || op == Op::Loop || op == Op::If; }

}  // namespace

std::vector<FuelBlock> fuel_blocks(const Module& module, std::uint32_t function_index) {
  Reader reader = body_reader(module, function_index);
  skip_local_declarations(reader);
  std::vector<FuelBlock> blocks{{reader.offset(), 0}};
  bool is_dead = false;
  std::uint32_t dead_blocks = 0;  // opened in dead code
  Instruction instruction;
  while (!reader.at_end()) {
    read_instruction(reader, module, all_features(), instruction);
    const Boundary kind = boundary(instruction.op);
    if (is_dead) {
      if (opens_block(instruction.op)) ++dead_blocks;
      if (kind != Boundary::Closes) continue;
      if (dead_blocks > 0) {
        if (instruction.op == Op::End) --dead_blocks;
        continue;
      }
      is_dead = false;
    } else {
      ++blocks.back().cost;
      if (kind == Boundary::None) continue;
      is_dead = kind == Boundary::Leaves;
      if (is_dead) continue;
    }
    if (!reader.at_end()) blocks.push_back({reader.offset(), 0});
  }
  return blocks;
}

}  // namespace tfvm
