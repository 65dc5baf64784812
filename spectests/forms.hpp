// The top-level s-expressions ("forms") of a .wast script: where they are and what they are. A lexer that knows
// strings, both kinds of comments, annotations and parentheses; it understands nothing inside of modules.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "decoder/error.hpp"

namespace tfvm::spectests {

enum class TokenKind : std::uint8_t { Open, Close, String, Atom, End };

/// A token as a range of the text. `text` of a string has its quotes and escapes.
struct Token {
  TokenKind kind = TokenKind::End;
  std::string_view text = {};
  std::size_t offset = 0;
};

/// Tokens of a script, one after the other; white space and comments are skipped.
class Lexer {
 public:
  /// REQUIRES: `text` outlives the lexer and its tokens.
  explicit Lexer(std::string_view text, std::size_t offset = 0) : text_(text), position_(offset) {}

  /// Errors (Malformed, with the offset): a string or block comment without an end.
  Result<Token> next();

 private:
  Result<Done> skip_blanks();
  Result<Done> skip_block_comment();

  std::string_view text_;
  std::size_t position_;
};

enum class FormKind : std::uint8_t {
  Module,           ///< (module ...): replaces the current instance
  Definition,       ///< (module definition ...): only loaded
  Instance,         ///< (module instance ...): instantiates a definition
  Register,         ///< (register "name" $id?)
  Action,           ///< (invoke ...) or (get ...)
  ModuleAssertion,  ///< an assertion about the module inside of it
  ActionAssertion,  ///< an assertion about an action on the current or a named instance
  Annotation,       ///< (@name ...): means nothing
  Other,
};

/// A field of a module: (func ...), (table ...), ...
struct Field {
  std::size_t begin = 0;
  std::size_t end = 0;
  std::string head = {};
  std::string id = {};                     ///< "$f"; empty: none
  std::vector<std::string> exports = {};   ///< names in (export "...") at its start, or of an export field; no quotes
  std::vector<std::string> mentions = {};  ///< all $ids in it, its own too
  bool uses_first_table = false;           ///< it may use table 0: it says so, or does not name one
  bool uses_numbered_table = false;        ///< it names a table by another number
};

struct Form {
  FormKind kind = FormKind::Other;
  std::size_t begin = 0;  ///< of the opening parenthesis, in the text
  std::size_t end = 0;    ///< behind the closing one
  std::uint32_t line = 1;
  std::string head = {};       ///< "module", "assert_return", ...
  std::string module_id = {};  ///< "$A": which module it names (Module, Definition, Instance) or is about; empty: none
  std::string registered_name = {};  ///< of Register, without quotes, escapes as they stand
  bool is_quote = false;             ///< its module is text in strings
  bool is_binary = false;            ///< its module is binary in strings
  std::string action_field = {};     ///< of Action and ActionAssertion: the export, without quotes
  std::vector<Field> fields = {};    ///< of Module

  bool is_assertion() const { return kind == FormKind::ModuleAssertion || kind == FormKind::ActionAssertion; }
  /// It means the same without the forms before it.
  bool stands_alone() const { return kind == FormKind::Module || kind == FormKind::ModuleAssertion; }
};

/// Splits a script. Errors (Malformed): parentheses that do not match, what Lexer refuses.
Result<std::vector<Form>> split_forms(std::string_view text);

/// What the strings of a binary module or a name stand for: quotes off, escapes (\hh, \n, \u{...}, ...) resolved.
std::string unescape(std::string_view string_token);

}  // namespace tfvm::spectests
