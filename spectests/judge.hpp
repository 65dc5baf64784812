// Judges of our text format: wabt, which must make the same binary modules of a script, and the way back, from binary
// modules to text and again to binary.
#pragma once

#include "spectests/report.hpp"
#include "spectests/suite.hpp"

namespace tfvm::spectests {

/// Compares the modules of a script one by one: passed are those of which both make the same bytes, or bytes of the
/// same meaning (the same sections but for the choice between forms that mean the same). Skipped are scripts that wabt
/// does not take as a whole, with the number of our modules in them.
/// Each of our modules that is valid is also printed as text and assembled again; a difference is a failure.
Report compare_with_wabt(const Script& script, const ConvertOptions& options = {});

}  // namespace tfvm::spectests
