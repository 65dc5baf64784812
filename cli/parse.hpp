// Numbers as people write them on a command line: counts, sizes, durations, and WebAssembly values by their type.
// All functions are pure and take the whole text: none if anything of it is wrong or out of range.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "vm/value.hpp"

namespace tfvm::cli {

/// "1000", "1_000"
std::optional<std::uint64_t> parse_count(std::string_view text);

/// Bytes: "4096", "64KiB", "64K" (the same), "1.5MiB" (if whole), "64KB" (1000s). Units K, M, G, T in any case.
std::optional<std::uint64_t> parse_size(std::string_view text);

/// "300ms", "2s", "1.5m", "1h", "2" (seconds), also ns and us. Above zero and at most 100 years.
std::optional<std::chrono::nanoseconds> parse_duration(std::string_view text);

/// A value of a numeric type: integers signed or unsigned in decimal or 0x hexadecimal; floats in decimal or
/// hexadecimal, "inf", "nan", "nan:0x200000" (payload), each with a sign. For nullable references: "null".
std::optional<Value> parse_value(ValueType type, std::string_view text);

/// The shortest text that parse_value reads back: "-1", "0.1", "nan", "-nan:0x1". Integers are signed.
/// References: "null", "externref 7", "funcref".
std::string format_value(const Value& value);

}  // namespace tfvm::cli
