// An inspection for programs (inspect.hpp).
#include <algorithm>

#include "cli/inspect.hpp"
#include "cli/json_writer.hpp"

namespace tfvm::cli {
namespace {

void write_sections(JsonWriter& json, const Module& module) {
  json.key("sections").begin_array();
  for (const Section& section : module.sections) {
    json.begin_object().member("id", section.id).member("name", section_name(section.id));
    json.member("offset", section.contents.offset).member("size", section.contents.size);
    if (const auto entries = section_entries(module, section.id)) json.member("entries", *entries);
    json.end_object();
  }
  json.end_array();
}

void write_custom_sections(JsonWriter& json, const Module& module) {
  json.key("custom_sections").begin_array();
  for (const CustomSection& section : module.custom_sections)
    json.begin_object()
        .member("name", section.name)
        .member("offset", section.contents.offset)
        .member("size", section.contents.size)
        .end_object();
  json.end_array();
}

void write_imports(JsonWriter& json, const Module& module) {
  json.key("imports").begin_array();
  for (const Import& import : module.imports)
    json.begin_object()
        .member("module", import.module)
        .member("name", import.name)
        .member("kind", to_string(import.kind))
        .member("index", import.index)
        .member("type", extern_type(module, import.kind, import.index))
        .end_object();
  json.end_array();
}

void write_exports(JsonWriter& json, const Module& module) {
  json.key("exports").begin_array();
  for (const Export& entry : module.exports)
    json.begin_object()
        .member("name", entry.name)
        .member("kind", to_string(entry.kind))
        .member("index", entry.index)
        .member("type", extern_type(module, entry.kind, entry.index))
        .end_object();
  json.end_array();
}

void write_limits(JsonWriter& json, const Limits& limits, AddressType address_type) {
  json.member("minimum", limits.minimum).key("maximum");
  if (limits.has_maximum) json.value(limits.maximum);
  else json.null();
  json.member("address_type", to_string(value_type(address_type)));
}

void write_memories(JsonWriter& json, const Module& module) {
  json.key("memories").begin_array();
  for (std::size_t i = 0; i < module.memories.size(); ++i) {
    json.begin_object().member("imported", i < module.imported_memories);
    write_limits(json, module.memories[i].limits, module.memories[i].address_type);
    json.end_object();
  }
  json.end_array();
}

void write_tables(JsonWriter& json, const Module& module) {
  json.key("tables").begin_array();
  for (std::size_t i = 0; i < module.tables.size(); ++i) {
    const TableType& type = module.tables[i].type;
    json.begin_object().member("imported", i < module.imported_tables).member("element", to_string(type.element));
    write_limits(json, type.limits, type.address_type);
    json.end_object();
  }
  json.end_array();
}

void write_globals(JsonWriter& json, const Module& module) {
  json.key("globals").begin_array();
  for (std::size_t i = 0; i < module.globals.size(); ++i) {
    const GlobalType& type = module.globals[i].type;
    json.begin_object()
        .member("imported", i < module.imported_globals)
        .member("type", to_string(type.value))
        .member("mutable", type.is_mutable)
        .end_object();
  }
  json.end_array();
}

void write_error(JsonWriter& json, const Error& error) {
  json.key("error").begin_object();
  json.member("kind", to_string(error.kind)).member("message", error.message);
  if (error.offset != no_offset) json.member("offset", error.offset);
  if (!error.section.empty()) json.member("section", error.section);
  if (error.function_index) json.member("function", *error.function_index);
  json.end_object();
}

void write_code(JsonWriter& json, const Disassembler& disassembler, std::uint32_t function_index) {
  json.key("code").begin_array();
  const auto add_line = [&json](const DisassemblyLine& line) {
    json.begin_object()
        .member("offset", line.offset)
        .member("depth", line.depth)
        .member("text", line.text)
        .end_object();
  };
  const Result<Done> done = disassembler.function(function_index, add_line);
  json.end_array();
  if (!done) write_error(json, done.error());
}

void write_functions(JsonWriter& json, const Inspection& inspection, std::span<const std::uint32_t> disassembled) {
  const Disassembler disassembler(inspection.module);
  json.key("functions").begin_array();
  for (std::uint32_t index = 0; index < inspection.module.functions.size(); ++index) {
    const Function& function = inspection.module.functions[index];
    const bool is_imported = index < inspection.module.imported_functions;
    json.begin_object().member("imported", is_imported).member("name", inspection.function_name(index));
    json.member("type", to_string(function.type->function()));
    if (!is_imported) json.member("offset", function.body.offset).member("size", function.body.size);
    if (!is_imported && std::binary_search(disassembled.begin(), disassembled.end(), index))
      write_code(json, disassembler, index);
    json.end_object();
  }
  json.end_array();
}

void write_features(JsonWriter& json, const Module& module) {
  json.key("features").begin_array();
  for (const std::string_view name : feature_names(module)) json.value(name);
  json.end_array();
}

}  // namespace

std::string inspect_json(const Inspection& inspection, std::span<const std::uint32_t> disassembled) {
  const Module& module = inspection.module;
  JsonWriter json;
  json.begin_object().member("file", inspection.file).member("size", module.bytes().size());
  json.member("name", inspection.names.module_name());
  json.member("valid", !inspection.invalid.has_value());
  if (inspection.invalid) write_error(json, *inspection.invalid);
  json.key("start");
  if (module.start) json.value(*module.start);
  else json.null();
  write_features(json, module);
  write_sections(json, module);
  write_custom_sections(json, module);
  write_imports(json, module);
  write_exports(json, module);
  write_memories(json, module);
  write_tables(json, module);
  write_globals(json, module);
  write_functions(json, inspection, disassembled);
  json.end_object();
  return json.text() + '\n';
}

}  // namespace tfvm::cli
