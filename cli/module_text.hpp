// Modules from files in either format: what is text is assembled.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace tfvm::cli {

/// The bytes are no binary module and begin as the text format does: with a parenthesis or a comment.
bool is_module_text(std::span<const std::uint8_t> bytes);

/// The bytes of the module in the file `path` (read_module_file); if they are text, those of the module that it stands
/// for. Throws Failure as read_module_file does, and for a text that is malformed, with the line in question.
std::vector<std::uint8_t> read_module(const std::string& path);

}  // namespace tfvm::cli
