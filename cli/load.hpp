// From a path to a module that may run or be looked at, with errors that name the file.
#pragma once

#include <memory>
#include <string>

#include "cli/failure.hpp"
#include "cli/report.hpp"
#include "vm/runtime.hpp"

namespace tfvm::cli {

/// Reads, decodes and validates `path`. Throws Failure: "prog.wasm: invalid: ... (offset 0x2c, section code)".
std::shared_ptr<const LoadedModule> load_module_file(const Engine& engine, const std::string& path,
                                                     const Report& report);

}  // namespace tfvm::cli
