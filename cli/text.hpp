// Small text tools of the command line: numbers in sentences, and what a mistyped word may have meant.
// What makes foreign text safe for a terminal is printable() of decoder/error.hpp.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace tfvm::cli {

/// "0x4c"
std::string hexadecimal(std::uint64_t number);

/// "1 function", "2 functions"
std::string counted(std::uint64_t count, std::string_view noun);

/// The candidate closest to `word`, if it is close enough to be a slip of the keyboard; else empty.
std::string_view closest(std::string_view word, std::span<const std::string_view> candidates);

}  // namespace tfvm::cli
