// Tokens, and the lines of errors.
#include "decoder/text/lexer.hpp"

#include <gtest/gtest.h>

namespace tfvm::text {
namespace {

/// One letter for each token's kind, then its text.
std::string tokens(std::string_view text) {
  std::string out;
  try {
    for (const Token& token : tokenize(text)) {
      if (token.kind == TokenKind::End) break;
      if (!out.empty()) out += ' ';
      out += "()siar"[static_cast<std::size_t>(token.kind)];
      if (token.kind > TokenKind::Close) out += text.substr(token.offset, token.size);
    }
  } catch (const TextFailure& failure) {
    return failure.message;
  }
  return out;
}

TEST(TextLexer, Kinds) {
  EXPECT_EQ(tokens("(module $m \"a\" i32.const -0x1)"), "( amodule i$m s\"a\" ai32.const a-0x1 )");
  EXPECT_EQ(tokens("a(b)c"), "aa ( ab ) ac");
  EXPECT_EQ(tokens("$\"a b\" $!#$%&'*+-./:<=>?@\\^_`|~"), "i$\"a b\" i$!#$%&'*+-./:<=>?@\\^_`|~");
  EXPECT_EQ(tokens(""), "");
}

TEST(TextLexer, TokensMustBeSeparated) {
  EXPECT_EQ(tokens("\"a\"\"b\""), "r\"a\"\"b\"");
  EXPECT_EQ(tokens("a\"b\""), "ra\"b\"");
  EXPECT_EQ(tokens("\"b\"a"), "r\"b\"a");
  EXPECT_EQ(tokens("$a\"b\""), "r$a\"b\"");
  EXPECT_EQ(tokens("$\"b\"a"), "r$\"b\"a");
  EXPECT_EQ(tokens("a,b [x] {;}"), "ra,b r[x] r{;}");
}

TEST(TextLexer, Comments) {
  EXPECT_EQ(tokens("a;;b\nc;;d\re;;f"), "aa ac ae");
  EXPECT_EQ(tokens("a(;b(;c;)\x01 \xc3\xa4 ;)d"), "aa ad");
  EXPECT_EQ(tokens("(; (; ;)"), "unclosed comment");
  EXPECT_EQ(tokens("(;)"), "unclosed comment");
}

TEST(TextLexer, Annotations) {
  EXPECT_EQ(tokens("(@a) x (@b (c) \")\" (; ) ;) ;; )\n ,;]) y (@\"z\" (@) $) z"), "ax ay az");
  EXPECT_EQ(tokens("(@)"), "empty annotation id");
  EXPECT_EQ(tokens("(@ a)"), "empty annotation id");
  EXPECT_EQ(tokens("(@\"\")"), "empty annotation id");
  EXPECT_EQ(tokens("(@\"\\ef\")"), "malformed UTF-8 encoding");
  EXPECT_EQ(tokens("(@a (b)"), "unclosed annotation");
  EXPECT_EQ(tokens("(@a \x01)"), "illegal character");
  EXPECT_EQ(tokens("(@a \xc3\xa4)"), "illegal character");
}

TEST(TextLexer, WhatCannotBe) {
  EXPECT_EQ(tokens("\xff"), "malformed UTF-8 encoding");
  EXPECT_EQ(tokens(";; \xed\xa0\x80"), "malformed UTF-8 encoding");
  EXPECT_EQ(tokens("\xc3\xa4"), "illegal character");
  EXPECT_EQ(tokens("\x7f"), "illegal character");
  EXPECT_EQ(tokens("\"a"), "unclosed string");
  EXPECT_EQ(tokens("\"a\nb\""), "unclosed string");
  EXPECT_EQ(tokens("\"a\tb\""), "illegal character in string literal");
  EXPECT_EQ(tokens("$"), "empty identifier");
  EXPECT_EQ(tokens("$ \"a\""), "empty identifier");
  EXPECT_EQ(tokens("$\"\""), "empty identifier");
  EXPECT_EQ(tokens("$\"a\nb\""), "empty identifier");
  EXPECT_EQ(tokens("$\"\\ff\""), "malformed UTF-8 encoding");
  for (const char* text : {"\"\\q\"", "\"\\1\"", "\"\\1g\"", "\"\\u{}\"", "\"\\u{d800}\"", "\"\\u{110000}\"",
                           "\"\\u{_1}\"", "\"\\u{1_}\"", "\"\\u1\""})
    EXPECT_TRUE(tokens(text).starts_with("illegal escape")) << text << ": " << tokens(text);
}

TEST(TextLexer, Escapes) {
  EXPECT_EQ(unescape(R"("\t\n\r\"\'\\\41\fF")"), "\t\n\r\"'\\A\xff");
  EXPECT_EQ(unescape(R"("\u{41}\u{e4}\u{20_AC}\u{1f600}")"), "A\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80");
}

TEST(TextError, LinesColumnsAndCarets) {
  const std::string_view text =
      "ab\ncd\r\n\xc3\xa4"
      "ef\rg";
  EXPECT_EQ(position_of(text, 0).line, 1u);
  EXPECT_EQ(position_of(text, 4).line, 2u);
  EXPECT_EQ(position_of(text, 4).column, 2u);
  EXPECT_EQ(position_of(text, 10).line, 3u);
  EXPECT_EQ(position_of(text, 10).column, 3u);  // characters, not bytes
  EXPECT_EQ(position_of(text, text.size()).line, 4u);
  EXPECT_EQ(caret_lines(text, 10),
            "\xc3\xa4"
            "ef\n  ^\n");
  EXPECT_EQ(caret_lines(text, text.size()), "g\n ^\n");
  EXPECT_EQ(caret_lines("a\tb\x01", 2), "a b \n  ^\n");
  const std::string long_line(1000, 'x');
  EXPECT_LT(caret_lines(long_line, 500).size(), 300u);
  const Error error = to_error({"unknown operator x", 4}, text);
  EXPECT_EQ(error.message, "unknown operator x (line 2, column 2)");
  EXPECT_EQ(error.kind, ErrorKind::Malformed);
  EXPECT_EQ(error.offset, 4u);
}

}  // namespace
}  // namespace tfvm::text
