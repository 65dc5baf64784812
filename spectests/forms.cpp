// Lexer and splitter of scripts. Recursion-free, so that nesting in a script costs nothing.
#include "spectests/forms.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>

namespace tfvm::spectests {

namespace {

constexpr std::string_view token_ends = " \t\r\n()\";";

Error error_at(std::string message, std::size_t offset) {
  return Error{ErrorKind::Malformed, std::move(message), offset};
}

}  // namespace

Result<Done> Lexer::skip_block_comment() {
  const std::size_t begin = position_;
  std::size_t depth = 0;
  do {
    const std::string_view two = text_.substr(position_, 2);
    if (two.size() < 2) return error_at("block comment without an end", begin);
    if (two == "(;") ++depth;
    if (two == ";)") --depth;
    position_ += two == "(;" || two == ";)" ? 2 : 1;
  } while (depth > 0);
  return Done{};
}

Result<Done> Lexer::skip_blanks() {
  while (position_ < text_.size()) {
    const std::string_view two = text_.substr(position_, 2);
    if (two == "(;") {
      if (const auto skipped = skip_block_comment(); !skipped) return skipped;
    } else if (two == ";;") {
      position_ = std::min(text_.find_first_of("\r\n", position_), text_.size());
    } else if (std::isspace(static_cast<unsigned char>(two[0])) != 0) {
      ++position_;
    } else {
      break;
    }
  }
  return Done{};
}

Result<Token> Lexer::next() {
  if (const auto skipped = skip_blanks(); !skipped) return skipped.error();
  const std::size_t begin = position_;
  const auto token = [&](TokenKind kind) { return Token{kind, text_.substr(begin, position_ - begin), begin}; };
  if (begin == text_.size()) return token(TokenKind::End);
  ++position_;
  switch (text_[begin]) {
    case '(': return token(TokenKind::Open);
    case ')': return token(TokenKind::Close);
    case '"':
      while (position_ < text_.size() && text_[position_] != '"') position_ += text_[position_] == '\\' ? 2 : 1;
      if (position_ >= text_.size()) return error_at("string without an end", begin);
      ++position_;
      return token(TokenKind::String);
    default:
      position_ = std::min(text_.find_first_of(token_ends, position_), text_.size());
      return token(TokenKind::Atom);
  }
}

namespace {

struct Head {
  std::string_view name;
  FormKind kind;
};
constexpr std::array heads = {
    Head{"module", FormKind::Module},
    Head{"register", FormKind::Register},
    Head{"invoke", FormKind::Action},
    Head{"get", FormKind::Action},
    Head{"assert_return", FormKind::ActionAssertion},
    Head{"assert_exhaustion", FormKind::ActionAssertion},
    Head{"assert_exception", FormKind::ActionAssertion},
    Head{"assert_trap", FormKind::ActionAssertion},  // or ModuleAssertion
    Head{"assert_invalid", FormKind::ModuleAssertion},
    Head{"assert_malformed", FormKind::ModuleAssertion},
    Head{"assert_unlinkable", FormKind::ModuleAssertion},
    Head{"assert_invalid_custom", FormKind::ModuleAssertion},
    Head{"assert_malformed_custom", FormKind::ModuleAssertion},
};

/// Collects what `describe` needs of the tokens of one form: its first ones, and those behind the inner parenthesis.
struct Outline {
  std::vector<Token> outer;  ///< behind the first parenthesis, up to the next one
  std::vector<Token> inner;  ///< behind the second parenthesis, up to the next one
};

std::string contents(const Token& string) { return std::string(string.text.substr(1, string.text.size() - 2)); }

/// The part of a module's header: (module definition? $id? (binary | quote)?
void read_module_header(const std::vector<Token>& tokens, Form& form) {
  for (std::size_t i = 1; i < tokens.size() && tokens[i].kind == TokenKind::Atom; ++i) {
    const std::string_view text = tokens[i].text;
    if (text[0] == '$' && form.module_id.empty()) form.module_id = text;
    if (text == "definition") form.kind = FormKind::Definition;
    if (text == "instance") form.kind = FormKind::Instance;
    if (text == "quote") form.is_quote = true;
    if (text == "binary") form.is_binary = true;
  }
}

void describe(const Outline& outline, Form& form) {
  if (outline.outer.empty() || outline.outer[0].kind != TokenKind::Atom) return;
  form.head = outline.outer[0].text;
  if (form.head[0] == '@') form.kind = FormKind::Annotation;
  for (const Head& head : heads)
    if (head.name == form.head) form.kind = head.kind;
  const auto& inner = outline.inner;
  const bool has_module = !inner.empty() && inner[0].text == "module";
  if (form.is_assertion() && has_module) {
    form.kind = FormKind::ModuleAssertion;
    Form module;
    read_module_header(inner, module);
    form.is_quote = module.is_quote;
    form.is_binary = module.is_binary;
  } else if (form.kind == FormKind::Module) {
    read_module_header(outline.outer, form);
  } else if (form.kind == FormKind::Register) {
    for (const Token& token : outline.outer) {
      if (token.kind == TokenKind::String) form.registered_name = contents(token);
      if (token.text[0] == '$') form.module_id = token.text;
    }
  } else {
    const auto& action = form.kind == FormKind::Action ? outline.outer : inner;
    if (action.size() > 1 && action[1].text[0] == '$') form.module_id = action[1].text;
    for (const Token& token : action)
      if (token.kind == TokenKind::String && form.action_field.empty()) form.action_field = contents(token);
  }
}

}  // namespace

namespace {

/// Reads one form, token by token.
class FormReader {
 public:
  explicit FormReader(std::size_t begin) { form_.begin = begin; }

