// Binary side: reads just enough of the two sections to find the byte of flags of each table (section 5.3.7).
#include "spectests/table64.hpp"

#include <algorithm>
#include <optional>

#include "decoder/reader.hpp"

namespace tfvm::spectests {

namespace {

constexpr std::uint8_t flag_has_maximum = 0x01;
constexpr std::uint8_t flag_is_64_bit = 0x04;
constexpr std::uint8_t import_section = 2;
constexpr std::uint8_t table_section = 4;
constexpr std::size_t header_size = 8;

/// Where tables of a module are declared in its text: directly in it, or in an import.
bool declares_table(const std::vector<std::string_view>& heads) {
  if (heads.empty() || heads.back() != "table") return false;
  const std::string_view parent = heads.size() < 2 ? "" : heads[heads.size() - 2];
  return parent == "module" || parent == "import";
}

/// Whether the parenthesis that `lexer` is in holds an (elem ...): then wabt writes an offset of the wrong type.
bool has_inline_elements(Lexer lexer) {
  std::size_t depth = 1;
  bool at_head = false;
  while (depth > 0) {
    const auto token = lexer.next();
    if (!token || token->kind == TokenKind::End) return false;
    if (at_head && token->text == "elem") return true;
    if (token->kind == TokenKind::Close) --depth;
    at_head = token->kind == TokenKind::Open;
    if (at_head) ++depth;
  }
  return false;
}

void skip_limits(Reader& reader) {
  const std::uint8_t flags = reader.byte();
  reader.u64();
  if ((flags & flag_has_maximum) != 0) reader.u64();
}

/// The offsets of the flags of imported tables. False: an import that this does not know.
bool find_in_imports(Reader& reader, std::vector<std::size_t>& flags) {
  enum Kind : std::uint8_t { function, table, memory, global };
  for (std::uint32_t left = reader.u32(); left > 0; --left) {
    reader.skip(reader.u32());
    reader.skip(reader.u32());
    switch (reader.byte()) {
      case function: reader.u32(); break;
      case table:
        reader.byte();  // the element type: wabt writes one byte
        flags.push_back(reader.offset());
        skip_limits(reader);
        break;
      case memory: skip_limits(reader); break;
      case global: reader.skip(2); break;
      default: return false;
    }
  }
  return true;
}

std::optional<std::vector<std::size_t>> find_table_flags(std::vector<std::uint8_t>& module) {
  std::vector<std::size_t> flags;
  Reader reader(module, std::min(header_size, module.size()), module.size());
  while (!reader.at_end()) {
    const std::uint8_t id = reader.byte();
    const std::uint32_t size = reader.u32();
    const std::uint32_t begin = reader.offset();
    if (id == import_section && !find_in_imports(reader, flags)) return std::nullopt;
    if (id == table_section) {
      for (std::uint32_t left = reader.u32(); left > 0; --left) {
        reader.byte();
        flags.push_back(reader.offset());
        skip_limits(reader);
      }
    }
    reader.seek(begin);
    reader.skip(size);
  }
  return flags;
}

}  // namespace

std::vector<std::vector<std::uint32_t>> remove_table_address_types(std::string& text, const std::vector<Form>& forms) {
  std::vector<std::vector<std::uint32_t>> tables(forms.size());
  for (std::size_t i = 0; i < forms.size(); ++i) {
    Lexer lexer(text, forms[i].begin);
    std::vector<std::string_view> heads;
    std::uint32_t next_index = 0;
    bool at_head = false;
    for (auto token = lexer.next(); token && token->offset < forms[i].end; token = lexer.next()) {
      if (token->kind == TokenKind::End) break;
      if (token->kind == TokenKind::Close && !heads.empty()) heads.pop_back();
      if (token->kind == TokenKind::Open) heads.emplace_back();
      if (at_head && token->kind == TokenKind::Atom) {
        heads.back() = token->text;
        if (declares_table(heads)) ++next_index;
      } else if (token->text == "i64" && declares_table(heads) && !has_inline_elements(lexer)) {
        tables[i].push_back(next_index - 1);
        text.replace(token->offset, token->text.size(), token->text.size(), ' ');
      }
      at_head = token->kind == TokenKind::Open;
    }
  }
  return tables;
}

void set_table_address_types(std::vector<std::uint8_t>& module, const std::vector<std::uint32_t>& indices) {
  if (indices.empty()) return;
  try {
    const auto flags = find_table_flags(module);
    if (!flags) return;
    for (const std::uint32_t index : indices)
      if (index < flags->size()) module[(*flags)[index]] |= flag_is_64_bit;
  } catch (const DecodeFailure&) {
    return;  // what this does not understand, the engine will refuse
  }
}

}  // namespace tfvm::spectests
