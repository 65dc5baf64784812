// Characters to tokens (WebAssembly 3.0, section 6.2): white space, comments and annotations go, and what is left are
// parentheses, strings, identifiers and atoms. What an atom means is the parsers' business.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "decoder/text/text_error.hpp"

namespace tfvm::text {

enum class TokenKind : std::uint8_t {
  Open,
  Close,
  String,    ///< with its quotes and escapes
  Id,        ///< $name or $"name"
  Atom,      ///< a keyword or a number
  Reserved,  ///< characters that are no token, such as "a""b" or [
  End,
};

/// A token as a range of the text.
struct Token {
  TokenKind kind = TokenKind::End;
  std::uint32_t offset = 0;
  std::uint32_t size = 0;
};

/// All tokens of `text`, the last one an End. Linear in the text; no recursion.
/// Throws TextFailure: no UTF-8, unclosed comments, strings, annotations; characters that cannot be.
std::vector<Token> tokenize(std::string_view text);

/// What a string token stands for: quotes off, escapes resolved. REQUIRES: tokenize() took it.
std::string unescape(std::string_view literal);

}  // namespace tfvm::text
