// From a .wast file to commands, by our own text format (decoder/text). convert.hpp is the same by wabt.
#pragma once

#include <filesystem>
#include <string_view>
#include <vector>

#include "decoder/error.hpp"
#include "spectests/script.hpp"

namespace tfvm::spectests {

/// The commands of a script. A module that cannot be assembled is a command with a text_error.
/// Errors: Malformed, with line and column: the script itself cannot be read.
Result<std::vector<Command>> read_wast(std::string_view script);

/// The same for a file. Errors also Host: it cannot be read.
Result<std::vector<Command>> read_wast_file(const std::filesystem::path& path);

}  // namespace tfvm::spectests
