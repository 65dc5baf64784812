// What both forms of an inspection share (inspect.hpp).
#include "cli/inspect.hpp"

#include <array>

#include "cli/parse.hpp"
#include "vm/demangle.hpp"
#include "vm/imports.hpp"

namespace tfvm::cli {
namespace {

// By section id (section 5.5.2).
constexpr std::array<std::string_view, 14> section_names = {"custom", "type",   "import",     "function", "table",
                                                            "memory", "global", "export",     "start",    "element",
                                                            "code",   "data",   "data count", "tag"};

std::size_t index_space_size(const Module& module, ExternKind kind) {
  switch (kind) {
    case ExternKind::Function: return module.functions.size();
    case ExternKind::Table: return module.tables.size();
    case ExternKind::Memory: return module.memories.size();
    case ExternKind::Global: return module.globals.size();
    case ExternKind::Tag: return module.tags.size();
  }
  return 0;
}

}  // namespace

std::string_view section_name(std::uint8_t id) { return id < section_names.size() ? section_names[id] : "unknown"; }

std::optional<std::size_t> section_entries(const Module& module, std::uint8_t id) {
  switch (id) {
    case 1: return module.groups.size();
    case 2: return module.imports.size();
    case 3:
    case 10: return module.functions.size() - module.imported_functions;
    case 4: return module.tables.size() - module.imported_tables;
    case 5: return module.memories.size() - module.imported_memories;
    case 6: return module.globals.size() - module.imported_globals;
    case 7: return module.exports.size();
    case 9: return module.elements.size();
    case 11: return module.data.size();
    case 13: return module.tags.size() - module.imported_tags;
    default: return std::nullopt;
  }
}

std::vector<std::string_view> feature_names(const Module& module) {
  std::vector<std::string_view> names;
  for (std::size_t i = 0; i < feature_count; ++i)
    if (module.features_used.has(static_cast<Feature>(i))) names.push_back(feature_infos[i].name);
  return names;
}

std::string extern_type(const Module& module, ExternKind kind, std::uint32_t index) {
  if (index >= index_space_size(module, kind)) return "unknown";
  if (kind == ExternKind::Tag) return to_string(module.types[module.tags[index]]->function());
  Import import;
  import.kind = kind;
  import.index = index;
  const std::string text = describe_import(module, import);
  return text.substr(std::string_view(to_string(kind)).size() + 1);
}

Inspection::Inspection(const Module& inspected, std::string file_name)
    : module(inspected), file(std::move(file_name)), names(NameSection::decode(inspected)) {
  other_names_.resize(module.functions.size());
  for (const Import& import : module.imports)
    if (import.kind == ExternKind::Function)
      other_names_[import.index] = std::string(import.module) + '.' + std::string(import.name);
  for (const Export& entry : module.exports)
    if (entry.kind == ExternKind::Function && entry.index < other_names_.size())
      other_names_[entry.index] = demangle(entry.name);
}

std::vector<std::uint32_t> Inspection::find_functions(std::string_view name_or_index) const {
  const std::uint32_t count = static_cast<std::uint32_t>(module.functions.size());
  std::vector<std::uint32_t> found;
  if (const std::optional<std::uint64_t> index = parse_count(name_or_index)) {
    if (*index < count) found.push_back(static_cast<std::uint32_t>(*index));
    return found;
  }
  for (std::uint32_t index = 0; index < count; ++index)
    if (names.function_name(index) == name_or_index || other_names_[index] == name_or_index ||
        function_name(index) == name_or_index)
      found.push_back(index);
  return found;
}

std::string Inspection::function_name(std::uint32_t function_index) const {
  const std::string_view name = names.function_name(function_index);
  return name.empty() ? other_names_[function_index] : demangle(name);
}

}  // namespace tfvm::cli