  /// False: `token` was the form's last.
  bool add(const Token& token) {
    form_.end = token.offset + token.text.size();
    if (token.kind == TokenKind::Open) {
      ++depth_;
      ++opened_;
      if (depth_ == 2) form_.fields.push_back(Field{token.offset});
    } else if (token.kind == TokenKind::Close) {
      if (depth_ == 2) form_.fields.back().end = form_.end;
      --depth_;
    } else {
      if (opened_ == 1) outline_.outer.push_back(token);
      if (opened_ == 2 && depth_ == 2) outline_.inner.push_back(token);
      if (depth_ >= 2) add_to_field(token, form_.fields.back());
    }
    if (!form_.fields.empty() && uses_table(form_.fields.back(), previous_.text)) {
      const char first = token.text[0];
      if (first >= '1' && first <= '9') form_.fields.back().uses_numbered_table = true;
      else if (first != '$') form_.fields.back().uses_first_table = true;
    }
    previous_ = token;
    return depth_ > 0;
  }

  Form finish() {
    describe(outline_, form_);
    if (form_.kind != FormKind::Module || form_.is_quote || form_.is_binary) form_.fields.clear();
    return std::move(form_);
  }

 private:
  void add_to_field(const Token& token, Field& field) const {
    const bool is_id = token.kind == TokenKind::Atom && token.text[0] == '$';
    if (field.head.empty()) field.head = token.text;
    else if (is_id && depth_ == 2 && field.id.empty() && previous_.text == field.head) field.id = token.text;
    if (is_id) field.mentions.emplace_back(token.text);
    if (token.kind == TokenKind::String && previous_.text == "export") field.exports.push_back(contents(token));
  }

  static bool uses_table(const Field& field, std::string_view word) {
    if (word == "elem" || word == "table") return field.head == "elem";  // elsewhere it is a part of its own table
    return word.starts_with("table.") || word == "call_indirect" || word == "return_call_indirect";
  }

  Form form_;
  Outline outline_;
  Token previous_;
  std::size_t depth_ = 1;
  std::size_t opened_ = 1;
};

}  // namespace

Result<std::vector<Form>> split_forms(std::string_view text) {
  std::vector<Form> forms;
  Lexer lexer(text);
  std::uint32_t line = 1;
  std::size_t counted = 0;
  while (true) {
    const auto first = lexer.next();
    if (!first) return first.error();
    if (first->kind == TokenKind::End) return forms;
    if (first->kind != TokenKind::Open) return error_at("expected a parenthesis", first->offset);
    for (; counted < first->offset; ++counted) line += text[counted] == '\n' ? 1 : 0;
    FormReader reader(first->offset);
    bool is_open = true;
    while (is_open) {
      const auto token = lexer.next();
      if (!token) return token.error();
      if (token->kind == TokenKind::End) return error_at("parenthesis without an end", first->offset);
      is_open = reader.add(*token);
    }
    forms.push_back(reader.finish());
    forms.back().line = line;
  }
}

namespace {

void append_utf8(std::string& out, std::uint32_t code_point) {
  if (code_point < 0x80) {
    out += static_cast<char>(code_point);
    return;
  }
  const int continuations = code_point < 0x800 ? 1 : code_point < 0x10000 ? 2 : 3;
  constexpr std::array<unsigned, 4> lead = {0, 0xc0, 0xe0, 0xf0};
  out += static_cast<char>(lead.at(static_cast<std::size_t>(continuations)) | code_point >> (6 * continuations));
  for (int i = continuations - 1; i >= 0; --i) out += static_cast<char>(0x80 | (code_point >> (6 * i) & 0x3f));
}

/// The number in hexadecimal at the start of `text`; `length`: how many digits it took.
std::uint32_t read_hexadecimal(std::string_view text, std::size_t& length) {
  std::uint32_t value = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), value, 16);
  length = static_cast<std::size_t>(result.ptr - text.data());
  return value;
}

}  // namespace

std::string unescape(std::string_view string_token) {
  std::string_view rest = string_token.substr(1, string_token.size() - 2);
  std::string out;
  while (!rest.empty()) {
    if (rest[0] != '\\' || rest.size() < 2) {
      out += rest[0];
      rest.remove_prefix(1);
      continue;
    }
    std::size_t length = 1;
    switch (rest[1]) {
      case 'n': out += '\n'; break;
      case 't': out += '\t'; break;
      case 'r': out += '\r'; break;
      case '"':
      case '\'':
      case '\\': out += rest[1]; break;
      case 'u':
        append_utf8(out, read_hexadecimal(rest.substr(std::min<std::size_t>(3, rest.size())), length));
        length += 3;  // u { }
        break;
      default: out += static_cast<char>(read_hexadecimal(rest.substr(1, 2), length));
    }
    rest.remove_prefix(std::min(1 + std::max<std::size_t>(length, 1), rest.size()));
  }
  return out;
}

}  // namespace tfvm::spectests
