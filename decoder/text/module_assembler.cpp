// Declarations of names, and the fields that are neither functions nor segments (module_assembler.hpp).
#include "decoder/text/module_assembler.hpp"

#include <array>

namespace tfvm::text {
namespace {

struct NamedKind {
  std::string_view name;
  ExternKind kind;
};
constexpr std::array kinds = {NamedKind{"func", ExternKind::Function}, NamedKind{"table", ExternKind::Table},
                              NamedKind{"memory", ExternKind::Memory}, NamedKind{"global", ExternKind::Global},
                              NamedKind{"tag", ExternKind::Tag}};

std::optional<ExternKind> accept_kind(TokenStream& stream) {
  for (const NamedKind& entry : kinds)
    if (stream.accept_atom(entry.name)) return entry.kind;
  return std::nullopt;
}

ExternKind expect_kind(TokenStream& stream) {
  const auto kind = accept_kind(stream);
  if (!kind) stream.fail_unexpected();
  return *kind;
}

void put_section(std::uint32_t id, const Entries& entries, Bytes& out) {
  if (entries.count == 0) return;
  Bytes count;
  count.u32(entries.count);
  out.byte(id);
  out.u32(static_cast<std::uint32_t>(count.size() + entries.bytes.size()));
  out.append(count.span());
  out.append(entries.bytes.span());
}

void put_number_section(std::uint32_t id, std::uint32_t number, Bytes& out) {
  Bytes contents;
  contents.u32(number);
  out.byte(id);
  out.sized(contents.span());
}

}  // namespace

// ---- Names of everything --------------------------------------------------------------------------------------------

NameSpace& ModuleAssembler::space(ExternKind kind) {
  switch (kind) {
    case ExternKind::Function: return scope_.functions;
    case ExternKind::Table: return scope_.tables;
    case ExternKind::Memory: return scope_.memories;
    case ExternKind::Global: return scope_.globals;
    case ExternKind::Tag: return scope_.tags;
  }
  return scope_.functions;
}

void ModuleAssembler::declare() {
  while (stream_.is(TokenKind::Open)) {
    const std::size_t begin = stream_.position();
    fields_.push_back(begin);
    stream_.next();
    if (stream_.accept_atom("type")) {
      type_fields_.push_back(begin);
      declare_type();
    } else if (stream_.accept_atom("rec")) {
      type_fields_.push_back(begin);
      declare_group();
    } else if (stream_.accept_atom("import")) {
      declare_import();
    } else if (const auto kind = accept_kind(stream_)) {
      declare_definition(*kind);
    } else if (stream_.is_atom("elem") || stream_.is_atom("data")) {
      NameSpace& segments = stream_.is_atom("elem") ? scope_.elements : scope_.data;
      stream_.next();
      const std::size_t offset = stream_.offset();
      segments.add(stream_.accept_id(), offset);
    } else if (!stream_.is_atom("export") && !stream_.is_atom("start")) {
      stream_.fail_unexpected();
    }
    stream_.skip_to_close();
  }
}

void ModuleAssembler::declare_type() {
  const std::size_t offset = stream_.offset();
  scope_.types.names.add(stream_.accept_id(), offset);
}

void ModuleAssembler::declare_group() {
  while (stream_.accept_form("type")) {
    declare_type();
    stream_.skip_to_close();
  }
}

void ModuleAssembler::refuse_late_import(std::size_t offset) const {
  if (first_definition_) fail_text("import after " + std::string(to_string(*first_definition_)), offset);
}

void ModuleAssembler::declare_import() {
  refuse_late_import(stream_.offset());
  stream_.string();
  stream_.string();
  stream_.expect(TokenKind::Open);
  const ExternKind kind = expect_kind(stream_);
  const std::size_t offset = stream_.offset();
  space(kind).add(stream_.accept_id(), offset);
  stream_.skip_to_close();
}

void ModuleAssembler::declare_definition(ExternKind kind) {
  const std::size_t offset = stream_.offset();
  space(kind).add(stream_.accept_id(), offset);
  while (stream_.accept_form("export")) stream_.skip_to_close();
  if (stream_.is_form("import")) return refuse_late_import(offset);
  if (!first_definition_) first_definition_ = kind;
  if (kind == ExternKind::Table || kind == ExternKind::Memory) declare_inline_segments(kind);
}

/// (table ... (elem ...)) and (memory ... (data ...)) define a segment, too.
void ModuleAssembler::declare_inline_segments(ExternKind kind) {
  while (!stream_.is(TokenKind::Close) && !stream_.is(TokenKind::End)) {
    if (kind == ExternKind::Table && stream_.is_form("elem")) scope_.elements.add_unnamed(1);
    if (kind == ExternKind::Memory && stream_.is_form("data")) scope_.data.add_unnamed(1);
    if (stream_.next().kind == TokenKind::Open) stream_.skip_to_close();
  }
}

// ---- Fields ---------------------------------------------------------------------------------------------------------

void ModuleAssembler::fields() {
  declare();
  const std::size_t end = stream_.position();
  for (const std::size_t position : type_fields_) {
    stream_.seek(position);
    if (stream_.accept_form("type")) {
      scope_.types.define_type(stream_);
    } else {
      stream_.expect_form("rec");
      scope_.types.define_group(stream_);
    }
  }
  for (const std::size_t position : fields_) {
    stream_.seek(position);
    field();
  }
  stream_.seek(end);
}

void ModuleAssembler::field() {
  if (stream_.is_form("type") || stream_.is_form("rec")) return;
  stream_.expect(TokenKind::Open);
  if (stream_.accept_atom("import")) return import_field();
  if (stream_.accept_atom("export")) return export_field();
  if (stream_.accept_atom("start")) return start_field();
  if (stream_.accept_atom("elem")) return element_field();
  if (stream_.accept_atom("data")) return data_field();
  switch (expect_kind(stream_)) {
    case ExternKind::Function: return function_field();
    case ExternKind::Table: return table_field();
    case ExternKind::Memory: return memory_field();
    case ExternKind::Global: return global_field();
    case ExternKind::Tag: return tag_field();
  }
}

void ModuleAssembler::import_field() {
  imports_.bytes.name(stream_.name());
  imports_.bytes.name(stream_.name());
  stream_.expect(TokenKind::Open);
  const ExternKind kind = expect_kind(stream_);
  ++next_[static_cast<std::size_t>(kind)];
  stream_.accept_id();
  extern_type(kind, imports_.bytes);
  ++imports_.count;
  stream_.expect(TokenKind::Close);
  stream_.expect(TokenKind::Close);
}

void ModuleAssembler::export_field() {
  const std::string name = stream_.name();
  stream_.expect(TokenKind::Open);
  const ExternKind kind = expect_kind(stream_);
  add_export(name, kind, space(kind).index(stream_));
  stream_.expect(TokenKind::Close);
  stream_.expect(TokenKind::Close);
}

void ModuleAssembler::start_field() {
  if (start_) fail_text("multiple start sections", stream_.offset());
  start_ = scope_.functions.index(stream_);
  stream_.expect(TokenKind::Close);
}

void ModuleAssembler::add_export(std::string_view name, ExternKind kind, std::uint32_t index) {
  exports_.bytes.name(name);
  exports_.bytes.byte(static_cast<std::uint32_t>(kind));
  exports_.bytes.u32(index);
  ++exports_.count;
}

bool ModuleAssembler::inline_exports_and_import(ExternKind kind, std::uint32_t index) {
  while (stream_.accept_form("export")) {
    add_export(stream_.name(), kind, index);
    stream_.expect(TokenKind::Close);
  }
  if (!stream_.accept_form("import")) return false;
  imports_.bytes.name(stream_.name());
  imports_.bytes.name(stream_.name());
  stream_.expect(TokenKind::Close);
  extern_type(kind, imports_.bytes);
  ++imports_.count;
  stream_.expect(TokenKind::Close);
  return true;
}

/// The type of an import, behind its kind (section 5.5.5).
void ModuleAssembler::extern_type(ExternKind kind, Bytes& out) {
  out.byte(static_cast<std::uint32_t>(kind));
  switch (kind) {
    case ExternKind::Function: return out.u32(scope_.types.type_use(stream_, ParamNames::Allowed).index);
    case ExternKind::Table: {
      const Limits size = limits(address_type());
      TypeTable::encode(scope_.types.reference_type(stream_), out);
      return put_limits(size, out);
    }
    case ExternKind::Memory: return put_limits(limits(address_type()), out);
    case ExternKind::Global: return global_type(out);
    case ExternKind::Tag: out.byte(0); return out.u32(scope_.types.type_use(stream_, ParamNames::Allowed).index);
  }
}

/// True: i64.
bool ModuleAssembler::address_type() {
  if (stream_.accept_atom("i64")) return true;
  stream_.accept_atom("i32");
  return false;
}

ModuleAssembler::Limits ModuleAssembler::limits(bool is_64) {
  Limits limits;
  limits.is_64 = is_64;
  limits.minimum = stream_.u64();
  if (stream_.is_index()) limits.maximum = stream_.u64();
  limits.is_shared = stream_.accept_atom("shared");
  return limits;
}

void ModuleAssembler::put_limits(const Limits& limits, Bytes& out) {
  out.byte((limits.maximum ? 1u : 0u) | (limits.is_shared ? 2u : 0u) | (limits.is_64 ? 4u : 0u));
  out.u64(limits.minimum);
  if (limits.maximum) out.u64(*limits.maximum);
}

void ModuleAssembler::global_type(Bytes& out) {
  const bool is_mutable = stream_.accept_form("mut");
  scope_.types.value_type(stream_, out);
  if (is_mutable) stream_.expect(TokenKind::Close);
  out.byte(is_mutable ? 1 : 0);
}

void ModuleAssembler::global_field() {
  const std::uint32_t index = next_[static_cast<std::size_t>(ExternKind::Global)]++;
  stream_.accept_id();
  if (inline_exports_and_import(ExternKind::Global, index)) return;
  global_type(globals_.bytes);
  sequence(globals_.bytes);
  ++globals_.count;
}

void ModuleAssembler::tag_field() {
  const std::uint32_t index = next_[static_cast<std::size_t>(ExternKind::Tag)]++;
  stream_.accept_id();
  if (inline_exports_and_import(ExternKind::Tag, index)) return;
  tags_.bytes.byte(0);
  tags_.bytes.u32(scope_.types.type_use(stream_, ParamNames::Allowed).index);
  ++tags_.count;
  stream_.expect(TokenKind::Close);
}

std::vector<std::uint8_t> ModuleAssembler::bytes() const {
  Bytes out;
  out.append(std::string_view("\0asm\1\0\0\0", 8));
  put_section(1, scope_.types.section(), out);
  put_section(2, imports_, out);
  put_section(3, functions_, out);
  put_section(4, tables_, out);
  put_section(5, memories_, out);
  put_section(13, tags_, out);
  put_section(6, globals_, out);
  put_section(7, exports_, out);
  if (start_) put_number_section(8, *start_, out);
  put_section(9, elements_, out);
  if (scope_.needs_data_count) put_number_section(12, scope_.data.count(), out);
  put_section(10, code_, out);
  put_section(11, data_, out);
  return out.take();
}

}  // namespace tfvm::text
