// Modules for tests: a builder that writes the binary format section by section (chapter 5), and what the loader says
// of them. Header only; the builder checks nothing, so that malformed and invalid modules can be written as well.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "decoder/module.hpp"

namespace tfvm::test {

/// A class of its own, so that operator+ below is found for it.
class Bytes : public std::vector<std::uint8_t> {
 public:
  using vector::vector;
};

// Bytes of value types, for signatures, locals and block types.
inline constexpr std::uint8_t i32 = 0x7f, i64 = 0x7e, f32 = 0x7d, f64 = 0x7c, v128 = 0x7b;
inline constexpr std::uint8_t funcref_byte = 0x70, externref_byte = 0x6f, empty_block = 0x40;

inline Bytes operator+(Bytes left, const Bytes& right) {
  left.insert(left.end(), right.begin(), right.end());
  return left;
}

inline Bytes unsigned_leb(std::uint64_t value) {
  Bytes bytes;
  do {
    bytes.push_back(static_cast<std::uint8_t>((value & 0x7f) | (value > 0x7f ? 0x80 : 0)));
    value >>= 7;
  } while (value != 0);
  return bytes;
}

inline Bytes signed_leb(std::int64_t value) {
  for (Bytes bytes;;) {
    const auto low = static_cast<std::uint8_t>(value & 0x7f);
    value >>= 7;
    const bool is_last = value == ((low & 0x40) != 0 ? -1 : 0);
    bytes.push_back(static_cast<std::uint8_t>(low | (is_last ? 0 : 0x80)));
    if (is_last) return bytes;
  }
}

/// Length and bytes.
inline Bytes sized(const Bytes& bytes) { return unsigned_leb(bytes.size()) + bytes; }
inline Bytes name_bytes(std::string_view name) { return sized(Bytes(name.begin(), name.end())); }
inline Bytes repeat(const Bytes& bytes, std::size_t count) {
  Bytes all;
  all.reserve(bytes.size() * count);
  for (std::size_t i = 0; i < count; ++i) all.insert(all.end(), bytes.begin(), bytes.end());
  return all;
}
inline Bytes function_type_bytes(const Bytes& params, const Bytes& results) {
  return Bytes{0x60} + sized(params) + sized(results);
}

/// Collects definitions; each call returns the index in its own section (imports are not counted in).
class ModuleBuilder {
 public:
  std::uint32_t type(const Bytes& params, const Bytes& results) {
    return add(types_, function_type_bytes(params, results));
  }
  std::uint32_t raw_type(const Bytes& bytes) { return add(types_, bytes); }
  /// `description`: kind byte and type, for example {0x00} + unsigned_leb(type).
  std::uint32_t import(std::string_view module, std::string_view name, const Bytes& description) {
    return add(imports_, name_bytes(module) + name_bytes(name) + description);
  }
  /// `code` without its final end; `locals`: the vector of declarations with its count.
  std::uint32_t function(std::uint32_t type, const Bytes& code, const Bytes& locals = {0}) {
    return raw_function(type, locals + code + Bytes{0x0b});
  }
  std::uint32_t raw_function(std::uint32_t type, const Bytes& body) {
    add(bodies_, sized(body));
    return add(functions_, unsigned_leb(type));
  }
  /// `type`: reference type and limits, perhaps with 0x40 0x00 before and an initializer behind.
  std::uint32_t table(const Bytes& type) { return add(tables_, type); }
  /// `limits`: flags and sizes, for example {0x00, 1}.
  std::uint32_t memory(const Bytes& limits) { return add(memories_, limits); }
  /// `initializer` with its final end.
  std::uint32_t global(std::uint8_t type, bool is_mutable, const Bytes& initializer) {
    return add(globals_, Bytes{type, static_cast<std::uint8_t>(is_mutable ? 1 : 0)} + initializer);
  }
  std::uint32_t export_item(std::string_view name, std::uint8_t kind, std::uint32_t index) {
    return add(exports_, name_bytes(name) + Bytes{kind} + unsigned_leb(index));
  }
  std::uint32_t element(const Bytes& segment) { return add(elements_, segment); }
  std::uint32_t data(const Bytes& segment) { return add(data_, segment); }
  void start(std::uint32_t function) { start_ = unsigned_leb(function); }
  void data_count(std::uint32_t count) { data_count_ = unsigned_leb(count); }
  /// A custom section behind all others.
  void custom(std::string_view name, const Bytes& contents) {
    custom_ = custom_ + section(0, name_bytes(name) + contents);
  }

  static Bytes section(std::uint8_t id, const Bytes& contents) { return Bytes{id} + sized(contents); }
  static Bytes preamble() { return {0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00}; }

  Bytes build() const {
    Bytes bytes = preamble();
    for (const auto& [id, items] : {std::pair{1, &types_},
                                    {2, &imports_},
                                    {3, &functions_},
                                    {4, &tables_},
                                    {5, &memories_},
                                    {6, &globals_},
                                    {7, &exports_}})
      append(bytes, static_cast<std::uint8_t>(id), *items);
    if (!start_.empty()) bytes = bytes + section(8, start_);
    append(bytes, 9, elements_);
    if (!data_count_.empty()) bytes = bytes + section(12, data_count_);
    append(bytes, 10, bodies_);
    append(bytes, 11, data_);
    return bytes + custom_;
  }

 private:
  struct Items {
    std::uint32_t count = 0;
    Bytes bytes;
  };

  static std::uint32_t add(Items& items, const Bytes& bytes) {
    items.bytes.insert(items.bytes.end(), bytes.begin(), bytes.end());
    return items.count++;
  }
  static void append(Bytes& bytes, std::uint8_t id, const Items& items) {
    if (items.count != 0) bytes = bytes + section(id, unsigned_leb(items.count) + items.bytes);
  }

  Items types_, imports_, functions_, tables_, memories_, globals_, exports_, elements_, bodies_, data_;
  Bytes start_, data_count_, custom_;
};

/// What load_module says, without the place: "valid", or kind and message of the error.
inline std::string verdict(const Bytes& bytes, FeatureSet features = {}) {
  const auto module = load_module(bytes, std::make_shared<TypeRegistry>(), features);
  return module.ok() ? "valid" : std::string(to_string(module.error().kind)) + ": " + module.error().message;
}

}  // namespace tfvm::test
