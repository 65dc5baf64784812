// From a decoded module to the text format: what assemble_module turns into the same module again. Custom sections,
// and with them names, are not text and get lost.
#pragma once

#include <string>

#include "decoder/error.hpp"
#include "decoder/module.hpp"

namespace tfvm::text {

/// One (module ...), a line for each field and each instruction, everything by index.
/// Errors: Malformed or Unsupported bodies; Limit: the text would be larger than a text may be.
/// REQUIRES: decode_module made `module`; it need not be validated.
Result<std::string> print_module(const Module& module);

}  // namespace tfvm::text
