// The host module "spectest" that official scripts import from: globals, a table of each address type, a memory and
// functions that take values and do nothing (scripts never look at what they print).
#pragma once

#include "decoder/error.hpp"
#include "vm/runtime.hpp"

namespace tfvm::spectests {

/// Defines the module in `linker`; what it holds lives in `store`. Errors: the store's limits.
Result<Done> define_spectest(Store& store, Linker& linker);

}  // namespace tfvm::spectests
