// From the text format to the binary format (WebAssembly 3.0, chapter 6).
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "decoder/error.hpp"

namespace tfvm::text {

/// The binary module that `text` stands for: one (module ...), which may be (module binary ...) or (module quote ...),
/// or a module's fields alone. It knows every instruction and type of WebAssembly 3.0, also those that decode_module
/// refuses as Unsupported. What it makes need not be valid; that is the validator's business.
/// Errors: Malformed, with line and column in the message and the byte of the text as offset (of the innermost text,
/// if it is quoted). Linear in the text but for hashing of names; no recursion on the native stack.
Result<std::vector<std::uint8_t>> assemble_module(std::string_view text);

}  // namespace tfvm::text
