// Decoding of the name section (name_section.hpp): subsections 0 (module), 1 (functions), 2 (locals); others skipped.
#include "decoder/name_section.hpp"

#include <algorithm>

#include "decoder/reader.hpp"

namespace tfvm {

class NameSectionDecoder {
 public:
  NameSectionDecoder(const Module& module, ByteRange contents)
      : module_(module), reader_(module.bytes(), contents.offset, contents.offset + contents.size) {}

  NameSection decode() {
    while (!reader_.at_end()) {
      const std::uint8_t id = reader_.byte();
      const std::uint32_t size = reader_.u32();
      const std::uint32_t begin = reader_.offset();
      reader_.skip(size);
      Reader contents(module_.bytes(), begin, begin + size);
      if (id == 0) names_.module_name_ = contents.name();
      if (id == 1) names_.functions_ = read_name_map(contents);
      if (id == 2) read_locals(contents);
    }
    return std::move(names_);
  }

 private:
  // The standard wants rising indices; some producers do not sort, which look-ups need.
  template <class Items, class Index>
  static void sort_by_index(Items& items, Index index) {
    std::sort(items.begin(), items.end(), [index](const auto& a, const auto& b) { return a.*index < b.*index; });
  }

  static std::vector<NameSection::Name> read_name_map(Reader& reader) {
    std::vector<NameSection::Name> names;
    for (std::uint32_t count = reader.u32(); count > 0; --count) {
      const std::uint32_t index = reader.u32();
      names.push_back({index, reader.name()});
    }
    sort_by_index(names, &NameSection::Name::index);
    return names;
  }

  void read_locals(Reader& reader) {
    for (std::uint32_t count = reader.u32(); count > 0; --count) {
      const std::uint32_t index = reader.u32();
      names_.locals_.push_back({index, read_name_map(reader)});
    }
    sort_by_index(names_.locals_, &NameSection::FunctionLocals::function_index);
  }

  const Module& module_;
  Reader reader_;
  NameSection names_;
};

NameSection NameSection::decode(const Module& module) {
  for (const CustomSection& section : module.custom_sections) {
    if (section.name != "name") continue;
    try {
      return NameSectionDecoder(module, section.contents).decode();
    } catch (const DecodeFailure&) {
      return {};
    }
  }
  return {};
}

std::string_view NameSection::function_name(std::uint32_t function_index) const {
  const auto found = std::lower_bound(functions_.begin(), functions_.end(), function_index,
                                      [](const Name& name, std::uint32_t index) { return name.index < index; });
  return found != functions_.end() && found->index == function_index ? found->name : std::string_view();
}

std::string_view NameSection::local_name(std::uint32_t function_index, std::uint32_t local_index) const {
  const auto function =
      std::lower_bound(locals_.begin(), locals_.end(), function_index,
                       [](const FunctionLocals& locals, std::uint32_t index) { return locals.function_index < index; });
  if (function == locals_.end() || function->function_index != function_index) return {};
  const auto found = std::lower_bound(function->names.begin(), function->names.end(), local_index,
                                      [](const Name& name, std::uint32_t index) { return name.index < index; });
  return found != function->names.end() && found->index == local_index ? found->name : std::string_view();
}

}  // namespace tfvm
