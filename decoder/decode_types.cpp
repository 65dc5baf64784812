// Decoding of types (decode_types.hpp). Whether declared supertypes match is the validator's business.
#include "decoder/decode_types.hpp"

#include "decoder/limits.hpp"

namespace tfvm {
namespace {

// Section 5.3.3: the bytes of abstract heap types, as the reference types that they abbreviate.
bool abstract_heap(std::uint8_t byte, HeapKind& heap) {
  switch (byte) {
    case 0x69: heap = HeapKind::Exn; return true;
    case 0x6a: heap = HeapKind::Array; return true;
    case 0x6b: heap = HeapKind::Struct; return true;
    case 0x6c: heap = HeapKind::I31; return true;
    case 0x6d: heap = HeapKind::Eq; return true;
    case 0x6e: heap = HeapKind::Any; return true;
    case 0x6f: heap = HeapKind::Extern; return true;
    case 0x70: heap = HeapKind::Func; return true;
    case 0x71: heap = HeapKind::None; return true;
    case 0x72: heap = HeapKind::NoExtern; return true;
    case 0x73: heap = HeapKind::NoFunc; return true;
    case 0x74: heap = HeapKind::NoExn; return true;
    default: return false;
  }
}

ValueType defined_reference(std::int64_t index, const TypeScope& scope, std::uint32_t offset) {
  const std::size_t known = scope.module.types.size();
  const auto position = static_cast<std::uint64_t>(index);
  if (position < known) return ValueType::ref(true, HeapKind::Defined, scope.module.types[position]->id);
  if (position - known < scope.group_size)
    return ValueType::ref(true, HeapKind::Recursive, static_cast<TypeId>(position - known));
  fail(ErrorKind::Invalid, "unknown type " + std::to_string(index), offset);
}

// The reference type at the reader, if there is one; nothing is consumed otherwise.
bool try_read_reference_type(Reader& reader, const TypeScope& scope, ValueType& type) {
  HeapKind heap;
  const std::uint8_t byte = reader.peek();
  if (abstract_heap(byte, heap)) {
    reader.byte();
    type = ValueType::ref(true, heap);
    return true;
  }
  if (byte != 0x63 && byte != 0x64) return false;
  reader.byte();
  type = read_heap_type(reader, scope).with_nullable(byte == 0x63);
  return true;
}

struct LimitsFlags {
  bool has_maximum;
  bool is_shared;
  AddressType address_type;
};

LimitsFlags read_limits_flags(Reader& reader, DecodeContext& context) {
  const std::uint32_t offset = reader.offset();
  const std::uint8_t byte = reader.byte();
  if ((byte & ~0x07) != 0) fail_malformed("malformed limits flags", offset);
  if ((byte & 0x04) != 0) {
    require_feature(context.features, Feature::Memory64, "64-bit addresses", offset);
    context.module.features_used.add(Feature::Memory64);
  }
  return {(byte & 0x01) != 0, (byte & 0x02) != 0, (byte & 0x04) != 0 ? AddressType::I64 : AddressType::I32};
}

Limits read_limits(Reader& reader, bool has_maximum) {
  Limits result;
  result.minimum = reader.u64();
  result.has_maximum = has_maximum;
  if (has_maximum) result.maximum = reader.u64();
  return result;
}

ValueType read_storage_type(Reader& reader, const TypeScope& scope, FeatureSet features) {
  const std::uint8_t byte = reader.peek();
  if (byte != 0x78 && byte != 0x77) return read_value_type(reader, scope, features);
  reader.byte();
  return byte == 0x78 ? ValueKind::I8 : ValueKind::I16;
}

FieldType read_field_type(Reader& reader, const TypeScope& scope, FeatureSet features) {
  FieldType field;
  field.type = read_storage_type(reader, scope, features);
  const std::uint32_t offset = reader.offset();
  const std::uint8_t mutability = reader.byte();
  if (mutability > 1) fail_malformed("malformed mutability", offset);
  field.is_mutable = mutability == 1;
  return field;
}

std::vector<ValueType> read_result_type(Reader& reader, const TypeScope& scope, DecodeContext& context,
                                        std::uint32_t limit, const char* what) {
  const std::uint32_t count = read_count(reader, limit, what);
  std::vector<ValueType> types;
  types.reserve(count);
  for (std::uint32_t i = 0; i < count; ++i) {
    types.push_back(read_value_type(reader, scope, context.features));
    context.module.features_used.add(feature_of(types.back()));
  }
  return types;
}

FunctionType read_function_type(Reader& reader, const TypeScope& scope, DecodeContext& context) {
  FunctionType type;
  const std::uint32_t offset = reader.offset();
  type.params = read_result_type(reader, scope, context, limits::parameters, "parameters");
  type.results = read_result_type(reader, scope, context, limits::results, "results");
  if (type.results.size() > 1) {
    require_feature(context.features, Feature::MultiValue, "more than one result", offset);
    context.module.features_used.add(Feature::MultiValue);
  }
  return type;
}

CompositeType read_composite_type(Reader& reader, const TypeScope& scope, DecodeContext& context) {
  CompositeType type;
  const std::uint32_t offset = reader.offset();
  const std::uint8_t form = reader.byte();
  if (form == 0x60) {
    type.function = read_function_type(reader, scope, context);
    return type;
  }
  if (form != 0x5f && form != 0x5e) fail_malformed("malformed type: unknown form of a type", offset);
  context.module.features_used.add(Feature::Gc);
  type.kind = form == 0x5f ? CompositeKind::Struct : CompositeKind::Array;
  const std::uint32_t count = form == 0x5f ? read_count(reader, limits::struct_fields, "fields") : 1;
  type.fields.reserve(count);
  for (std::uint32_t i = 0; i < count; ++i) type.fields.push_back(read_field_type(reader, scope, context.features));
  return type;
}

// Section 5.3.11. `index_in_group` is the type's own position: a supertype must stand before it.
SubType read_sub_type(Reader& reader, const TypeScope& scope, DecodeContext& context, std::uint32_t index_in_group) {
  SubType type;
  const std::uint8_t form = reader.peek();
  if (form == 0x50 || form == 0x4f) {
    context.module.features_used.add(Feature::Gc);
    reader.byte();
    type.is_final = form == 0x4f;
    const std::uint32_t offset = reader.offset();
    const std::uint32_t count = read_count(reader, UINT32_MAX, "supertypes");
    if (count > 1) fail(ErrorKind::Invalid, "sub type: more than one supertype", offset);
    if (count == 1) {
      const std::uint32_t index = reader.u32();
      const std::size_t known = context.module.types.size();
      if (index < known) type.supertype = context.module.types[index];
      else if (index - known < index_in_group) type.recursive_supertype = static_cast<std::uint32_t>(index - known);
      else fail(ErrorKind::Invalid, "unknown type " + std::to_string(index) + ": a supertype must come before", offset);
    }
  }
  type.composite = read_composite_type(reader, scope, context);
  return type;
}

void decode_group(Reader& reader, DecodeContext& context) {
  Module& module = context.module;
  const std::uint32_t offset = reader.offset();
  std::uint32_t size = 1;
  if (reader.peek() == 0x4e) {
    reader.byte();
    size = read_count(reader, limits::types, "types");
    context.module.features_used.add(Feature::Gc);
  }
  if (module.types.size() + size > limits::types)
    fail(ErrorKind::Limit, "too many types: more than " + std::to_string(limits::types), offset);
  std::vector<SubType> types;
  const TypeScope scope{module, size};
  for (std::uint32_t i = 0; i < size; ++i) types.push_back(read_sub_type(reader, scope, context, i));
  if (size == 0) return;
  auto group = module.registry()->intern(std::move(types));
  if (!group) fail(group.error().kind, group.error().message, offset);
  for (std::uint32_t i = 0; i < size; ++i) module.types.push_back(&(*group)->type(i));
  module.groups.push_back(std::move(group).value());
}

}  // namespace

void require_feature(FeatureSet features, Feature feature, const char* what, std::uint64_t offset) {
  if (features.has(feature)) return;
  const FeatureInfo& row = info(feature);
  std::string message = "feature " + std::string(row.name);
  message += row.status == FeatureStatus::Missing ? " is not supported yet: " : " is turned off: ";
  fail(ErrorKind::Unsupported, message + what, offset);
}

ValueType read_heap_type(Reader& reader, const TypeScope& scope) {
  const std::uint32_t offset = reader.offset();
  HeapKind heap;
  if (abstract_heap(reader.peek(), heap)) {
    reader.byte();
    return ValueType::ref(true, heap);
  }
  const std::int64_t index = reader.s33();
  if (index < 0) fail_malformed("malformed heap type", offset);
  return defined_reference(index, scope, offset);
}

ValueType read_reference_type(Reader& reader, const TypeScope& scope) {
  ValueType type;
  if (!try_read_reference_type(reader, scope, type)) fail_malformed("malformed reference type", reader.offset());
  return type;
}

ValueType read_value_type(Reader& reader, const TypeScope& scope, FeatureSet features) {
  const std::uint32_t offset = reader.offset();
  ValueType type;
  switch (reader.peek()) {
    case 0x7f: type = ValueKind::I32; break;
    case 0x7e: type = ValueKind::I64; break;
    case 0x7d: type = ValueKind::F32; break;
    case 0x7c: type = ValueKind::F64; break;
    case 0x7b:
      require_feature(features, Feature::Simd, "value type v128", offset);
      type = ValueKind::V128;
      break;
    default:
      if (!try_read_reference_type(reader, scope, type)) fail_malformed("malformed value type", offset);
      // The features that a module uses may hold this type's own feature alone.
      if (!features.has(feature_of(type)))
        require_feature(features, Feature::ReferenceTypes, "a reference type", offset);
      return type;
  }
  reader.byte();
  return type;
}

Feature feature_of(ValueType type) {
  if (type.kind() == ValueKind::V128) return Feature::Simd;
  if (!type.is_ref()) return Feature::Mvp;
  switch (type.heap()) {
    case HeapKind::Func:
    case HeapKind::Extern: return type.is_nullable() ? Feature::ReferenceTypes : Feature::FunctionReferences;
    case HeapKind::Exn:
    case HeapKind::NoExn: return Feature::Exceptions;
    case HeapKind::Defined:
    case HeapKind::Recursive: return Feature::FunctionReferences;
    default: return Feature::Gc;
  }
}

TableType read_table_type(Reader& reader, DecodeContext& context) {
  TableType type;
  type.element = read_reference_type(reader, {context.module});
  if (type.element != funcref) context.module.features_used.add(feature_of(type.element));
  const std::uint32_t offset = reader.offset();
  const LimitsFlags flags = read_limits_flags(reader, context);
  if (flags.is_shared) fail_malformed("malformed limits flags: shared table", offset);
  type.address_type = flags.address_type;
  type.limits = read_limits(reader, flags.has_maximum);
  return type;
}

MemoryType read_memory_type(Reader& reader, DecodeContext& context) {
  MemoryType type;
  const std::uint32_t offset = reader.offset();
  const LimitsFlags flags = read_limits_flags(reader, context);
  // No set of features makes them work: nothing below knows of sharing.
  if (flags.is_shared) require_feature(FeatureSet::none(), Feature::Threads, "shared memory", offset);
  type.address_type = flags.address_type;
  type.limits = read_limits(reader, flags.has_maximum);
  return type;
}

GlobalType read_global_type(Reader& reader, DecodeContext& context) {
  GlobalType type;
  type.value = read_value_type(reader, {context.module}, context.features);
  context.module.features_used.add(feature_of(type.value));
  const std::uint32_t offset = reader.offset();
  const std::uint8_t mutability = reader.byte();
  if (mutability > 1) fail_malformed("malformed mutability", offset);
  type.is_mutable = mutability == 1;
  return type;
}

std::uint32_t read_tag_type(Reader& reader, DecodeContext& context) {
  const std::uint32_t offset = reader.offset();
  require_feature(context.features, Feature::Exceptions, "a tag", offset);
  context.module.features_used.add(Feature::Exceptions);
  if (reader.byte() != 0) fail_malformed("malformed tag attribute", offset);
  return read_type_index(reader, context.module);
}

std::uint32_t read_type_index(Reader& reader, const Module& module) {
  const std::uint32_t offset = reader.offset();
  const std::uint32_t index = reader.u32();
  if (index >= module.types.size()) fail(ErrorKind::Invalid, "unknown type " + std::to_string(index), offset);
  return index;
}

std::uint32_t read_count(Reader& reader, std::uint32_t limit, const char* what) {
  const std::uint32_t offset = reader.offset();
  const std::uint32_t count = reader.u32();
  if (count > reader.remaining())
    fail_malformed("length out of bounds: " + std::to_string(count) + " " + what + " in " +
                       std::to_string(reader.remaining()) + " bytes",
                   offset);
  if (count > limit)
    fail(ErrorKind::Limit,
         "too many " + std::string(what) + ": " + std::to_string(count) + ", at most " + std::to_string(limit), offset);
  return count;
}

void decode_type_section(Reader& reader, DecodeContext& context) {
  const std::uint32_t count = read_count(reader, limits::types, "types");
  context.module.types.reserve(count);
  for (std::uint32_t i = 0; i < count; ++i) decode_group(reader, context);
}

}  // namespace tfvm
