// Whether a result, a trap or an error is what the script expects.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "spectests/script.hpp"

namespace tfvm::spectests {

/// Whether `value` fits. REQUIRES: pattern is no Vector.
bool matches(const Pattern& pattern, const Value& value);

/// Whether `values` fit `command.expected`, one by one; if `command.is_either`: whether one value fits an alternative.
bool matches(const Command& command, std::span<const Value> values);

/// Whether our text of a trap or error is meant by the script's: either may say more than the other behind a common
/// start ("uninitialized element" and "uninitialized element 2"; "unknown import" and "unknown import: env.f").
bool matches_text(std::string_view expected, std::string_view actual);

/// "i32:1 f32:0x7fc00000 funcref:null", for reports.
std::string describe(std::span<const Value> values);
std::string describe(const Command& command);

}  // namespace tfvm::spectests
