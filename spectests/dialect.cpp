// Token by token, without knowing the grammar.
#include "spectests/dialect.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <vector>

#include "spectests/forms.hpp"

namespace tfvm::spectests {

namespace {

constexpr std::array<std::string_view, 5> optional_table_index = {"table.get", "table.set", "table.size", "table.grow",
                                                                  "table.fill"};

struct Shorthand {
  std::string_view heap_type;
  std::string_view spelling;
};
constexpr std::array shorthands = {Shorthand{"func", "funcref"}, Shorthand{"extern", "externref"}};

struct Hint {
  std::string_view word;  ///< a whole token
  std::string_view reason;
};
constexpr std::string_view gc = "needs gc";
constexpr std::string_view exceptions = "needs exceptions";
constexpr std::string_view references = "needs function-references";
constexpr std::string_view simd = "needs simd";
/// In order of precedence.
constexpr std::array hints = {
    Hint{"try_table", exceptions},
    Hint{"throw", exceptions},
    Hint{"throw_ref", exceptions},
    Hint{"tag", exceptions},
    Hint{"exnref", exceptions},
    Hint{"nullexnref", exceptions},
    Hint{"exn", exceptions},
    Hint{"assert_exception", exceptions},
    Hint{"struct", gc},
    Hint{"array", gc},
    Hint{"rec", gc},
    Hint{"sub", gc},
    Hint{"i31", gc},
    Hint{"any", gc},
    Hint{"eq", gc},
    Hint{"none", gc},
    Hint{"nofunc", gc},
    Hint{"noextern", gc},
    Hint{"anyref", gc},
    Hint{"eqref", gc},
    Hint{"i31ref", gc},
    Hint{"structref", gc},
    Hint{"arrayref", gc},
    Hint{"nullref", gc},
    Hint{"nullfuncref", gc},
    Hint{"nullexternref", gc},
    Hint{"ref.i31", gc},
    Hint{"ref.struct", gc},
    Hint{"ref.array", gc},
    Hint{"ref.eq", gc},
    Hint{"ref.test", gc},
    Hint{"ref.cast", gc},
    Hint{"i8", gc},
    Hint{"i16", gc},
    Hint{"ref.host", gc},
    Hint{"ref", references},
    Hint{"call_ref", references},
    Hint{"return_call_ref", references},
    Hint{"br_on_null", references},
    Hint{"br_on_non_null", references},
    Hint{"ref.as_non_null", references},
    Hint{"v128", simd},
    Hint{"i16x8.relaxed_dot_i8x16_i7x16_s", simd},
    Hint{"v128.const", simd},
};

bool is_index(const Token& token) {
  return token.kind == TokenKind::Atom &&
         (token.text[0] == '$' || std::isdigit(static_cast<unsigned char>(token.text[0])) != 0);
}

bool needs_table_index(const Token& token, const Token& next) {
  return token.kind == TokenKind::Atom && !is_index(next) &&
         std::find(optional_table_index.begin(), optional_table_index.end(), token.text) != optional_table_index.end();
}

Result<std::vector<Token>> all_tokens(std::string_view text) {
  std::vector<Token> tokens;
  Lexer lexer(text);
  while (true) {
    const auto token = lexer.next();
    if (!token) return token.error();
    tokens.push_back(*token);
    if (token->kind == TokenKind::End) return tokens;
  }
}

/// The shorthand of the five tokens (ref null X) at `index`; nullptr if there are none such.
const Shorthand* find_shorthand(const std::vector<Token>& tokens, std::size_t index) {
  if (tokens.size() - index < 5 || tokens[index].kind != TokenKind::Open || tokens[index + 1].text != "ref" ||
      tokens[index + 2].text != "null" || tokens[index + 4].kind != TokenKind::Close)
    return nullptr;
  for (const Shorthand& shorthand : shorthands)
    if (shorthand.heap_type == tokens[index + 3].text) return &shorthand;
  return nullptr;
}

}  // namespace

Result<std::string> to_older_spelling(std::string_view script) {
  const auto tokens = all_tokens(script);
  if (!tokens) return tokens.error();
  std::string out;
  std::size_t copied = 0;
  const auto copy_to = [&](std::size_t offset) {
    out += script.substr(copied, offset - copied);
    copied = offset;
  };
  for (std::size_t i = 0; i + 1 < tokens->size(); ++i) {
    const Token& token = (*tokens)[i];
    if (needs_table_index(token, (*tokens)[i + 1])) {
      copy_to(token.offset + token.text.size());
      out += " 0";
    } else if (const Shorthand* shorthand = find_shorthand(*tokens, i)) {
      copy_to(token.offset);
      copied = (*tokens)[i + 4].offset + 1;
      out += shorthand->spelling;
      out.append(static_cast<std::size_t>(std::count(script.begin() + static_cast<std::ptrdiff_t>(token.offset),
                                                     script.begin() + static_cast<std::ptrdiff_t>(copied), '\n')),
                 '\n');
      i += 4;
    }
  }
  copy_to(script.size());
  return out;
}

std::string refusal_reason(std::string_view form) {
  std::size_t best = hints.size();
  const auto tokens = all_tokens(form);
  if (tokens) {
    for (const Token& token : *tokens) {
      if (token.kind != TokenKind::Atom) continue;
      for (std::size_t i = 0; i < best; ++i)
        if (hints.at(i).word == token.text.substr(0, token.text.find('.')) || hints.at(i).word == token.text) best = i;
    }
  }
  return std::string(best < hints.size() ? hints.at(best).reason : "wabt cannot convert");
}

}  // namespace tfvm::spectests
