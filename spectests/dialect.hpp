// Small differences between the text format of WebAssembly 3.0 and what wabt 1.0.32 reads, as data: spellings that can
// be replaced by equal older ones, and words that tell why a form cannot be converted at all.
#pragma once

#include <string>
#include <string_view>

#include "decoder/error.hpp"

namespace tfvm::spectests {

/// The same script in older spellings: table instructions get the table index that may be omitted, (ref null func) and
/// (ref null extern) become funcref and externref. Lines stay where they are. Errors: as Lexer.
Result<std::string> to_older_spelling(std::string_view script);

/// Why wabt refuses `form`, by the words in it: "needs gc", "needs exceptions", "needs function-references", or
/// "wabt cannot convert".
std::string refusal_reason(std::string_view form);

}  // namespace tfvm::spectests
