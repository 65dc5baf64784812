// Types of texts (type_table.hpp). The bytes are those of section 5.3.
#include "decoder/text/type_table.hpp"

#include <array>

namespace tfvm::text {
namespace {

struct NamedByte {
  std::string_view name;
  std::uint8_t byte;
};

constexpr std::array number_types = {NamedByte{"i32", 0x7f}, NamedByte{"i64", 0x7e}, NamedByte{"f32", 0x7d},
                                     NamedByte{"f64", 0x7c}, NamedByte{"v128", 0x7b}};

constexpr std::array heap_types = {NamedByte{"exn", 0x69},      NamedByte{"array", 0x6a},  NamedByte{"struct", 0x6b},
                                   NamedByte{"i31", 0x6c},      NamedByte{"eq", 0x6d},     NamedByte{"any", 0x6e},
                                   NamedByte{"extern", 0x6f},   NamedByte{"func", 0x70},   NamedByte{"none", 0x71},
                                   NamedByte{"noextern", 0x72}, NamedByte{"nofunc", 0x73}, NamedByte{"noexn", 0x74}};

/// (ref null ht) in one word.
constexpr std::array short_references = {
    NamedByte{"exnref", 0x69},        NamedByte{"arrayref", 0x6a},    NamedByte{"structref", 0x6b},
    NamedByte{"i31ref", 0x6c},        NamedByte{"eqref", 0x6d},       NamedByte{"anyref", 0x6e},
    NamedByte{"externref", 0x6f},     NamedByte{"funcref", 0x70},     NamedByte{"nullref", 0x71},
    NamedByte{"nullexternref", 0x72}, NamedByte{"nullfuncref", 0x73}, NamedByte{"nullexnref", 0x74}};

template <std::size_t Size>
std::optional<std::uint8_t> find_byte(const std::array<NamedByte, Size>& table, const TokenStream& stream) {
  if (!stream.is(TokenKind::Atom)) return std::nullopt;
  const std::string_view word = stream.text_of(stream.peek());
  for (const NamedByte& entry : table)
    if (entry.name == word) return entry.byte;
  return std::nullopt;
}

void put_types(const std::vector<std::string>& types, Bytes& out) {
  out.u32(static_cast<std::uint32_t>(types.size()));
  for (const std::string& type : types) out.append(type);
}

}  // namespace

std::string Signature::encoded() const {
  Bytes bytes;
  put_types(params, bytes);
  put_types(results, bytes);
  return std::string(bytes.view());
}

// ---- Value types ----------------------------------------------------------------------------------------------------

void TypeTable::heap_type(TokenStream& stream, Bytes& out) const {
  if (const auto byte = find_byte(heap_types, stream)) {
    stream.next();
    out.byte(*byte);
    return;
  }
  if (!stream.is_index()) stream.fail_unexpected();
  out.s64(names.index(stream));
}

bool TypeTable::is_reference_type(const TokenStream& stream) {
  return stream.is_form("ref") || find_byte(short_references, stream).has_value();
}

ReferenceType TypeTable::reference_type(TokenStream& stream) const {
  ReferenceType type;
  if (const auto byte = find_byte(short_references, stream)) {
    stream.next();
    type.is_nullable = true;
    type.heap.byte(*byte);
    return type;
  }
  stream.expect_form("ref");
  type.is_nullable = stream.accept_atom("null");
  heap_type(stream, type.heap);
  stream.expect(TokenKind::Close);
  return type;
}

void TypeTable::encode(const ReferenceType& type, Bytes& out) {
  // An abstract heap type is one byte with bits 6 and 5 set, which no index begins with.
  const bool is_abstract = type.heap.size() == 1 && (type.heap.span()[0] & 0xc0) == 0x40;
  if (!type.is_nullable || !is_abstract) out.byte(type.is_nullable ? 0x63 : 0x64);
  out.append(type.heap.span());
}

void TypeTable::value_type(TokenStream& stream, Bytes& out) const {
  if (const auto byte = find_byte(number_types, stream)) {
    stream.next();
    out.byte(*byte);
    return;
  }
  encode(reference_type(stream), out);
}

// ---- Definitions ----------------------------------------------------------------------------------------------------

void TypeTable::storage_type(TokenStream& stream, Bytes& out) const {
  if (stream.accept_atom("i8")) return out.byte(0x78);
  if (stream.accept_atom("i16")) return out.byte(0x77);
  value_type(stream, out);
}

void TypeTable::field_type(TokenStream& stream, Bytes& out) const {
  const bool is_mutable = stream.accept_form("mut");
  storage_type(stream, out);
  if (is_mutable) stream.expect(TokenKind::Close);
  out.byte(is_mutable ? 1 : 0);
}

void TypeTable::struct_fields(TokenStream& stream, Bytes& out, Definition& definition) const {
  Bytes fields;
  while (stream.accept_form("field")) {
    const std::size_t offset = stream.offset();
    const auto id = stream.accept_id();
    while (id || !stream.is(TokenKind::Close)) {
      field_type(stream, fields);
      definition.fields.add(id, offset);
      if (id) break;
    }
    stream.expect(TokenKind::Close);
  }
  out.u32(definition.fields.count());
  out.append(fields.span());
}

void TypeTable::composite_type(TokenStream& stream, Bytes& out, Definition& definition) const {
  stream.expect(TokenKind::Open);
  if (stream.accept_atom("func")) {
    const Signature types = signature(stream, ParamNames::Allowed);
    definition.is_function = true;
    definition.function = types.encoded();
    definition.param_count = static_cast<std::uint32_t>(types.params.size());
    out.byte(0x60);
    out.append(definition.function);
  } else if (stream.accept_atom("struct")) {
    out.byte(0x5f);
    struct_fields(stream, out, definition);
  } else if (stream.accept_atom("array")) {
    out.byte(0x5e);
    field_type(stream, out);
  } else {
    stream.fail_unexpected();
  }
  stream.expect(TokenKind::Close);
}

/// Behind "(type $id?", up to its end.
void TypeTable::sub_type(TokenStream& stream, Bytes& out, bool is_alone) {
  stream.accept_id();
  Definition definition;
  if (stream.accept_form("sub")) {
    const bool is_final = stream.accept_atom("final");
    Bytes supertypes;
    std::uint32_t count = 0;
    for (; stream.is_index(); ++count) supertypes.u32(names.index(stream));
    const bool is_short = is_final && count == 0;
    if (!is_short) {
      out.byte(is_final ? 0x4f : 0x50);
      out.u32(count);
      out.append(supertypes.span());
    }
    composite_type(stream, out, definition);
    stream.expect(TokenKind::Close);
    is_alone = is_alone && is_short;
  } else {
    composite_type(stream, out, definition);
  }
  stream.expect(TokenKind::Close);
  const auto index = static_cast<std::uint32_t>(definitions_.size());
  if (is_alone && definition.is_function) functions_.try_emplace(definition.function, index);
  definitions_.push_back(std::move(definition));
}

void TypeTable::define_type(TokenStream& stream) {
  sub_type(stream, section_.bytes, true);
  ++section_.count;
}

void TypeTable::define_group(TokenStream& stream) {
  Bytes types;
  std::uint32_t count = 0;
  const std::size_t begin = stream.position();
  std::uint32_t expected = 0;
  for (; stream.is_form("type"); ++expected) {
    stream.next();
    stream.skip_to_close();
  }
  stream.seek(begin);
  for (; stream.accept_form("type"); ++count) sub_type(stream, types, expected == 1);
  stream.expect(TokenKind::Close);
  if (count != 1) {
    section_.bytes.byte(0x4e);
    section_.bytes.u32(count);
  }
  section_.bytes.append(types.span());
  ++section_.count;
}

// ---- Type uses ------------------------------------------------------------------------------------------------------

Signature TypeTable::signature(TokenStream& stream, ParamNames param_names) const {
  Signature signature;
  const auto types = [&](std::vector<std::string>& list, const std::optional<std::string>& id, std::size_t offset) {
    while (id || !stream.is(TokenKind::Close)) {
      Bytes type;
      value_type(stream, type);
      list.emplace_back(type.view());
      if (&list == &signature.params) {
        signature.param_ids.push_back(id);
        signature.param_offsets.push_back(offset);
      }
      if (id) break;
    }
    stream.expect(TokenKind::Close);
  };
  while (stream.accept_form("param")) {
    const std::size_t offset = stream.offset();
    std::optional<std::string> id;
    if (param_names == ParamNames::Allowed) id = stream.accept_id();
    types(signature.params, id, offset);
  }
  while (stream.accept_form("result")) types(signature.results, std::nullopt, 0);
  return signature;
}

std::uint32_t TypeTable::find_or_append(const Signature& signature) {
  std::string encoded = signature.encoded();
  const auto index = static_cast<std::uint32_t>(definitions_.size());
  const auto [found, is_new] = functions_.try_emplace(encoded, index);
  if (!is_new) return found->second;
  section_.bytes.byte(0x60);
  section_.bytes.append(encoded);
  ++section_.count;
  Definition definition;
  definition.is_function = true;
  definition.function = std::move(encoded);
  definition.param_count = static_cast<std::uint32_t>(signature.params.size());
  definitions_.push_back(std::move(definition));
  names.add_unnamed(1);
  return index;
}

TypeUse TypeTable::type_use(TokenStream& stream, ParamNames param_names) {
  TypeUse use;
  const std::size_t offset = stream.offset();
  const bool is_explicit = stream.accept_form("type");
  if (is_explicit) {
    use.index = names.index(stream);
    stream.expect(TokenKind::Close);
  }
  use.signature = signature(stream, param_names);
  if (stream.is_form("type") || stream.is_form("param")) stream.fail_unexpected();  // not in this order
  if (!is_explicit) use.index = find_or_append(use.signature);
  const bool is_known = use.index < definitions_.size();
  if (is_known) use.param_count = definitions_[use.index].param_count;
  if (!is_explicit || use.signature.is_empty()) return use;
  if (!is_known) fail_text("unknown type " + std::to_string(use.index), offset);
  const Definition& definition = definitions_[use.index];
  if (!definition.is_function || definition.function != use.signature.encoded())
    fail_text("inline function type differs from type " + std::to_string(use.index), offset);
  return use;
}

void TypeTable::block_type(TokenStream& stream, Bytes& out) {
  if (!stream.is_form("type")) {
    const std::size_t begin = stream.position();
    const Signature inline_types = signature(stream, ParamNames::Refused);
    if (inline_types.params.empty() && inline_types.results.size() <= 1) {
      if (inline_types.results.empty()) out.byte(0x40);
      else out.append(inline_types.results[0]);
      return;
    }
    stream.seek(begin);
  }
  out.s64(type_use(stream, ParamNames::Refused).index);
}

std::uint32_t TypeTable::field_index(TokenStream& stream, std::uint32_t type) const {
  if (stream.is(TokenKind::Id) && type < definitions_.size()) return definitions_[type].fields.index(stream);
  return stream.u32();
}

}  // namespace tfvm::text
