// Module: a decoded module (WebAssembly 3.0, chapter 2.5), immutable once decode_module has returned it.
// It owns its bytes; bodies, expressions, segments and names are ranges of them, nothing is copied.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "decoder/error.hpp"
#include "decoder/features.hpp"
#include "decoder/type_registry.hpp"
#include "decoder/types.hpp"

namespace tfvm {

/// A range of the module's bytes.
struct ByteRange {
  std::uint32_t offset = 0;
  std::uint32_t size = 0;
};

struct Import {
  std::string_view module;
  std::string_view name;
  ExternKind kind = ExternKind::Function;
  std::uint32_t index = 0;   ///< in the index space of its kind
  std::uint32_t offset = 0;  ///< byte of the entry in the module
};

struct Export {
  std::string_view name;
  ExternKind kind = ExternKind::Function;
  std::uint32_t index = 0;
  std::uint32_t offset = 0;
};

struct Function {
  std::uint32_t type_index = 0;
  const DefinedType* type = nullptr;
  ByteRange body;            ///< local declarations and expression, without the size; empty for imports
  bool is_declared = false;  ///< may be named by ref.func (appears outside of bodies, section 3.5.1)
};

struct Table {
  TableType type;
  ByteRange initializer;  ///< constant expression; empty: null
};

struct Global {
  GlobalType type;
  ByteRange initializer;  ///< constant expression; empty for imports
};

enum class SegmentMode : std::uint8_t { Passive, Active, Declarative };

struct ElementSegment {
  SegmentMode mode = SegmentMode::Passive;
  ValueType type;
  std::uint32_t table_index = 0;   ///< if active
  ByteRange offset;                ///< constant expression, if active
  bool holds_expressions = false;  ///< items are constant expressions; else function indices
  ByteRange items;                 ///< the encoded items, `count` of them, validated by the decoder to be well-formed
  std::uint32_t count = 0;
};

struct DataSegment {
  SegmentMode mode = SegmentMode::Passive;
  std::uint32_t memory_index = 0;
  ByteRange offset;  ///< constant expression, if active
  ByteRange bytes;
};

struct CustomSection {
  std::string_view name;
  ByteRange contents;  ///< behind the name
};

/// One section as it stands in the file, for `tfvm inspect`.
struct Section {
  std::uint8_t id = 0;
  ByteRange contents;
};

/// A decoded module. Shared and immutable; views into it live as long as it does.
/// Index spaces (functions, tables, memories, globals, tags) hold imports first.
class Module {
 public:
  std::span<const std::uint8_t> bytes() const { return bytes_; }
  std::span<const std::uint8_t> bytes(ByteRange range) const {
    return std::span(bytes_).subspan(range.offset, range.size);
  }
  const std::shared_ptr<TypeRegistry>& registry() const { return registry_; }

  std::vector<const DefinedType*> types;  ///< by type index; canonical
  std::vector<Import> imports;
  std::vector<Function> functions;
  std::vector<Table> tables;
  std::vector<MemoryType> memories;
  std::vector<Global> globals;
  std::vector<std::uint32_t> tags;  ///< type indices
  std::vector<Export> exports;
  std::vector<ElementSegment> elements;
  std::vector<DataSegment> data;
  std::vector<CustomSection> custom_sections;
  std::vector<Section> sections;
  std::optional<std::uint32_t> start;
  std::optional<std::uint32_t> data_count;
  std::uint32_t imported_functions = 0;
  std::uint32_t imported_tables = 0;
  std::uint32_t imported_memories = 0;
  std::uint32_t imported_globals = 0;
  std::uint32_t imported_tags = 0;
  FeatureSet features_used;  ///< filled by decode_module and validate_module

  const FunctionType& function_type(std::uint32_t function_index) const {
    return functions[function_index].type->function();
  }

  Module(std::vector<std::uint8_t> bytes, std::shared_ptr<TypeRegistry> registry)
      : features_used(FeatureSet::none()), bytes_(std::move(bytes)), registry_(std::move(registry)) {}
  Module(const Module&) = delete;
  Module& operator=(const Module&) = delete;

  std::vector<std::shared_ptr<const RecursionGroup>> groups;  ///< keeps `types` alive

 private:
  std::vector<std::uint8_t> bytes_;
  std::shared_ptr<TypeRegistry> registry_;
};

/// Decodes `bytes` (the binary format, chapter 5) into a module whose function bodies are not yet looked at.
/// Errors: Malformed, Unsupported (a feature not in `features`), Limit; Invalid for type indices out of range.
/// Time and memory are linear in the bytes.
Result<std::unique_ptr<Module>> decode_module(std::vector<std::uint8_t> bytes, std::shared_ptr<TypeRegistry> registry,
                                              FeatureSet features = {});

/// Validates a decoded module with all its function bodies (chapter 3). Fills `features_used`.
/// A body that is malformed gives Malformed. Linear time; no recursion on the native stack.
Result<Done> validate_module(Module& module, FeatureSet features = {});

/// decode_module, then validate_module.
Result<std::shared_ptr<const Module>> load_module(std::vector<std::uint8_t> bytes,
                                                  std::shared_ptr<TypeRegistry> registry, FeatureSet features = {});

}  // namespace tfvm
