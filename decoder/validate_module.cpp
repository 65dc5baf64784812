// validate_module (module.hpp): everything but the bodies, which CodeValidator does (section 3.5 of validation:
// modules). The order is that of the sections, so that the first error reported is the first one in the file.
#include <algorithm>
#include <new>
#include <vector>

#include "decoder/const_expr.hpp"
#include "decoder/decode_types.hpp"
#include "decoder/module.hpp"
#include "decoder/name_section.hpp"
#include "decoder/reader.hpp"
#include "decoder/validate_code.hpp"

namespace tfvm {
namespace {

constexpr std::uint64_t max_pages_32 = 1u << 16;
constexpr std::uint64_t max_pages_64 = std::uint64_t{1} << 48;

class ModuleValidator {
 public:
  ModuleValidator(Module& module, FeatureSet features, ValidationPath path)
      : module_(module), features_(features), path_(path) {}

  void validate();

  const char* section() const { return section_; }
  std::optional<std::uint32_t> function_index() const { return function_index_; }

 private:
  void check_types();
  void check_tables();
  void check_memories();
  void check_globals();
  void check_tags();
  void check_exports();
  void check_export_names();
  void check_start();
  void check_elements();
  void check_data();
  void check_bodies();
  void check_expression(ByteRange range, ValueType expected, std::uint32_t visible_globals);
  void check_function_index(std::uint32_t index, std::uint64_t offset);
  std::uint32_t global_count() const { return static_cast<std::uint32_t>(module_.globals.size()); }

