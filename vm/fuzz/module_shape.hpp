// What a random module consists of apart from its code: the index spaces that its functions may use.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "decoder/test_module.hpp"

namespace tfvm::fuzz {

using test::Bytes;
/// A value type as its byte in the binary format.
using TypeByte = std::uint8_t;

struct Signature {
  Bytes params;
  Bytes results;
  bool operator==(const Signature&) const = default;
};

struct FunctionShape {
  std::uint32_t type = 0;
};

struct MemoryShape {
  bool has_wide_addresses = false;  ///< i64
  std::uint64_t pages = 0;          ///< at least
  std::uint64_t most_pages = 0;
};

struct TableShape {
  TypeByte element = test::funcref_byte;
  std::uint32_t size = 0;  ///< at least
  std::uint32_t most = 0;
  bool has_wide_addresses = false;
};

struct GlobalShape {
  TypeByte type = test::i32;
  bool is_mutable = false;
};

struct ElementShape {
  TypeByte type = test::funcref_byte;
  std::uint32_t count = 0;
};

/// How modules are built.
struct ModuleOptions {
  /// Loops and recursion end by a counter in a global instead of by fuel.
  bool counts_steps = false;
  /// For engines with other NaNs: results of float arithmetic are made canonical.
  bool canonical_nans = false;
  // Not every engine knows these:
  bool has_several_memories = true;
  bool has_wide_memories = true;  ///< 64-bit addresses
  bool has_wide_tables = true;
  bool has_callers = true;  ///< host functions that know which instance calls
  bool has_references = true;
};

/// The index spaces. Imports come first; everything of the same kind is in the order of its indices.
struct ModuleShape {
  ModuleOptions options;
  std::vector<Signature> types;
  std::vector<FunctionShape> functions;
  std::vector<MemoryShape> memories;
  std::vector<TableShape> tables;
  std::vector<GlobalShape> globals;
  std::vector<ElementShape> elements;
  std::vector<std::uint32_t> data_sizes;
  std::uint32_t imported_functions = 0;
  std::uint32_t imported_memories = 0;
  std::uint32_t imported_tables = 0;
  std::uint32_t imported_globals = 0;

  // With counts_steps: the counter. With canonical_nans: functions that do it.
  std::uint32_t step_global = 0;
  std::uint32_t canonical_f32 = 0, canonical_f64 = 0;

  const Signature& signature(std::uint32_t function) const { return types[functions[function].type]; }
};

}  // namespace tfvm::fuzz
