// decode_module and load_module (module.hpp): magic, version, and the order, sizes and counts of sections
// (section 5.5.16). What a section holds is decode_sections.cpp.
#include <algorithm>
#include <new>

#include "decoder/decode_sections.hpp"
#include "decoder/limits.hpp"
#include "decoder/module.hpp"
#include "decoder/reader.hpp"

namespace tfvm {
namespace {

struct SectionRule {
  const char* name;
  std::uint8_t order;  // position among the sections that may stand only once; 0: anywhere
  void (*decode)(Reader&, DecodeContext&);
};

constexpr SectionRule section_rules[] = {
    {"custom", 0, decode_custom_section},
    {"type", 1, decode_type_section},
    {"import", 2, decode_import_section},
    {"function", 3, decode_function_section},
    {"table", 4, decode_table_section},
    {"memory", 5, decode_memory_section},
    {"global", 7, decode_global_section},
    {"export", 8, decode_export_section},
    {"start", 9, decode_start_section},
    {"element", 10, decode_element_section},
    {"code", 12, decode_code_section},
    {"data", 13, decode_data_section},
    {"data count", 11, decode_data_count_section},
    {"tag", 6, decode_tag_section},
};

class ModuleDecoder {
 public:
  ModuleDecoder(Module& module, FeatureSet features) : context_{module, features} {}

  void decode() {
    const std::size_t size = context_.module.bytes().size();
    if (size > limits::module_size_bytes) fail(ErrorKind::Limit, "module larger than 1 GiB", 0);
    Reader reader(context_.module.bytes(), 0, size);
    check_preamble(reader);
    while (!reader.at_end()) decode_section(reader);
    section_ = nullptr;
    check_counts();
  }

  /// The section that is being decoded, or null.
  const char* section() const { return section_; }

 private:
  static void check_preamble(Reader& reader) {
    constexpr std::uint8_t magic[] = {0x00, 0x61, 0x73, 0x6d};
    constexpr std::uint8_t version[] = {0x01, 0x00, 0x00, 0x00};
    for (const std::uint8_t expected : magic)
      if (reader.byte() != expected) fail_malformed("magic header not detected", 0);
    for (const std::uint8_t expected : version)
      if (reader.byte() != expected) fail_malformed("unknown binary version", 4);
  }

  void decode_section(Reader& reader) {
    section_ = nullptr;
    const std::uint32_t id_offset = reader.offset();
    const std::uint8_t id = reader.byte();
    if (id >= std::size(section_rules)) fail_malformed("malformed section id " + std::to_string(id), id_offset);
    const SectionRule& rule = section_rules[id];
    section_ = rule.name;
    const std::uint32_t size_offset = reader.offset();
    const std::uint32_t size = reader.u32();
    if (size > reader.remaining())
      fail_malformed("length out of bounds: section of " + std::to_string(size) + " bytes", size_offset);
    if (rule.order != 0) check_order(rule, id_offset);
    if (context_.module.sections.size() == limits::sections) fail(ErrorKind::Limit, "too many sections", id_offset);
    context_.module.sections.push_back({id, {reader.offset(), size}});
    Reader contents(context_.module.bytes(), reader.offset(), reader.offset() + size);
    rule.decode(contents, context_);
    if (!contents.at_end())
      fail_malformed("section size mismatch: " + std::to_string(contents.remaining()) + " bytes too many",
                     contents.offset());
    reader.skip(size);
  }

  void check_order(const SectionRule& rule, std::uint32_t offset) {
    if (rule.order <= last_order_)
      fail_malformed("unexpected content after last section: " + std::string(rule.name) +
                         (rule.order == last_order_ ? " section stands twice" : " section out of order"),
                     offset);
    last_order_ = rule.order;
  }

  void check_counts() const {
    const Module& module = context_.module;
    const auto has = [&](std::uint8_t id) {
      return std::any_of(module.sections.begin(), module.sections.end(),
                         [id](const Section& section) { return section.id == id; });
    };
    const std::uint64_t end = module.bytes().size();
    if (module.functions.size() != module.imported_functions && !has(10))
      fail_malformed("function and code section have inconsistent lengths", end);
    if (module.data_count.value_or(0) != 0 && !has(11))
      fail_malformed("data count and data section have inconsistent lengths", end);
  }

  DecodeContext context_;
  std::uint8_t last_order_ = 0;
  const char* section_ = nullptr;
};

}  // namespace

Result<std::unique_ptr<Module>> decode_module(std::vector<std::uint8_t> bytes, std::shared_ptr<TypeRegistry> registry,
                                              FeatureSet features) {
  auto module = std::make_unique<Module>(std::move(bytes), std::move(registry));
  module->features_used.add(Feature::Mvp);
  ModuleDecoder decoder(*module, features);
  try {
    decoder.decode();
  } catch (DecodeFailure& failure) {
    if (decoder.section() != nullptr) failure.error.section = decoder.section();
    return std::move(failure.error);
  } catch (const std::bad_alloc&) {
    return Error{ErrorKind::Host, "out of memory", no_offset, {}, {}, {}};
  }
  return module;
}

Result<std::shared_ptr<const Module>> load_module(std::vector<std::uint8_t> bytes,
                                                  std::shared_ptr<TypeRegistry> registry, FeatureSet features) {
  auto module = decode_module(std::move(bytes), std::move(registry), features);
  if (!module) return module.error();
  const auto valid = validate_module(**module, features);
  if (!valid) return valid.error();
  return std::shared_ptr<const Module>(std::move(module).value());
}

}  // namespace tfvm
