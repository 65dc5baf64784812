// One function for each family of operands (operands.hpp).
#include "decoder/text/operands.hpp"

#include <array>
#include <bit>

#include "decoder/text/number.hpp"

namespace tfvm::text {
namespace {

struct NamedShape {
  std::string_view name;
  Shape shape;
};
constexpr std::array shapes = {NamedShape{"i8x16", {8, 16, false}}, NamedShape{"i16x8", {16, 8, false}},
                               NamedShape{"i32x4", {32, 4, false}}, NamedShape{"i64x2", {64, 2, false}},
                               NamedShape{"f32x4", {32, 4, true}},  NamedShape{"f64x2", {64, 2, true}}};

constexpr unsigned vector_bytes = 16;

bool is_number_next(const TokenStream& stream, std::size_t ahead) {
  return stream.is(TokenKind::Atom, ahead) && is_number(stream.text_of(stream.peek(ahead)));
}

/// One instruction's operands, as the members that the functions below share.
struct Writer {
  TokenStream& stream;
  const InstructionRow& row;
  ModuleScope& scope;
  const NameSpace& locals;
  const LabelStack& labels;
  Bytes& out;

  void opcode(std::uint32_t code) const { put_opcode(row.prefix, code, out); }
  void index(const NameSpace& space) const { out.u32(space.index(stream)); }
  void optional_index(const NameSpace& space) const { out.u32(stream.is_index() ? space.index(stream) : 0); }

