// --invoke: finding an exported function, and its arguments and results as text.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "decoder/module.hpp"
#include "vm/value.hpp"

namespace tfvm::cli {

/// Index of the function that `module` exports as `name`. Throws Failure, which says what can be called instead.
std::uint32_t find_exported_function(const Module& module, std::string_view name);

/// Index of the exported function `_start`, of type () -> (). Throws Failure: there is none (the hint says what the
/// module has instead, or that `arguments` hold an option of tfvm's), or its type is another one.
std::uint32_t find_start_function(const Module& module, std::string_view file, std::span<const std::string> arguments);

/// `texts` as values of the parameters of `type`. Throws Failure (usage): wrong number, or a text that is no such
/// value.
std::vector<Value> parse_invoke_arguments(const FunctionType& type, std::string_view name,
                                          std::span<const std::string> texts);

/// One line for each value.
std::string format_results(std::span<const Value> values);

}  // namespace tfvm::cli
