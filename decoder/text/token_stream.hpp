// A cursor over the tokens of a text, with the small phrases that all parsers share: keywords, parentheses, names,
// numbers. Every phrase that is not there as expected throws TextFailure in the test suite's words.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "decoder/text/lexer.hpp"

namespace tfvm::text {

class TokenStream {
 public:
  /// `text` must outlive the stream.
  explicit TokenStream(std::string_view text) : text_(text), tokens_(tokenize(text)) {}

  const Token& peek(std::size_t ahead = 0) const {
    const std::size_t index = position_ + ahead;
    return index < tokens_.size() ? tokens_[index] : tokens_.back();
  }
  std::string_view text_of(const Token& token) const { return text_.substr(token.offset, token.size); }
  const Token& next() {
    const Token& token = peek();
    if (token.kind != TokenKind::End) ++position_;
    return token;
  }
  std::size_t offset() const { return peek().offset; }
  std::string_view text() const { return text_; }

  /// Positions in the stream, to come back to.
  std::size_t position() const { return position_; }
  void seek(std::size_t position) { position_ = position; }

  bool is(TokenKind kind, std::size_t ahead = 0) const { return peek(ahead).kind == kind; }
  bool is_atom(std::string_view keyword, std::size_t ahead = 0) const {
    return is(TokenKind::Atom, ahead) && text_of(peek(ahead)) == keyword;
  }
  /// "(" and this keyword come next.
  bool is_form(std::string_view keyword) const { return is(TokenKind::Open) && is_atom(keyword, 1); }
  /// A number without sign or a name comes: what an index looks like.
  bool is_index(std::size_t ahead = 0) const;

  bool accept(TokenKind kind);
  bool accept_atom(std::string_view keyword);
  bool accept_form(std::string_view keyword);
  std::optional<std::string> accept_id();
  void expect(TokenKind kind);
  void expect_atom(std::string_view keyword);
  void expect_form(std::string_view keyword);

  /// The bytes of a string.
  std::string string();
  /// The bytes of all strings that follow.
  std::string strings();
  /// A string that must be UTF-8.
  std::string name();
  std::uint32_t u32();
  std::uint64_t u64();

  /// What an Id token stands for, without $ and escapes.
  std::string id_of(const Token& token) const;

  /// Goes behind the parenthesis that closes the form inside of which the stream is.
  void skip_to_close();

  /// "unexpected token", or "unknown operator" for a word that no text can have.
  [[noreturn]] void fail_unexpected() const;

 private:
  std::uint64_t number(unsigned bits);

  std::string_view text_;
  std::vector<Token> tokens_;
  std::size_t position_ = 0;
};

}  // namespace tfvm::text
