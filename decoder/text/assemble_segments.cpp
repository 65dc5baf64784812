// Functions, and what fills tables and memories: element and data segments, also those within (table ...) and
// (memory ...) (module_assembler.hpp).
#include "decoder/text/instruction_parser.hpp"
#include "decoder/text/module_assembler.hpp"

namespace tfvm::text {
namespace {

constexpr std::uint32_t end_code = 0x0b;
constexpr std::uint32_t i32_const_code = 0x41;
constexpr std::uint32_t i64_const_code = 0x42;
constexpr std::uint32_t ref_func_code = 0xd2;
constexpr std::uint32_t func_heap_type = 0x70;
constexpr std::uint32_t element_kind_function = 0x00;

/// Bits of an element segment's first number (section 5.5.12).
constexpr std::uint32_t passive_or_declarative = 1;
constexpr std::uint32_t explicit_table_or_declarative = 2;
constexpr std::uint32_t expressions = 4;

ReferenceType nullable_function_reference() {
  ReferenceType type;
  type.is_nullable = true;
  type.heap.byte(func_heap_type);
  return type;
}

bool is_funcref(const ReferenceType& type) {
  return type.is_nullable && type.heap.size() == 1 && type.heap.span()[0] == func_heap_type;
}

void put_items_behind_type(const Bytes& items, std::uint32_t count, Bytes& out) {
  out.u32(count);
  out.append(items.span());
}

}  // namespace

// ---- Functions ------------------------------------------------------------------------------------------------------

/// instr*, up to the end of the field, with the end opcode.
void ModuleAssembler::sequence(Bytes& out) {
  InstructionParser(stream_, scope_, no_locals_).sequence(out);
  stream_.expect(TokenKind::Close);
  out.byte(end_code);
}

void ModuleAssembler::function_field() {
  const std::uint32_t index = next_[static_cast<std::size_t>(ExternKind::Function)]++;
  stream_.accept_id();
  if (inline_exports_and_import(ExternKind::Function, index)) return;
  const TypeUse type = scope_.types.type_use(stream_, ParamNames::Allowed);
  functions_.bytes.u32(type.index);
  ++functions_.count;
  function_body(type);
}

void ModuleAssembler::function_body(const TypeUse& type) {
  NameSpace names("local");
  const Signature& signature = type.signature;
  for (std::size_t i = 0; i < signature.param_ids.size(); ++i)
    names.add(signature.param_ids[i], signature.param_offsets[i]);
  if (signature.is_empty()) names.add_unnamed(type.param_count);
  Bytes body;
  locals(names, body);
  InstructionParser(stream_, scope_, names).sequence(body);
  stream_.expect(TokenKind::Close);
  body.byte(end_code);
  code_.bytes.sized(body.span());
  ++code_.count;
}

/// Neighbours of the same type are counted together.
void ModuleAssembler::locals(NameSpace& names, Bytes& out) {
  Entries groups;
  std::string type;
  std::uint32_t count = 0;
  const auto finish_group = [&] {
    if (count == 0) return;
    groups.bytes.u32(count);
    groups.bytes.append(type);
    ++groups.count;
    count = 0;
  };
  while (stream_.accept_form("local")) {
    const std::size_t offset = stream_.offset();
    const auto id = stream_.accept_id();
    while (id || !stream_.is(TokenKind::Close)) {
      Bytes encoded;
      scope_.types.value_type(stream_, encoded);
      names.add(id, offset);
      if (encoded.view() != type) finish_group();
      type = encoded.view();
      ++count;
      if (id) break;
    }
    stream_.expect(TokenKind::Close);
  }
  finish_group();
  put_items_behind_type(groups.bytes, groups.count, out);
}

// ---- Tables and element segments ------------------------------------------------------------------------------------

void ModuleAssembler::table_field() {
  const std::uint32_t index = next_[static_cast<std::size_t>(ExternKind::Table)]++;
  stream_.accept_id();
  if (inline_exports_and_import(ExternKind::Table, index)) return;
  const bool is_64 = address_type();
  ++tables_.count;
  if (!TypeTable::is_reference_type(stream_)) {
    const Limits size = limits(is_64);
    Bytes type;
    TypeTable::encode(scope_.types.reference_type(stream_), type);
    put_limits(size, type);
    const bool has_initializer = !stream_.is(TokenKind::Close);
    if (has_initializer) {
      tables_.bytes.byte(0x40);
      tables_.bytes.byte(0x00);
    }
    tables_.bytes.append(type.span());
    return has_initializer ? sequence(tables_.bytes) : stream_.expect(TokenKind::Close);
  }
  const ReferenceType type = scope_.types.reference_type(stream_);
  stream_.expect_form("elem");
  const Items list = stream_.is(TokenKind::Open) ? expression_items(type) : function_items(type, !is_funcref(type));
  stream_.expect(TokenKind::Close);
  stream_.expect(TokenKind::Close);
  TypeTable::encode(type, tables_.bytes);
  put_limits({is_64, false, list.count, list.count}, tables_.bytes);
  Bytes offset;
  zero_offset(is_64, offset);
  active_elements(index, offset, list);
}

void ModuleAssembler::zero_offset(bool is_64, Bytes& out) {
  out.byte(is_64 ? i64_const_code : i32_const_code);
  out.byte(0);
  out.byte(end_code);
}

/// (offset instr*), or one folded instruction.
void ModuleAssembler::offset_expression(Bytes& out) {
  if (stream_.accept_form("offset")) return sequence(out);
  InstructionParser(stream_, scope_, no_locals_).folded(out);
  out.byte(end_code);
}

/// Function indices; if `are_expressions`, each as (ref.func x).
ModuleAssembler::Items ModuleAssembler::function_items(const ReferenceType& type, bool are_expressions) {
  Items list{type, are_expressions, 0, {}};
  for (; stream_.is_index(); ++list.count) {
    const std::uint32_t function = scope_.functions.index(stream_);
    if (are_expressions) list.bytes.byte(ref_func_code);
    list.bytes.u32(function);
    if (are_expressions) list.bytes.byte(end_code);
  }
  return list;
}

/// (item instr*), or folded instructions.
ModuleAssembler::Items ModuleAssembler::expression_items(const ReferenceType& type) {
  Items list{type, true, 0, {}};
  for (; stream_.is(TokenKind::Open); ++list.count) {
    if (stream_.accept_form("item")) {
      sequence(list.bytes);
    } else {
      InstructionParser(stream_, scope_, no_locals_).folded(list.bytes);
      list.bytes.byte(end_code);
    }
  }
  return list;
}

/// A type and expressions, or functions with or without "func".
ModuleAssembler::Items ModuleAssembler::items() {
  if (TypeTable::is_reference_type(stream_)) return expression_items(scope_.types.reference_type(stream_));
  stream_.accept_atom("func");
  return function_items(nullable_function_reference(), false);
}

void ModuleAssembler::active_elements(std::uint32_t table, const Bytes& offset, const Items& list) {
  const bool is_short = table == 0 && (!list.are_expressions || is_funcref(list.type));
  elements_.bytes.u32((is_short ? 0 : explicit_table_or_declarative) | (list.are_expressions ? expressions : 0));
  if (!is_short) elements_.bytes.u32(table);
  elements_.bytes.append(offset.span());
  if (!is_short && list.are_expressions) TypeTable::encode(list.type, elements_.bytes);
  if (!is_short && !list.are_expressions) elements_.bytes.byte(element_kind_function);
  put_items_behind_type(list.bytes, list.count, elements_.bytes);
  ++elements_.count;
}

void ModuleAssembler::element_field() {
  stream_.accept_id();
  const bool is_declarative = stream_.accept_atom("declare");
  const bool is_active = !is_declarative && stream_.is(TokenKind::Open) && !TypeTable::is_reference_type(stream_);
  if (is_active) {
    std::uint32_t table = 0;
    if (stream_.accept_form("table")) {
      table = scope_.tables.index(stream_);
      stream_.expect(TokenKind::Close);
    }
    Bytes offset;
    offset_expression(offset);
    active_elements(table, offset, items());
    return stream_.expect(TokenKind::Close);
  }
  if (!TypeTable::is_reference_type(stream_) && !stream_.is_atom("func")) stream_.fail_unexpected();
  const Items list = items();
  elements_.bytes.u32(passive_or_declarative | (is_declarative ? explicit_table_or_declarative : 0) |
                      (list.are_expressions ? expressions : 0));
  if (list.are_expressions) TypeTable::encode(list.type, elements_.bytes);
  else elements_.bytes.byte(element_kind_function);
  put_items_behind_type(list.bytes, list.count, elements_.bytes);
  ++elements_.count;
  stream_.expect(TokenKind::Close);
}

// ---- Memories and data segments -------------------------------------------------------------------------------------

void ModuleAssembler::memory_field() {
  const std::uint32_t index = next_[static_cast<std::size_t>(ExternKind::Memory)]++;
  stream_.accept_id();
  if (inline_exports_and_import(ExternKind::Memory, index)) return;
  const bool is_64 = address_type();
  ++memories_.count;
  if (!stream_.accept_form("data")) {
    put_limits(limits(is_64), memories_.bytes);
    return stream_.expect(TokenKind::Close);
  }
  const std::string bytes = stream_.strings();
  stream_.expect(TokenKind::Close);
  stream_.expect(TokenKind::Close);
  const std::uint64_t pages = (bytes.size() + page_size_bytes - 1) / page_size_bytes;
  put_limits({is_64, false, pages, pages}, memories_.bytes);
  Bytes offset;
  zero_offset(is_64, offset);
  active_data(index, offset, bytes);
}

void ModuleAssembler::active_data(std::uint32_t memory, const Bytes& offset, std::string_view bytes) {
  data_.bytes.u32(memory == 0 ? 0 : 2);
  if (memory != 0) data_.bytes.u32(memory);
  data_.bytes.append(offset.span());
  data_.bytes.name(bytes);
  ++data_.count;
}

void ModuleAssembler::data_field() {
  stream_.accept_id();
  if (!stream_.is(TokenKind::Open)) {
    data_.bytes.u32(1);
    data_.bytes.name(stream_.strings());
    ++data_.count;
    return stream_.expect(TokenKind::Close);
  }
  std::uint32_t memory = 0;
  if (stream_.accept_form("memory")) {
    memory = scope_.memories.index(stream_);
    stream_.expect(TokenKind::Close);
  }
  Bytes offset;
  offset_expression(offset);
  active_data(memory, offset, stream_.strings());
  stream_.expect(TokenKind::Close);
}

}  // namespace tfvm::text
