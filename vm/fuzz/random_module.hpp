// Pairs of random modules out of a fuzzer's bytes: valid by construction, the second imports from the first, both
// import host functions (differential.hpp defines them). Code comes from random_code.hpp.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "vm/fuzz/module_shape.hpp"

namespace tfvm::fuzz {

/// Functions of the host under the module name "host" that random modules may import.
struct HostFunctionShape {
  const char* name;
  Signature signature;
  /// What it does depends on the instance that calls.
  bool knows_caller() const { return std::string_view(name) == "grow" || std::string_view(name) == "call"; }
};
const std::vector<HostFunctionShape>& host_functions();

/// A module and what is in it. Its own functions are exported as "f<index>", memories as "m<index>", tables "t<index>",
/// globals "g<index>"; the counter of counts_steps as "steps".
struct RandomModule {
  Bytes bytes;
  ModuleShape shape;
};

/// What the bytes decide for both modules.
struct RandomModules {
  ModuleOptions options;
  RandomModule first;
  RandomModule second;
};

/// The same bytes give the same modules. Every result is a valid module.
/// `with_canonical_nans`: whatever the bytes decide, NaNs are canonical; all else stays as it is.
RandomModules random_modules(std::span<const std::uint8_t> bytes, bool with_canonical_nans = false);

/// The same, with these options.
RandomModules random_modules(std::span<const std::uint8_t> bytes, const ModuleOptions& options);

}  // namespace tfvm::fuzz
