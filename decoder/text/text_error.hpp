// What is wrong with a text, and where: failures inside of decoder/text, and their lines for people.
// Chapter 6 of WebAssembly 3.0 says what a text is; every fault in it is of kind Malformed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "decoder/error.hpp"

namespace tfvm::text {

/// Thrown within decoder/text by what reads a text; turned into an Error at its public functions.
struct TextFailure {
  std::string message;
  std::size_t offset = 0;  ///< byte of the text
};

[[noreturn]] void fail_text(std::string message, std::size_t offset);

/// Both count from 1; the column counts characters, not bytes. A CR, a LF and a CR LF end a line.
struct TextPosition {
  std::uint32_t line = 1;
  std::uint32_t column = 1;
};
TextPosition position_of(std::string_view text, std::size_t offset);

/// "unknown operator foo (line 3, column 7)", with the offset of the byte.
Error to_error(const TextFailure& failure, std::string_view text);

/// The line with the byte at `offset`, and below it a caret under that byte; each ends with a line feed. Control
/// characters become blanks, and of a long line only what is near the byte is shown. `offset` may be the text's size.
std::string caret_lines(std::string_view text, std::size_t offset);

}  // namespace tfvm::text
