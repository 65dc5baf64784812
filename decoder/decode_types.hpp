// Decoding of types (section 5.3): value, reference and heap types, limits, and the types of externals.
// Internal to decoder/. All functions throw DecodeFailure.
#pragma once

#include <cstdint>

#include "decoder/features.hpp"
#include "decoder/module.hpp"
#include "decoder/reader.hpp"
#include "decoder/types.hpp"

namespace tfvm {

/// What decoding looks up and fills: the module, and the features that it may use.
struct DecodeContext {
  Module& module;
  FeatureSet features;
};

/// Throws Unsupported, naming the feature and `what` used it, unless `feature` is in `features`.
void require_feature(FeatureSet features, Feature feature, const char* what, std::uint64_t offset);

/// The type indices that can be named: those of the module, and during the decoding of a recursion group its own ones.
struct TypeScope {
  const Module& module;
  std::uint32_t group_size = 0;  ///< types of the open group, numbered from module.types.size()
};

/// A value type; Unsupported for v128 without Simd, Invalid "unknown type" for an index out of scope.
ValueType read_value_type(Reader& reader, const TypeScope& scope, FeatureSet features);
/// A reference type; "malformed reference type" for everything else.
ValueType read_reference_type(Reader& reader, const TypeScope& scope);
/// A heap type, as the nullable reference to it.
ValueType read_heap_type(Reader& reader, const TypeScope& scope);

/// The feature that entered the standard with this type.
Feature feature_of(ValueType type);

TableType read_table_type(Reader& reader, DecodeContext& context);
MemoryType read_memory_type(Reader& reader, DecodeContext& context);
GlobalType read_global_type(Reader& reader, DecodeContext& context);
/// The type index of a tag; Unsupported without Exceptions.
std::uint32_t read_tag_type(Reader& reader, DecodeContext& context);

/// A type index of the module, below types.size(): Invalid "unknown type" otherwise.
std::uint32_t read_type_index(Reader& reader, const Module& module);

/// A count of items of at least one byte each: Malformed unless that many bytes are left, Limit beyond `limit`.
std::uint32_t read_count(Reader& reader, std::uint32_t limit, const char* what);

/// The type section (section 5.5.4): decodes and canonicalises all recursion groups.
void decode_type_section(Reader& reader, DecodeContext& context);

}  // namespace tfvm
