// Small phrases (token_stream.hpp).
#include "decoder/text/token_stream.hpp"

#include <algorithm>
#include <array>

#include "decoder/text/instruction_table.hpp"
#include "decoder/text/number.hpp"
#include "decoder/utf8.hpp"

namespace tfvm::text {
namespace {

/// Keywords that are no instructions, sorted (section 6.2.4).
constexpr std::array<std::string_view, 97> keywords = {"any",
                                                       "anyref",
                                                       "array",
                                                       "arrayref",
                                                       "assert_exception",
                                                       "assert_exhaustion",
                                                       "assert_invalid",
                                                       "assert_invalid_custom",
                                                       "assert_malformed",
                                                       "assert_malformed_custom",
                                                       "assert_return",
                                                       "assert_trap",
                                                       "assert_unlinkable",
                                                       "binary",
                                                       "catch",
                                                       "catch_all",
                                                       "catch_all_ref",
                                                       "catch_ref",
                                                       "data",
                                                       "declare",
                                                       "definition",
                                                       "do",
                                                       "either",
                                                       "elem",
                                                       "eq",
                                                       "eqref",
                                                       "exn",
                                                       "exnref",
                                                       "export",
                                                       "extern",
                                                       "externref",
                                                       "f32",
                                                       "f32x4",
                                                       "f64",
                                                       "f64x2",
                                                       "field",
                                                       "final",
                                                       "func",
                                                       "funcref",
                                                       "get",
                                                       "global",
                                                       "i16",
                                                       "i16x8",
                                                       "i31",
                                                       "i31ref",
                                                       "i32",
                                                       "i32x4",
                                                       "i64",
                                                       "i64x2",
                                                       "i8",
                                                       "i8x16",
                                                       "import",
                                                       "input",
                                                       "instance",
                                                       "invoke",
                                                       "item",
                                                       "local",
                                                       "memory",
                                                       "module",
                                                       "mut",
                                                       "nan:arithmetic",
                                                       "nan:canonical",
                                                       "noexn",
                                                       "noextern",
                                                       "nofunc",
                                                       "none",
                                                       "null",
                                                       "nullexnref",
                                                       "nullexternref",
                                                       "nullfuncref",
                                                       "nullref",
                                                       "offset",
                                                       "output",
                                                       "param",
                                                       "quote",
                                                       "rec",
                                                       "ref",
                                                       "ref.any",
                                                       "ref.array",
                                                       "ref.exn",
                                                       "ref.extern",
                                                       "ref.host",
                                                       "ref.struct",
                                                       "register",
                                                       "result",
                                                       "script",
                                                       "shared",
                                                       "start",
                                                       "struct",
                                                       "structref",
                                                       "sub",
                                                       "table",
                                                       "tag",
                                                       "then",
                                                       "type",
                                                       "v128",
                                                       "delegate"};

bool is_known_word(std::string_view word) {
  if (word.starts_with("offset=")) word.remove_prefix(7);
  if (word.starts_with("align=")) word.remove_prefix(6);
  return is_number(word) || std::find(keywords.begin(), keywords.end(), word) != keywords.end() ||
         find_instruction(word) != nullptr;
}

bool is_text_utf8(std::string_view text) {
  return is_utf8({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
}

}  // namespace

bool TokenStream::is_index(std::size_t ahead) const {
  if (is(TokenKind::Id, ahead)) return true;
  const Token& token = peek(ahead);
  return token.kind == TokenKind::Atom && text_[token.offset] >= '0' && text_[token.offset] <= '9';
}

bool TokenStream::accept(TokenKind kind) {
  if (!is(kind)) return false;
  next();
  return true;
}

bool TokenStream::accept_atom(std::string_view keyword) {
  if (!is_atom(keyword)) return false;
  next();
  return true;
}

bool TokenStream::accept_form(std::string_view keyword) {
  if (!is_form(keyword)) return false;
  position_ += 2;
  return true;
}

std::optional<std::string> TokenStream::accept_id() {
  if (!is(TokenKind::Id)) return std::nullopt;
  return id_of(next());
}

void TokenStream::expect(TokenKind kind) {
  if (!accept(kind)) fail_unexpected();
}

void TokenStream::expect_atom(std::string_view keyword) {
  if (!accept_atom(keyword)) fail_unexpected();
}

void TokenStream::expect_form(std::string_view keyword) {
  expect(TokenKind::Open);
  expect_atom(keyword);
}

std::string TokenStream::string() {
  if (!is(TokenKind::String)) fail_unexpected();
  return unescape(text_of(next()));
}

std::string TokenStream::strings() {
  std::string bytes;
  while (is(TokenKind::String)) bytes += string();
  return bytes;
}

std::string TokenStream::name() {
  const std::size_t begin = offset();
  std::string bytes = string();
  if (!is_text_utf8(bytes)) fail_text("malformed UTF-8 encoding", begin);
  return bytes;
}

std::uint64_t TokenStream::number(unsigned bits) {
  std::uint64_t value = 0;
  const NumberStatus status =
      is(TokenKind::Atom) ? parse_unsigned(text_of(peek()), bits, value) : NumberStatus::NoNumber;
  if (status == NumberStatus::NoNumber) fail_unexpected();
  if (status == NumberStatus::OutOfRange) fail_text("i" + std::to_string(bits) + " constant out of range", offset());
  next();
  return value;
}

std::uint32_t TokenStream::u32() { return static_cast<std::uint32_t>(number(32)); }
std::uint64_t TokenStream::u64() { return number(64); }

std::string TokenStream::id_of(const Token& token) const {
  const std::string_view text = text_of(token).substr(1);
  return text.starts_with('"') ? unescape(text) : std::string(text);
}

void TokenStream::skip_to_close() {
  std::size_t depth = 1;
  while (depth > 0) {
    if (is(TokenKind::End)) fail_unexpected();
    const TokenKind kind = next().kind;
    if (kind == TokenKind::Open) ++depth;
    if (kind == TokenKind::Close) --depth;
  }
}

void TokenStream::fail_unexpected() const {
  const Token& token = peek();
  const std::string word(text_of(token));
  if (token.kind == TokenKind::End) fail_text("unexpected token: unexpected end of the text", token.offset);
  const bool is_unknown = token.kind == TokenKind::Reserved || (token.kind == TokenKind::Atom && !is_known_word(word));
  fail_text((is_unknown ? "unknown operator " : "unexpected token ") + word, token.offset);
}

}  // namespace tfvm::text
