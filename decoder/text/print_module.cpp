// Fields by their kind; instructions by the disassembler (print_module.hpp).
#include "decoder/text/print_module.hpp"

#include <unordered_map>

#include "decoder/const_expr.hpp"
#include "decoder/decode_types.hpp"
#include "decoder/disassemble.hpp"
#include "decoder/limits.hpp"
#include "decoder/reader.hpp"

namespace tfvm::text {
namespace {

std::string number(std::uint64_t value) { return std::to_string(value); }

/// A string literal: bytes that are not printable ASCII as \hh.
std::string literal(std::span<const std::uint8_t> bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text = "\"";
  for (const std::uint8_t byte : bytes) {
    if (byte >= 0x20 && byte < 0x7f && byte != '"' && byte != '\\') {
      text += static_cast<char>(byte);
      continue;
    }
    text += '\\';
    text += digits[byte >> 4];
    text += digits[byte & 15];
  }
  return text + "\"";
}
std::string literal(std::string_view text) {
  return literal({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
}

const char* keyword(ExternKind kind) {
  switch (kind) {
    case ExternKind::Function: return "func";
    case ExternKind::Table: return "table";
    case ExternKind::Memory: return "memory";
    case ExternKind::Global: return "global";
    case ExternKind::Tag: return "tag";
  }
  return "";
}

std::string limits_text(AddressType address_type, const Limits& limits) {
  std::string text = address_type == AddressType::I64 ? "i64 " : "";
  text += number(limits.minimum);
  return limits.has_maximum ? text + " " + number(limits.maximum) : text;
}

class Printer {
 public:
  explicit Printer(const Module& module) : module_(module), disassembler_(module) {
    for (std::size_t i = 0; i < module.types.size(); ++i)
      type_indices_.try_emplace(module.types[i]->id, static_cast<std::uint32_t>(i));
  }

  std::string run() {
    out_ = "(module\n";
    types();
    for (const Import& import : module_.imports)
      line("(import " + literal(import.module) + " " + literal(import.name) + " (" + keyword(import.kind) + " " +
           extern_type(import.kind, import.index) + "))");
    for (std::uint32_t i = module_.imported_functions; i < module_.functions.size(); ++i) function(i);
    definitions();
    for (const Export& item : module_.exports)
      line("(export " + literal(item.name) + " (" + keyword(item.kind) + " " + number(item.index) + "))");
    if (module_.start) line("(start " + number(*module_.start) + ")");
    for (const ElementSegment& segment : module_.elements) line(element_segment(segment));
    for (const DataSegment& segment : module_.data) line(data_segment(segment));
    return std::move(out_) + ")\n";
  }

 private:
  void line(const std::string& text) {
    out_ += "  " + text + "\n";
    if (out_.size() > tfvm::limits::module_size_bytes)
      fail(ErrorKind::Limit, "the text is larger than " + number(tfvm::limits::module_size_bytes) + " bytes",
           no_offset);
  }

  // ---- Types ----

  /// Canonical ids mean nothing in a text: the index in the group that is being printed, since another group of the
  /// same types would be another type; else the first index of the module with this type.
  std::uint32_t type_index(TypeId id) const {
    const auto found = group_indices_.find(id);
    return found != group_indices_.end() ? found->second : type_indices_.at(id);
  }
  std::string type_text(ValueType type) const {
    if (type.kind() == ValueKind::I8) return "i8";
    if (type.kind() == ValueKind::I16) return "i16";
    if (!type.is_ref() || type.heap() != HeapKind::Defined) return to_string(type);
    return (type.is_nullable() ? "(ref null " : "(ref ") + number(type_index(type.id())) + ")";
  }
  std::string list(const char* head, const std::vector<ValueType>& types) const {
    if (types.empty()) return {};
    std::string text = std::string(" (") + head;
    for (const ValueType type : types) text += " " + type_text(type);
    return text + ")";
  }
  std::string field_type(const FieldType& field) const {
    return field.is_mutable ? "(mut " + type_text(field.type) + ")" : type_text(field.type);
  }
  std::string composite_type(const CompositeType& type) const {
    if (type.kind == CompositeKind::Function)
      return "(func" + list("param", type.function.params) + list("result", type.function.results) + ")";
    if (type.kind == CompositeKind::Array) return "(array " + field_type(type.fields[0]) + ")";
    std::string text = "(struct";
    for (const FieldType& field : type.fields) text += " (field " + field_type(field) + ")";
    return text + ")";
  }
  std::string definition(const DefinedType& type) const {
    const std::string composite = composite_type(type.composite);
    if (type.is_final && type.supertype == nullptr) return "(type " + composite + ")";
    std::string text = type.is_final ? "(type (sub final " : "(type (sub ";
    if (type.supertype != nullptr) text += number(type_index(type.supertype->id)) + " ";
    return text + composite + "))";
  }
  void types() {
    std::uint32_t begin = 0;
    for (const auto& group : module_.groups) {
      const bool is_explicit = group->size() != 1;
      for (std::uint32_t i = 0; i < group->size(); ++i) group_indices_.try_emplace(group->type(i).id, begin + i);
      if (is_explicit) line("(rec");
      for (std::uint32_t i = 0; i < group->size(); ++i) line((is_explicit ? "  " : "") + definition(group->type(i)));
      if (is_explicit) line(")");
      group_indices_.clear();
      begin += group->size();
    }
  }

  std::string table_type(const TableType& type) const {
    return limits_text(type.address_type, type.limits) + " " + type_text(type.element);
  }
  std::string global_type(const GlobalType& type) const {
    return type.is_mutable ? "(mut " + type_text(type.value) + ")" : type_text(type.value);
  }
  std::string extern_type(ExternKind kind, std::uint32_t index) const {
    switch (kind) {
      case ExternKind::Function: return "(type " + number(module_.functions[index].type_index) + ")";
      case ExternKind::Table: return table_type(module_.tables[index].type);
      case ExternKind::Memory: return limits_text(module_.memories[index].address_type, module_.memories[index].limits);
      case ExternKind::Global: return global_type(module_.globals[index].type);
      case ExternKind::Tag: return "(type " + number(module_.tags[index]) + ")";
    }
    return {};
  }

  // ---- Definitions ----

  std::string instructions(Reader& reader) const {
    std::string text;
    for_each_instruction(reader, module_, [&](const Instruction& instruction) {
      const std::string item = disassembler_.instruction(instruction);
      text += " " + item.substr(0, item.find(" ;;"));
    });
    return text;
  }
  std::string expression(ByteRange range) const {
    Reader reader(module_.bytes(), range.offset, range.offset + range.size);
    return instructions(reader);
  }

  void definitions() {
    for (std::size_t i = module_.imported_tables; i < module_.tables.size(); ++i) {
      const Table& table = module_.tables[i];
      line("(table " + table_type(table.type) + (table.initializer.size == 0 ? "" : expression(table.initializer)) +
           ")");
    }
    for (std::size_t i = module_.imported_memories; i < module_.memories.size(); ++i)
      line("(memory " + extern_type(ExternKind::Memory, static_cast<std::uint32_t>(i)) + ")");
    for (std::size_t i = module_.imported_tags; i < module_.tags.size(); ++i)
      line("(tag (type " + number(module_.tags[i]) + "))");
    for (std::size_t i = module_.imported_globals; i < module_.globals.size(); ++i)
      line("(global " + global_type(module_.globals[i].type) + expression(module_.globals[i].initializer) + ")");
  }

  void locals(std::uint32_t index) {
    const ByteRange body = module_.functions[index].body;
    Reader reader(module_.bytes(), body.offset, body.offset + body.size);
    for (std::uint32_t runs = reader.u32(); runs > 0; --runs) {
      const std::uint32_t count = reader.u32();
      const std::uint32_t offset = reader.offset();
      if (count > tfvm::limits::locals) fail(ErrorKind::Limit, "too many locals", offset);
      const std::string type = type_text(read_value_type(reader, {module_}, FeatureSet::all()));
      std::string text = "  (local";
      for (std::uint32_t i = 0; i < count; ++i) text += " " + type;
      line(text + ")");
    }
  }

  void function(std::uint32_t index) {
    line("(func (;" + number(index) + ";) " + extern_type(ExternKind::Function, index));
    locals(index);
    // The last end belongs to the function, whose end is a parenthesis.
    std::string last;
    const auto done = disassembler_.function(index, [&](const DisassemblyLine& item) {
      if (item.text.starts_with("local ")) return;
      if (!last.empty()) line(last);
      last = std::string(2 + 2 * std::min<std::uint32_t>(item.depth, 32), ' ') + item.text;
    });
    if (!done) throw DecodeFailure{done.error()};
    line(")");
  }

  std::string element_segment(const ElementSegment& segment) const {
    std::string text = "(elem ";
    if (segment.mode == SegmentMode::Declarative) text += "declare ";
    if (segment.mode == SegmentMode::Active)
      text += "(table " + number(segment.table_index) + ") (offset" + expression(segment.offset) + ") ";
    if (!segment.holds_expressions) {
      text += "func";
      for_each_function_index(module_, segment, [&](std::uint32_t index) { text += " " + number(index); });
      return text + ")";
    }
    text += type_text(segment.type);
    Reader reader(module_.bytes(), segment.items.offset, segment.items.offset + segment.items.size);
    for (std::uint32_t i = 0; i < segment.count; ++i) text += " (item" + instructions(reader) + ")";
    return text + ")";
  }

  std::string data_segment(const DataSegment& segment) const {
    std::string text = "(data ";
    if (segment.mode == SegmentMode::Active)
      text += "(memory " + number(segment.memory_index) + ") (offset" + expression(segment.offset) + ") ";
    return text + literal(module_.bytes(segment.bytes)) + ")";
  }

  const Module& module_;
  Disassembler disassembler_;
  std::unordered_map<TypeId, std::uint32_t> type_indices_;
  std::unordered_map<TypeId, std::uint32_t> group_indices_;  ///< types of the group that is being printed
  std::string out_;
};

}  // namespace

Result<std::string> print_module(const Module& module) {
  try {
    return Printer(module).run();
  } catch (const DecodeFailure& failure) {
    return failure.error;
  }
}

}  // namespace tfvm::text