  void operands() const;
  void label_table() const;
  void type_table() const;
  void select_types() const;
  void segment_and(const NameSpace& segments, const NameSpace& space) const;
  void both_or_none(const NameSpace& space) const;
  void memarg() const;
  void memarg_lane() const;
  void memarg_behind_index(std::uint32_t memory) const;
  std::uint64_t equation(std::string_view name, std::uint64_t otherwise) const;
  void lane() const;
  void vector() const;
  void shuffle() const;
  void type_and(const NameSpace& space) const;
  void struct_field() const;
  void branch_on_cast() const;
};

void Writer::label_table() const {
  Bytes targets;
  std::uint32_t count = 0;
  if (!stream.is_index()) stream.fail_unexpected();
  for (; stream.is_index(); ++count) targets.u32(labels.index(stream));
  out.u32(count - 1);
  out.append(targets.span());
}

void Writer::type_table() const {
  const std::uint32_t table = stream.is_index() ? scope.tables.index(stream) : 0;
  out.u32(scope.types.type_use(stream, ParamNames::Refused).index);
  out.u32(table);
}

void Writer::select_types() const {
  constexpr std::uint32_t select = 0x1b;
  if (!stream.is_form("result")) return put_opcode(0, select, out);
  opcode(row.code);
  Bytes types;
  std::uint32_t count = 0;
  while (stream.accept_form("result"))
    for (; !stream.accept(TokenKind::Close); ++count) scope.types.value_type(stream, types);
  out.u32(count);
  out.append(types.span());
}

/// A segment, and before it, optionally, what it is for.
void Writer::segment_and(const NameSpace& segments, const NameSpace& space) const {
  const bool has_both = stream.is_index(0) && stream.is_index(1);
  const std::uint32_t index = has_both ? space.index(stream) : 0;
  out.u32(segments.index(stream));
  out.u32(index);
}

void Writer::both_or_none(const NameSpace& space) const {
  const bool is_there = stream.is_index();
  out.u32(is_there ? space.index(stream) : 0);
  out.u32(is_there ? space.index(stream) : 0);
}

/// "offset=8"; `otherwise` if there is none.
std::uint64_t Writer::equation(std::string_view name, std::uint64_t otherwise) const {
  if (!stream.is(TokenKind::Atom)) return otherwise;
  const std::string_view word = stream.text_of(stream.peek());
  if (!word.starts_with(name)) return otherwise;
  std::uint64_t value = 0;
  switch (parse_unsigned(word.substr(name.size()), 64, value)) {
    case NumberStatus::Ok: break;
    case NumberStatus::NoNumber: fail_text("unknown operator " + std::string(word), stream.offset());
    case NumberStatus::OutOfRange: fail_text("i64 constant out of range", stream.offset());
  }
  stream.next();
  return value;
}

void Writer::memarg_behind_index(std::uint32_t memory) const {
  const std::uint64_t address = equation("offset=", 0);
  const std::size_t position = stream.offset();
  const std::uint64_t align = equation("align=", row.width);
  if (!std::has_single_bit(align)) fail_text("alignment must be a power of two", position);
  const auto exponent = static_cast<std::uint32_t>(std::countr_zero(align));
  if (memory == 0) {
    out.u32(exponent);
  } else {
    out.u32(exponent | 0x40);
    out.u32(memory);
  }
  out.u64(address);
}

void Writer::memarg() const { memarg_behind_index(stream.is_index() ? scope.memories.index(stream) : 0); }

/// A number alone is the lane, not the memory.
void Writer::memarg_lane() const {
  const bool has_memory = stream.is(TokenKind::Id) ||
                          (stream.is_index() && stream.is(TokenKind::Atom, 1) &&
                           (stream.is_index(1) || stream.text_of(stream.peek(1)).find('=') != std::string_view::npos));
  memarg_behind_index(has_memory ? scope.memories.index(stream) : 0);
  lane();
}

void Writer::lane() const {
  std::uint64_t value = 0;
  const auto status =
      stream.is(TokenKind::Atom) ? parse_unsigned(stream.text_of(stream.peek()), 8, value) : NumberStatus::NoNumber;
  if (status == NumberStatus::NoNumber) stream.fail_unexpected();
  if (status == NumberStatus::OutOfRange) fail_text("i8 constant out of range", stream.offset());
  stream.next();
  out.byte(static_cast<std::uint32_t>(value));
}

void Writer::vector() const {
  const Shape lanes = shape(stream);
  unsigned count = 0;
  while (count <= lanes.lanes && is_number_next(stream, count)) ++count;
  const bool ends_there = count != 0 || stream.is(TokenKind::Open) || stream.is(TokenKind::Close);
  if (count != lanes.lanes && ends_there) fail_text("wrong number of lane literals", stream.offset());
  for (unsigned i = 0; i < lanes.lanes; ++i) {
    const std::uint64_t bits =
        lanes.is_float ? float_constant(stream, lanes.bits) : integer_constant(stream, lanes.bits);
    out.little_endian(bits, lanes.bits / 8);
  }
}

void Writer::shuffle() const {
  unsigned count = 0;
  while (count <= vector_bytes && is_number_next(stream, count)) ++count;
  if (count != vector_bytes) fail_text("invalid lane length", stream.offset());
  for (unsigned i = 0; i < vector_bytes; ++i) {
    std::uint64_t index = 0;
    if (parse_unsigned(stream.text_of(stream.peek()), 8, index) != NumberStatus::Ok)
      fail_text("i8 constant out of range", stream.offset());
    stream.next();
    out.byte(static_cast<std::uint32_t>(index));
  }
}

void Writer::type_and(const NameSpace& space) const {
  index(scope.types.names);
  index(space);
}

void Writer::struct_field() const {
  const std::uint32_t type = scope.types.names.index(stream);
  out.u32(type);
  out.u32(scope.types.field_index(stream, type));
}

void Writer::branch_on_cast() const {
  const std::uint32_t label = labels.index(stream);
  const ReferenceType from = scope.types.reference_type(stream);
  const ReferenceType to = scope.types.reference_type(stream);
  out.byte((from.is_nullable ? 1u : 0u) | (to.is_nullable ? 2u : 0u));
  out.u32(label);
  out.append(from.heap.span());
  out.append(to.heap.span());
}

void Writer::operands() const {
  switch (row.operands) {
    case Operands::None: return;
    case Operands::Label: return out.u32(labels.index(stream));
    case Operands::LabelTable: return label_table();
    case Operands::Function: return index(scope.functions);
    case Operands::TypeTable: return type_table();
    case Operands::Type: return index(scope.types.names);
    case Operands::Local: return index(locals);
    case Operands::Global: return index(scope.globals);
    case Operands::Tag: return index(scope.tags);
    case Operands::Element: return index(scope.elements);
    case Operands::Table: return optional_index(scope.tables);
    case Operands::Memory: return optional_index(scope.memories);
    case Operands::TableTable: return both_or_none(scope.tables);
    case Operands::MemoryMemory: return both_or_none(scope.memories);
    case Operands::ElementTable: return segment_and(scope.elements, scope.tables);
    case Operands::DataMemory: scope.needs_data_count = true; return segment_and(scope.data, scope.memories);
    case Operands::Data: scope.needs_data_count = true; return index(scope.data);
    case Operands::Memarg: return memarg();
    case Operands::MemargLane: return memarg_lane();
    case Operands::I32: return out.s64(static_cast<std::int32_t>(integer_constant(stream, 32)));
    case Operands::I64: return out.s64(static_cast<std::int64_t>(integer_constant(stream, 64)));
    case Operands::F32: return out.little_endian(float_constant(stream, 32), 4);
    case Operands::F64: return out.little_endian(float_constant(stream, 64), 8);
    case Operands::HeapType: return scope.types.heap_type(stream, out);
    case Operands::Vector: return vector();
    case Operands::Shuffle: return shuffle();
    case Operands::Lane: return lane();
    case Operands::StructField: return struct_field();
    case Operands::TypeCount: index(scope.types.names); return out.u32(stream.u32());
    case Operands::TypeData: scope.needs_data_count = true; return type_and(scope.data);
    case Operands::TypeElement: return type_and(scope.elements);
    case Operands::TypeType: return type_and(scope.types.names);
    case Operands::BranchOnCast: return branch_on_cast();
    case Operands::ReferenceType:
    case Operands::SelectTypes:
    case Operands::Block:
    case Operands::TryTable: return;
  }
}

}  // namespace

void put_opcode(std::uint8_t prefix, std::uint32_t code, Bytes& out) {
  if (prefix == 0) return out.byte(code);
  out.byte(prefix);
  out.u32(code);
}

std::uint64_t integer_constant(TokenStream& stream, unsigned bits) {
  std::uint64_t value = 0;
  const auto status =
      stream.is(TokenKind::Atom) ? parse_integer(stream.text_of(stream.peek()), bits, value) : NumberStatus::NoNumber;
  if (status == NumberStatus::NoNumber) stream.fail_unexpected();
  if (status == NumberStatus::OutOfRange) fail_text("constant out of range", stream.offset());
  stream.next();
  return value;
}

std::uint64_t float_constant(TokenStream& stream, unsigned bits) {
  std::uint64_t value = 0;
  auto status = NumberStatus::NoNumber;
  if (stream.is(TokenKind::Atom)) {
    const std::string_view word = stream.text_of(stream.peek());
    status = bits == 32 ? parse_f32(word, value) : parse_f64(word, value);
  }
  if (status == NumberStatus::NoNumber) stream.fail_unexpected();
  if (status == NumberStatus::OutOfRange) fail_text("constant out of range", stream.offset());
  stream.next();
  return value;
}

Shape shape(TokenStream& stream) {
  if (stream.is(TokenKind::Atom))
    for (const NamedShape& entry : shapes)
      if (entry.name == stream.text_of(stream.peek())) {
        stream.next();
        return entry.shape;
      }
  stream.fail_unexpected();
}

void put_plain_instruction(TokenStream& stream, const InstructionRow& row, ModuleScope& scope, const NameSpace& locals,
                           const LabelStack& labels, Bytes& out) {
  const Writer writer{stream, row, scope, locals, labels, out};
  if (row.operands == Operands::SelectTypes) return writer.select_types();
  if (row.operands == Operands::ReferenceType) {
    const ReferenceType type = scope.types.reference_type(stream);
    writer.opcode(row.code + (type.is_nullable ? 1u : 0u));
    return out.append(type.heap.span());
  }
  writer.opcode(row.code);
  writer.operands();
}

}  // namespace tfvm::text
