// The split of a command's arguments into options and operands, by what the descriptions say of each option.
// Boost's own splitter is not used: it does not end options at the first operand, and it accepts abbreviations.
#pragma once

#include <boost/program_options/option.hpp>
#include <boost/program_options/options_description.hpp>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tfvm::cli {

/// Where options may stand.
enum class OptionsEnd : bool {
  AtFirstOperand,  ///< all behind it, options or not, are operands
  AtEnd,           ///< options and operands mix
};

struct SplitArguments {
  std::vector<boost::program_options::option> options;
  std::vector<std::string> operands;
  /// The operand that stands directly behind an option whose value is optional.
  std::optional<std::size_t> operand_of_option;
};

/// Long options as "--name VALUE" and "--name=VALUE" (optional values only so), short ones as "-n VALUE", "-nVALUE" and
/// bundled flags; "--" ends the options, "-" is an operand. `command` is for hints ("tfvm run").
/// Throws Failure (usage): unknown options, missing or surplus values.
SplitArguments split_arguments(std::span<const std::string_view> arguments,
                               const boost::program_options::options_description& description, OptionsEnd end,
                               std::string_view command);

}  // namespace tfvm::cli
