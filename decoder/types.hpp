// The types of WebAssembly 3.0 (section 2.3): value types, function/struct/array types in recursion groups, and the
// types of the externals. Concrete types are canonical (type_registry.hpp): equal ids mean equal types, across modules.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace tfvm {

/// Canonical id of a defined type in its TypeRegistry.
using TypeId = std::uint32_t;
inline constexpr TypeId no_type = 0xffffffff;

/// The head of a heap type: an abstract one, or a defined (concrete) one.
enum class HeapKind : std::uint8_t {
  Func,
  NoFunc,
  Extern,
  NoExtern,
  Any,
  Eq,
  I31,
  Struct,
  Array,
  None,
  Exn,
  NoExn,
  Defined,    ///< a canonical type id follows
  Recursive,  ///< only while a group is being interned: an index into the group follows
  Bottom,     ///< only inside the validator: below every heap type (a reference of unreachable code)
};

enum class ValueKind : std::uint8_t {
  I32,
  I64,
  F32,
  F64,
  V128,
  Ref,
  Bottom,  ///< the validator's type of an operand in unreachable code
  I8,
  I16,  ///< packed storage types of fields
};

/// A value type in 32 bits: kind, and for references nullability, heap kind and canonical id.
class ValueType {
 public:
  constexpr ValueType() = default;
  constexpr ValueType(ValueKind kind) : bits_(static_cast<std::uint32_t>(kind)) {}
  static constexpr ValueType ref(bool nullable, HeapKind heap, TypeId id = 0) {
    ValueType type(ValueKind::Ref);
    type.bits_ |= (nullable ? 0x10u : 0u) | static_cast<std::uint32_t>(heap) << 5 | id << 9;
    return type;
  }
  constexpr ValueKind kind() const { return static_cast<ValueKind>(bits_ & 0xf); }
  constexpr bool is_ref() const { return kind() == ValueKind::Ref; }
  constexpr bool is_numeric() const { return bits_ < 4; }
  constexpr bool is_nullable() const { return (bits_ & 0x10) != 0; }
  constexpr HeapKind heap() const { return static_cast<HeapKind>(bits_ >> 5 & 0xf); }
  /// REQUIRES: heap() is Defined (canonical id) or Recursive (index into the group)
  constexpr TypeId id() const { return bits_ >> 9; }
  constexpr ValueType with_nullable(bool nullable) const {
    ValueType type = *this;
    type.bits_ = nullable ? bits_ | 0x10u : bits_ & ~0x10u;
    return type;
  }
  /// A default value exists (section 2.3.3): numbers, vectors, nullable references.
  constexpr bool is_defaultable() const { return !is_ref() || is_nullable(); }
  constexpr std::uint32_t bits() const { return bits_; }
  constexpr bool operator==(const ValueType&) const = default;

 private:
  std::uint32_t bits_ = 0;
};

/// Largest canonical id that a ValueType can hold.
inline constexpr TypeId max_type_id = (1u << 23) - 1;

inline constexpr ValueType funcref = ValueType::ref(true, HeapKind::Func);
inline constexpr ValueType externref = ValueType::ref(true, HeapKind::Extern);

/// "i32", "funcref", "(ref extern)", "(ref null 7)" (canonical id)
std::string to_string(ValueType type);

struct FunctionType {
  std::vector<ValueType> params;
  std::vector<ValueType> results;
  bool operator==(const FunctionType&) const = default;
};

/// "(i32, i64) -> (f32)"
std::string to_string(const FunctionType& type);

struct FieldType {
  ValueType type;  ///< storage type: a value type, or I8 / I16
  bool is_mutable = false;
  bool operator==(const FieldType&) const = default;
};

enum class CompositeKind : std::uint8_t { Function, Struct, Array };

/// A composite type: a function type, or the fields of a struct, or the one field of an array.
struct CompositeType {
  CompositeKind kind = CompositeKind::Function;
  FunctionType function;
  std::vector<FieldType> fields;
  bool operator==(const CompositeType&) const = default;
};

class RecursionGroup;

/// One canonical type of a recursion group. Immutable; lives as long as its group (held by modules).
struct DefinedType {
  TypeId id = no_type;
  const RecursionGroup* group = nullptr;
  bool is_final = true;
  const DefinedType* supertype = nullptr;
  std::vector<TypeId> display;  ///< ids of the supertypes from the root, last its own: subtype test in one load
  CompositeType composite;

  const FunctionType& function() const { return composite.function; }
  bool is_function() const { return composite.kind == CompositeKind::Function; }
};

enum class AddressType : std::uint8_t { I32, I64 };

constexpr ValueType value_type(AddressType type) { return type == AddressType::I32 ? ValueKind::I32 : ValueKind::I64; }

struct Limits {
  std::uint64_t minimum = 0;
  std::uint64_t maximum = UINT64_MAX;  ///< meaningful if has_maximum
  bool has_maximum = false;
  bool operator==(const Limits&) const = default;
};

struct TableType {
  ValueType element;
  AddressType address_type = AddressType::I32;
  Limits limits;  ///< elements
};

struct MemoryType {
  AddressType address_type = AddressType::I32;
  Limits limits;  ///< pages of 65,536 bytes
};

struct GlobalType {
  ValueType value;
  bool is_mutable = false;
};

enum class ExternKind : std::uint8_t { Function, Table, Memory, Global, Tag };

/// "function", "table", ...
const char* to_string(ExternKind kind);

inline constexpr std::uint64_t page_size_bytes = 65536;

}  // namespace tfvm
