// A function body as the oracle executes it: decoded steps, each with where control goes from it, and what its basic
// block costs.
#pragma once

#include <cstdint>
#include <vector>

#include "decoder/instruction_reader.hpp"
#include "decoder/module.hpp"

namespace tfvm::oracle {

/// One instruction. Positions are indices of steps.
struct Step {
  Instruction instruction;
  std::uint32_t end = 0;          ///< block, loop, if, else: position of the matching `end`
  std::uint32_t otherwise = 0;    ///< if: position of its `else`, or of its `end`; a zero condition goes behind it
  std::uint32_t param_count = 0;  ///< block, loop, if: of the block type
  std::uint32_t result_count = 0;
  std::uint32_t labels = 0;  ///< br_table: index of its first label in Code::labels, the default comes last
  std::uint32_t fuel = 0;    ///< not 0: a basic block starts here and costs that much
};

struct Code {
  const FunctionType* type = nullptr;
  std::uint32_t local_count = 0;  ///< parameters included
  std::vector<Step> steps;        ///< the last one is the `end` of the function
  std::vector<std::uint32_t> labels;
};

/// Decodes a function. REQUIRES: the module was validated, the function is not imported.
Code make_code(const Module& module, std::uint32_t function_index);

}  // namespace tfvm::oracle
