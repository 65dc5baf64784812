// The custom section "name" (appendix, "Name Section"): debug names for traces and listings, decoded on demand.
// Not part of the module's meaning: a malformed one is ignored as a whole.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "decoder/module.hpp"

namespace tfvm {

/// Names of one module. The views live as long as the module. Absent names are empty.
class NameSection {
 public:
  /// Never fails: no name section, or a malformed one, gives no names. Linear in the section's bytes.
  static NameSection decode(const Module& module);

  std::string_view module_name() const { return module_name_; }
  std::string_view function_name(std::uint32_t function_index) const;
  std::string_view local_name(std::uint32_t function_index, std::uint32_t local_index) const;

 private:
  struct Name {
    std::uint32_t index;
    std::string_view name;
  };
  struct FunctionLocals {
    std::uint32_t function_index;
    std::vector<Name> names;
  };
  friend class NameSectionDecoder;

  std::string_view module_name_;
  std::vector<Name> functions_;  ///< sorted by index
  std::vector<FunctionLocals> locals_;
};

}  // namespace tfvm
