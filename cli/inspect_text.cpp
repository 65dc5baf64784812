// An inspection for people (inspect.hpp).
#include <algorithm>

#include "cli/inspect.hpp"
#include "cli/text.hpp"
#include "decoder/error.hpp"

namespace tfvm::cli {
namespace {

// Deeper blocks are not indented further: code of 60,000 nested blocks would print as gigabytes of spaces.
constexpr std::uint32_t max_indentation = 40;

/// Lines of cells; all columns but the last are padded to their widest cell, up to a width that fits a terminal.
class Table {
 public:
  void add(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }

  // Under a title with the number of rows; nothing at all if there are none.
  std::string text(std::string_view title) const {
    if (rows_.empty()) return {};
    std::vector<std::size_t> widths;
    for (const auto& row : rows_)
      for (std::size_t column = 0; column < row.size(); ++column) {
        if (column == widths.size()) widths.push_back(0);
        widths[column] = std::max(widths[column], std::min(row[column].size(), max_width));
      }
    std::string text = '\n' + std::string(title) + " (" + std::to_string(rows_.size()) + ")\n";
    for (const auto& row : rows_) {
      std::string line = " ";
      for (std::size_t column = 0; column < row.size(); ++column)
        line +=
            ' ' + row[column] + std::string(std::max(widths[column], row[column].size()) - row[column].size() + 1, ' ');
      line.erase(line.find_last_not_of(' ') + 1);
      text += line + '\n';
    }
    return text;
  }

 private:
  static constexpr std::size_t max_width = 48;
  std::vector<std::vector<std::string>> rows_;
};

std::string sections(const Module& module) {
  Table table;
  auto custom = module.custom_sections.begin();
  for (const Section& section : module.sections) {
    std::string what;
    if (const auto entries = section_entries(module, section.id))
      what = *entries == 1 ? "1 entry" : std::to_string(*entries) + " entries";
    else if (section.id == 0 && custom != module.custom_sections.end()) what = '"' + printable((custom++)->name) + '"';
    table.add({std::string(section_name(section.id)), "at " + hexadecimal(section.contents.offset),
               counted(section.contents.size, "byte"), std::move(what)});
  }
  return table.text("Sections");
}

std::string imports(const Module& module) {
  Table table;
  for (const Import& import : module.imports)
    table.add({printable(import.module) + '.' + printable(import.name),
               std::string(to_string(import.kind)) + ' ' + extern_type(module, import.kind, import.index)});
  return table.text("Imports");
}

std::string exports(const Module& module) {
  Table table;
  for (const Export& entry : module.exports)
    table.add({printable(entry.name), std::string(to_string(entry.kind)) + ' ' + std::to_string(entry.index),
               extern_type(module, entry.kind, entry.index)});
  return table.text("Exports");
}

// Memories, tables or globals: index, type, and whether they are imported.
std::string index_space(const Module& module, std::string_view title, ExternKind kind, std::size_t count,
                        std::uint32_t imported) {
  Table table;
  for (std::uint32_t index = 0; index < count; ++index)
    table.add({std::to_string(index), extern_type(module, kind, index), index < imported ? "imported" : ""});
  return table.text(title);
}

std::string functions(const Inspection& inspection) {
  const Module& module = inspection.module;
  Table table;
  for (std::uint32_t index = 0; index < module.functions.size(); ++index) {
    const Function& function = module.functions[index];
    const bool is_imported = index < module.imported_functions;
    table.add({std::to_string(index), is_imported ? "imported" : "at " + hexadecimal(function.body.offset),
               is_imported ? "" : counted(function.body.size, "byte"), printable(inspection.function_name(index)),
               to_string(function.type->function())});
  }
  return table.text("Functions");
}

std::string segments(const Module& module) {
  std::uint64_t data_bytes = 0;
  for (const DataSegment& segment : module.data) data_bytes += segment.bytes.size;
  std::string text;
  if (!module.data.empty())
    text += "Data: " + counted(module.data.size(), "segment") + ", " + counted(data_bytes, "byte") + '\n';
  if (!module.elements.empty()) text += "Elements: " + counted(module.elements.size(), "segment") + '\n';
  return text;
}

std::string feature_line(const Module& module) {
  std::string text;
  for (const std::string_view name : feature_names(module)) text += (text.empty() ? "" : ", ") + std::string(name);
  return "Features: " + text + '\n';
}

}  // namespace

std::string inspect_text(const Inspection& inspection, bool with_functions) {
  const Module& module = inspection.module;
  std::string text = printable(inspection.file) + ": ";
  if (!inspection.names.module_name().empty()) text += "module '" + printable(inspection.names.module_name()) + "', ";
  text += counted(module.bytes().size(), "byte") + ", " + counted(module.functions.size(), "function") + " (" +
          std::to_string(module.imported_functions) + " imported)\n";
  text += feature_line(module);
  if (module.start) text += "Start: function " + std::to_string(*module.start) + '\n';
  text += segments(module);

  text += sections(module);
  text += imports(module);
  text += exports(module);
  text += index_space(module, "Memories", ExternKind::Memory, module.memories.size(), module.imported_memories);
  text += index_space(module, "Tables", ExternKind::Table, module.tables.size(), module.imported_tables);
  text += index_space(module, "Globals", ExternKind::Global, module.globals.size(), module.imported_globals);
  if (with_functions) text += functions(inspection);
  return text;
}

std::string disassembly_text(const Disassembler& disassembler, std::uint32_t function_index) {
  std::string text = disassembler.function_header(function_index) + '\n';
  const auto add_line = [&text](const DisassemblyLine& line) {
    std::string offset = hexadecimal(line.offset);
    offset.insert(0, offset.size() < 8 ? 8 - offset.size() : 0, ' ');
    text += offset + "  " + std::string(std::size_t{2} * std::min(line.depth, max_indentation), ' ') + line.text + '\n';
  };
  if (const Result<Done> done = disassembler.function(function_index, add_line); !done)
    text += "          " + done.error().to_string() + '\n';
  return text + '\n';
}

}  // namespace tfvm::cli
