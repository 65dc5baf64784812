// One pass over the characters (lexer.hpp).
#include "decoder/text/lexer.hpp"

#include <span>

#include "decoder/limits.hpp"
#include "decoder/utf8.hpp"

namespace tfvm::text {
namespace {

constexpr bool is_blank(char character) {
  return character == ' ' || character == '\t' || character == '\n' || character == '\r';
}

constexpr bool is_id_character(char character) {
  return character > ' ' && character < 0x7f &&
         std::string_view("\"(),;[]{}").find(character) == std::string_view::npos;
}

constexpr bool is_bracket_or_comma(char character) {
  return std::string_view(",[]{}").find(character) != std::string_view::npos;
}

constexpr unsigned not_hexadecimal = 16;

constexpr unsigned hexadecimal_value(char character) {
  if (character >= '0' && character <= '9') return static_cast<unsigned>(character - '0');
  if (character >= 'a' && character <= 'f') return static_cast<unsigned>(character - 'a') + 10;
  if (character >= 'A' && character <= 'F') return static_cast<unsigned>(character - 'A') + 10;
  return not_hexadecimal;
}

/// The byte that \n and its like stand for; 0: it is none of these.
constexpr char simple_escape(char character) {
  switch (character) {
    case 't': return '\t';
    case 'n': return '\n';
    case 'r': return '\r';
    case '"': return '"';
    case '\'': return '\'';
    case '\\': return '\\';
    default: return 0;
  }
}

void append_utf8(std::string& out, std::uint32_t code) {
  const auto put = [&out](std::uint32_t byte) { out += static_cast<char>(byte); };
  if (code < 0x80) return put(code);
  if (code < 0x800) {
    put(0xc0 | code >> 6);
  } else if (code < 0x10000) {
    put(0xe0 | code >> 12);
    put(0x80 | (code >> 6 & 0x3f));
  } else {
    put(0xf0 | code >> 18);
    put(0x80 | (code >> 12 & 0x3f));
    put(0x80 | (code >> 6 & 0x3f));
  }
  put(0x80 | (code & 0x3f));
}

bool is_text_utf8(std::string_view text) {
  return is_utf8({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
}

/// Where the first character stands that is not UTF-8.
std::size_t utf8_fault(std::string_view text) {
  std::size_t good = 0;
  std::size_t bad = text.size();
  while (bad - good > 4) {  // a prefix may end within a character, so the last few bytes say nothing
    const std::size_t middle = good + (bad - good) / 2;
    std::size_t end = middle;
    while (end > good && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
    if (end == good) break;
    if (is_text_utf8(text.substr(good, end - good))) good = end;
    else bad = end;
  }
  return good;
}

class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) {}

  std::vector<Token> run() {
    while (position_ < text_.size()) token();
    add(TokenKind::End, position_);
    return std::move(tokens_);
  }

 private:
  char at(std::size_t position) const { return position < text_.size() ? text_[position] : '\0'; }
  bool is_next(std::string_view what) const { return text_.substr(position_).starts_with(what); }
  void add(TokenKind kind, std::size_t begin) {
    tokens_.push_back({kind, static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(position_ - begin)});
  }

  void token() {
    const std::size_t begin = position_;
    const char character = text_[position_];
    if (is_blank(character)) {
      ++position_;
    } else if (character == ';' && at(position_ + 1) == ';') {
      line_comment();
    } else if (character == '(') {
      if (at(begin + 1) == ';') return block_comment();
      if (at(begin + 1) == '@') return annotation();
      ++position_;
      add(TokenKind::Open, begin);
    } else if (character == ')') {
      ++position_;
      add(TokenKind::Close, begin);
    } else {
      run_of_characters();
    }
  }

  void line_comment() {
    while (position_ < text_.size() && text_[position_] != '\n' && text_[position_] != '\r') ++position_;
  }

  void block_comment() {
    const std::size_t begin = position_;
    std::size_t depth = 0;
    do {
      if (position_ >= text_.size()) fail_text("unclosed comment", begin);
      const bool opens = is_next("(;");
      const bool closes = !opens && is_next(";)");
      if (opens) ++depth;
      if (closes) --depth;
      position_ += opens || closes ? 2 : 1;
    } while (depth > 0);
  }

  /// Section 6.2.5: any tokens with balanced parentheses; they mean nothing to us.
  void annotation() {
    const std::size_t begin = position_;
    position_ += 2;
    if (at(position_) == '"') {
      name_string("empty annotation id", begin);
    } else if (!is_id_character(at(position_))) {
      refuse_character();
      fail_text("empty annotation id", begin);
    }
    std::size_t depth = 1;
    while (depth > 0) {
      if (position_ >= text_.size()) fail_text("unclosed annotation", begin);
      const char character = text_[position_];
      if (is_next(";;")) line_comment();
      else if (is_next("(;")) block_comment();
      else if (character == '"') string("");
      else annotation_character(character, depth);
    }
  }

  void annotation_character(char character, std::size_t& depth) {
    refuse_character();
    if (character == '(') ++depth;
    if (character == ')') --depth;
    ++position_;
  }

  void refuse_character() const {
    if (position_ >= text_.size()) return;
    const auto byte = static_cast<unsigned char>(text_[position_]);
    if (!is_blank(text_[position_]) && (byte < 0x20 || byte >= 0x7f)) fail_text("illegal character", position_);
  }

  /// $"..." and (@"...": a string that must be a name. `problem`: what an illegal character in it is called.
  void name_string(const char* problem, std::size_t begin) {
    const std::size_t quote = position_;
    string(problem);
    const std::string name = unescape(text_.substr(quote, position_ - quote));
    if (name.empty()) fail_text(problem, begin);
    if (!is_text_utf8(name)) fail_text("malformed UTF-8 encoding", quote);
  }

  /// Characters without a blank or a parenthesis between them: a token, or a reserved one.
  void run_of_characters() {
    const std::size_t begin = position_;
    std::size_t strings = 0;
    bool is_plain = true;  // id characters and strings only
    std::size_t last_string = begin;
    while (position_ < text_.size()) {
      const char character = text_[position_];
      if (is_id_character(character)) {
        ++position_;
      } else if (character == '"') {
        ++strings;
        last_string = position_;
        if (position_ == begin + 1 && text_[begin] == '$') name_string("empty identifier", begin);
        else string("");
      } else if (is_bracket_or_comma(character) || (character == ';' && at(position_ + 1) != ';')) {
        is_plain = false;
        ++position_;
      } else {
        break;
      }
    }
    if (position_ == begin) fail_text("illegal character", begin);
    add(kind_of_run(begin, strings, last_string, is_plain), begin);
  }

  TokenKind kind_of_run(std::size_t begin, std::size_t strings, std::size_t last_string, bool is_plain) const {
    if (!is_plain || strings > 1) return TokenKind::Reserved;
    const bool ends_with_string = strings == 1 && text_[position_ - 1] == '"' && last_string + 1 < position_;
    if (strings == 1 && !ends_with_string) return TokenKind::Reserved;
    if (strings == 1 && last_string == begin) return TokenKind::String;
    if (text_[begin] != '$') return strings == 0 ? TokenKind::Atom : TokenKind::Reserved;
    if (strings == 1 && last_string != begin + 1) return TokenKind::Reserved;
    if (position_ == begin + 1) fail_text("empty identifier", begin);
    return TokenKind::Id;
  }

  /// `problem`: what to say of a character that cannot be in it; empty: what it is.
  void string(std::string_view problem) {
    const std::size_t begin = position_++;
    while (at(position_) != '"' || position_ >= text_.size()) {
      if (position_ >= text_.size()) fail_text("unclosed string", begin);
      const auto byte = static_cast<unsigned char>(text_[position_]);
      if (byte < 0x20 || byte == 0x7f) {
        if (!problem.empty()) fail_text(std::string(problem), begin);
        fail_text(byte == '\n' || byte == '\r' ? "unclosed string" : "illegal character in string literal", position_);
      }
      if (byte == '\\') escape();
      else ++position_;
    }
    ++position_;
  }

  void escape() {
    const std::size_t begin = position_;
    const char character = at(position_ + 1);
    if (simple_escape(character) != 0) {
      position_ += 2;
    } else if (hexadecimal_value(character) < 16 && hexadecimal_value(at(position_ + 2)) < 16) {
      position_ += 3;
    } else if (character == 'u' && at(position_ + 2) == '{') {
      unicode_escape();
    } else {
      fail_text("illegal escape", begin);
    }
  }

  void unicode_escape() {
    const std::size_t begin = position_;
    std::uint32_t code = 0;
    position_ += 3;
    bool has_digit = false;
    for (; at(position_) != '}'; ++position_) {
      if (at(position_) == '_' && has_digit && hexadecimal_value(at(position_ + 1)) < 16) continue;
      const unsigned digit = hexadecimal_value(at(position_));
      if (digit == not_hexadecimal) fail_text("illegal escape", begin);
      code = code * 16 + digit;
      if (code > 0x10ffff) fail_text("illegal escape: no Unicode character", begin);
      has_digit = true;
    }
    if (!has_digit || (code >= 0xd800 && code < 0xe000)) fail_text("illegal escape: no Unicode character", begin);
    ++position_;
  }

  std::string_view text_;
  std::size_t position_ = 0;
  std::vector<Token> tokens_;
};

}  // namespace

std::vector<Token> tokenize(std::string_view text) {
  if (text.size() > limits::module_size_bytes) fail_text("the text is too large", 0);
  if (!is_text_utf8(text)) fail_text("malformed UTF-8 encoding", utf8_fault(text));
  return Lexer(text).run();
}

std::string unescape(std::string_view literal) {
  literal = literal.substr(1, literal.size() - 2);
  std::string out;
  out.reserve(literal.size());
  for (std::size_t i = 0; i < literal.size(); ++i) {
    if (literal[i] != '\\') {
      out += literal[i];
      continue;
    }
    const char character = literal[++i];
    if (const char simple = simple_escape(character); simple != 0) {
      out += simple;
    } else if (character == 'u') {
      std::uint32_t code = 0;
      for (i += 2; literal[i] != '}'; ++i)
        if (literal[i] != '_') code = code * 16 + hexadecimal_value(literal[i]);
      append_utf8(out, code);
    } else {
      out += static_cast<char>(hexadecimal_value(character) << 4 | hexadecimal_value(literal[++i]));
    }
  }
  return out;
}

}  // namespace tfvm::text
