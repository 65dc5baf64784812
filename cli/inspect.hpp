// What `tfvm inspect` shows of a module: one description, printed for people (inspect_text.cpp) or programs
// (inspect_json.cpp). Reads the decoded module; knows nothing of the file but its name.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "decoder/disassemble.hpp"
#include "decoder/module.hpp"
#include "decoder/name_section.hpp"

namespace tfvm::cli {

/// A decoded module and what is known beside it. Lives as long as the module it refers to.
struct Inspection {
  const Module& module;
  std::string file;
  NameSection names;
  std::optional<Error> invalid;  ///< why it is no valid module, if it is not

  Inspection(const Module& inspected, std::string file_name);

  /// The name of a function from the name section, else its export's, else its import's; demangled. May be empty.
  std::string function_name(std::uint32_t function_index) const;

  /// Indices of the functions of that name (mangled or not) or index; empty if there are none.
  std::vector<std::uint32_t> find_functions(std::string_view name_or_index) const;

 private:
  std::vector<std::string> other_names_;  ///< of functions that are exported or imported, by function index
};

/// Everything about the module in lines for people; `with_functions` lists each function too.
std::string inspect_text(const Inspection& inspection, bool with_functions);

/// The instructions of one function, one a line, and an empty line. REQUIRES: it has a body.
std::string disassembly_text(const Disassembler& disassembler, std::uint32_t function_index);

/// The same as one JSON object, always with all functions, and with the code of `disassembled` ones (sorted).
std::string inspect_json(const Inspection& inspection, std::span<const std::uint32_t> disassembled);

/// "type", "custom", ...
std::string_view section_name(std::uint8_t id);

/// How many entries a section declares; none for custom and unknown sections and for the data count.
std::optional<std::size_t> section_entries(const Module& module, std::uint8_t id);

/// Names of the features that the module uses, in the order of features.def.
std::vector<std::string_view> feature_names(const Module& module);

/// "(i32) -> (i32)", "1..2 pages", "mut i32"; "unknown" if there is none of that kind and index, as may be in modules
/// that are not valid.
std::string extern_type(const Module& module, ExternKind kind, std::uint32_t index);

}  // namespace tfvm::cli