  Module& module_;
  FeatureSet features_;
  ValidationPath path_;
  const char* section_ = nullptr;
  std::optional<std::uint32_t> function_index_;
};

[[noreturn]] void fail_invalid(std::string message, std::uint64_t offset) {
  fail(ErrorKind::Invalid, std::move(message), offset);
}

void check_range(const Limits& limits, std::uint64_t bound, const char* message) {
  if (limits.minimum > bound || (limits.has_maximum && limits.maximum > bound)) fail_invalid(message, no_offset);
  if (limits.has_maximum && limits.minimum > limits.maximum)
    fail_invalid("size minimum must not be greater than maximum: " + std::to_string(limits.minimum) + " > " +
                     std::to_string(limits.maximum),
                 no_offset);
}

void ModuleValidator::validate() {
  check_types();
  check_tables();
  check_memories();
  check_globals();
  check_tags();
  check_exports();
  check_start();
  check_elements();
  check_data();
  check_bodies();
}

void ModuleValidator::check_types() {
  section_ = "type";
  for (std::size_t i = 0; i < module_.types.size(); ++i) {
    const DefinedType& type = *module_.types[i];
    if (type.supertype != nullptr && !is_valid_supertype(*module_.registry(), type, *type.supertype))
      fail_invalid("sub type " + std::to_string(i) + " does not match super type", no_offset);
  }
}

void ModuleValidator::check_expression(ByteRange range, ValueType expected, std::uint32_t visible_globals) {
  Reader reader(module_.bytes(), range.offset, range.offset + range.size);
  validate_constant_expression(reader, module_, features_, expected, visible_globals);
}

void ModuleValidator::check_tables() {
  section_ = "table";
  if (module_.tables.size() > 1) {
    require_feature(features_, Feature::ReferenceTypes, "more than one table", no_offset);
    module_.features_used.add(Feature::ReferenceTypes);
  }
  for (const Table& table : module_.tables) {
    const bool is_short = table.type.address_type == AddressType::I32;
    check_range(table.type.limits, is_short ? UINT32_MAX : UINT64_MAX, "table size must be at most 2^32-1");
    // Tables come before the module's own globals, so initializers see imported ones only.
    if (table.initializer.size != 0) check_expression(table.initializer, table.type.element, module_.imported_globals);
  }
}

void ModuleValidator::check_memories() {
  section_ = "memory";
  if (module_.memories.size() > 1) {
    require_feature(features_, Feature::MultiMemory, "more than one memory", no_offset);
    module_.features_used.add(Feature::MultiMemory);
  }
  for (const MemoryType& memory : module_.memories) {
    if (memory.address_type == AddressType::I32)
      check_range(memory.limits, max_pages_32, "memory size must be at most 65536 pages (4GiB)");
    else check_range(memory.limits, max_pages_64, "memory size must be at most 2^48 pages");
  }
}

void ModuleValidator::check_globals() {
  section_ = "global";
  for (std::uint32_t i = module_.imported_globals; i < global_count(); ++i)
    check_expression(module_.globals[i].initializer, module_.globals[i].type.value, i);
}

void ModuleValidator::check_tags() {
  section_ = "tag";
  for (const std::uint32_t type_index : module_.tags) {
    const DefinedType& type = *module_.types[type_index];
    if (!type.is_function())
      fail_invalid("type mismatch: type " + std::to_string(type_index) + " of a tag is no function type", no_offset);
    if (!type.function().results.empty()) fail_invalid("non-empty tag result type", no_offset);
  }
}

void ModuleValidator::check_function_index(std::uint32_t index, std::uint64_t offset) {
  if (index >= module_.functions.size()) fail_invalid("unknown function " + std::to_string(index), offset);
}

void ModuleValidator::check_exports() {
  section_ = "export";
  const std::size_t counts[] = {module_.functions.size(), module_.tables.size(), module_.memories.size(),
                                module_.globals.size(), module_.tags.size()};
  for (const Export& item : module_.exports) {
    if (item.index >= counts[static_cast<std::size_t>(item.kind)])
      fail_invalid("unknown " + std::string(to_string(item.kind)) + " " + std::to_string(item.index), item.offset);
    if (item.kind == ExternKind::Function) module_.functions[item.index].is_declared = true;
    if (item.kind == ExternKind::Global && module_.globals[item.index].type.is_mutable) {
      require_feature(features_, Feature::MutableGlobals, "export of a mutable global", item.offset);
      module_.features_used.add(Feature::MutableGlobals);
    }
  }
  check_export_names();
}

void ModuleValidator::check_export_names() {
  std::vector<const Export*> by_name;
  by_name.reserve(module_.exports.size());
  for (const Export& item : module_.exports) by_name.push_back(&item);
  std::sort(by_name.begin(), by_name.end(), [](const Export* a, const Export* b) {
    return a->name != b->name ? a->name < b->name : a->offset < b->offset;
  });
  const auto found = std::adjacent_find(by_name.begin(), by_name.end(),
                                        [](const Export* a, const Export* b) { return a->name == b->name; });
  if (found != by_name.end())
    fail_invalid("duplicate export name '" + std::string((*found)->name) + "'", found[1]->offset);
}

void ModuleValidator::check_start() {
  section_ = "start";
  if (!module_.start) return;
  check_function_index(*module_.start, no_offset);
  const FunctionType& type = module_.function_type(*module_.start);
  if (!type.params.empty() || !type.results.empty())
    fail_invalid("start function must have type () -> (), has " + to_string(type), no_offset);
}

void ModuleValidator::check_elements() {
  section_ = "element";
  for (const ElementSegment& segment : module_.elements) {
    if (segment.mode == SegmentMode::Active) {
      if (segment.table_index >= module_.tables.size())
        fail_invalid("unknown table " + std::to_string(segment.table_index), segment.offset.offset);
      const TableType& table = module_.tables[segment.table_index].type;
      if (!is_subtype(*module_.registry(), segment.type, table.element))
        fail_invalid(
            "type mismatch: expected elements of " + to_string(table.element) + ", found " + to_string(segment.type),
            segment.items.offset);
      check_expression(segment.offset, value_type(table.address_type), global_count());
    }
    if (segment.holds_expressions) {
      Reader reader(module_.bytes(), segment.items.offset, segment.items.offset + segment.items.size);
      for (std::uint32_t i = 0; i < segment.count; ++i)
        validate_constant_expression(reader, module_, features_, segment.type, global_count());
    } else {
      for_each_function_index(module_, segment, [&](std::uint32_t index) {
        check_function_index(index, segment.items.offset);
        module_.functions[index].is_declared = true;
      });
    }
  }
}

void ModuleValidator::check_data() {
  section_ = "data";
  for (const DataSegment& segment : module_.data) {
    if (segment.mode != SegmentMode::Active) continue;
    if (segment.memory_index >= module_.memories.size())
      fail_invalid("unknown memory " + std::to_string(segment.memory_index), segment.offset.offset);
    check_expression(segment.offset, value_type(module_.memories[segment.memory_index].address_type), global_count());
  }
}

void ModuleValidator::check_bodies() {
  section_ = "code";
  CodeValidator validator(module_, features_, module_.features_used, path_);
  for (std::size_t i = module_.imported_functions; i < module_.functions.size(); ++i) {
    function_index_ = static_cast<std::uint32_t>(i);
    validator.validate(*function_index_);
  }
  function_index_.reset();
}

}  // namespace

Result<Done> validate_module(Module& module, FeatureSet features) {
  return validate_module(module, features, ValidationPath::Fast);
}

Result<Done> validate_module(Module& module, FeatureSet features, ValidationPath path) {
  ModuleValidator validator(module, features, path);
  try {
    validator.validate();
  } catch (DecodeFailure& failure) {
    Error& error = failure.error;
    error.section = validator.section();
    error.function_index = validator.function_index();
    if (error.function_index) error.function_name = NameSection::decode(module).function_name(*error.function_index);
    return std::move(error);
  } catch (const std::bad_alloc&) {
    return Error{ErrorKind::Host, "out of memory", no_offset, {}, {}, {}};
  }
  return Done{};
}

}  // namespace tfvm
