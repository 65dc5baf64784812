// Import matching (WebAssembly 3.0, sections 3.3.12 to 3.3.16, 4.7.2) and how imports are printed. Internal to vm/.
#pragma once

#include <optional>
#include <span>
#include <string>

#include "decoder/module.hpp"
#include "vm/instance.hpp"

namespace tfvm {

/// "function (i32) -> (i32)", "memory 1..2 pages of i32", ... : what `import` of `module` asks for.
std::string describe_import(const Module& module, const Import& import);

/// The Error (Unlinkable) if the externals are not what the module imports: "incompatible import type ...".
/// Limits are compared with the current sizes.
std::optional<Error> check_imports(const Module& module, std::span<const External> externals);

}  // namespace tfvm
