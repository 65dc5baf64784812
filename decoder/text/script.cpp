// Commands of scripts (script.hpp). Their grammar is that of the reference interpreter.
#include "decoder/text/script.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include "decoder/text/operands.hpp"
#include "decoder/text/token_stream.hpp"

namespace tfvm::text {
namespace {

using Kind = ScriptCommandKind;

struct Assertion {
  std::string_view keyword;
  Kind kind;
  bool is_about_module;  ///< else about an action
};
constexpr std::array assertions = {
    Assertion{"assert_return", Kind::AssertReturn, false},
    Assertion{"assert_trap", Kind::AssertTrap, false},
    Assertion{"assert_exhaustion", Kind::AssertExhaustion, false},
    Assertion{"assert_exception", Kind::AssertException, false},
    Assertion{"assert_invalid", Kind::AssertInvalid, true},
    Assertion{"assert_malformed", Kind::AssertMalformed, true},
    Assertion{"assert_unlinkable", Kind::AssertUnlinkable, true},
    Assertion{"assert_invalid_custom", Kind::AssertInvalidCustom, true},
    Assertion{"assert_malformed_custom", Kind::AssertMalformedCustom, true},
};

struct NumberKind {
  std::string_view keyword;
  ScriptValue::Kind kind;
  unsigned bits;
  bool is_float;
};
constexpr std::array numbers = {NumberKind{"i32.const", ScriptValue::Kind::I32, 32, false},
                                NumberKind{"i64.const", ScriptValue::Kind::I64, 64, false},
                                NumberKind{"f32.const", ScriptValue::Kind::F32, 32, true},
                                NumberKind{"f64.const", ScriptValue::Kind::F64, 64, true}};

constexpr std::array module_fields = {"type",   "rec", "import", "func",  "table", "memory",
                                      "global", "tag", "export", "start", "elem",  "data"};

class ScriptParser {
 public:
  explicit ScriptParser(std::string_view text) : stream_(text) {}

  std::vector<ScriptCommand> run() {
    if (is_module_without_parentheses()) {
      ScriptCommand command;
      command.module = stream_.text();
      return {command};
    }
    std::vector<ScriptCommand> commands;
    while (!stream_.is(TokenKind::End)) commands.push_back(command());
    return commands;
  }

 private:
  bool is_module_without_parentheses() const {
    return std::any_of(module_fields.begin(), module_fields.end(),
                       [this](const char* field) { return stream_.is_form(field); });
  }

  /// Lines are asked for in the order of the script, so all of them together take one pass.
  std::uint32_t line_here() {
    const std::string_view text = stream_.text();
    for (; line_offset_ < stream_.offset(); ++line_offset_)
      if (text[line_offset_] == '\n') ++line_;
    return line_;
  }

  ScriptCommand command() {
    ScriptCommand command;
    command.line = line_here();
    if (stream_.is_form("module")) {
      module(command);
    } else if (stream_.is_form("invoke") || stream_.is_form("get")) {
      command.kind = Kind::Action;
      command.action = action();
    } else if (stream_.accept_form("register")) {
      command.kind = Kind::Register;
      command.as = stream_.name();
      command.name = stream_.accept_id().value_or("");
      stream_.expect(TokenKind::Close);
    } else {
      assertion(command);
    }
    return command;
  }

  void module(ScriptCommand& command) {
    const std::size_t begin = stream_.position();
    stream_.expect_form("module");
    if (stream_.accept_atom("instance")) {
      command.kind = Kind::Instance;
      command.name = stream_.accept_id().value_or("");
      command.definition = stream_.accept_id().value_or("");
      return stream_.expect(TokenKind::Close);
    }
    if (stream_.accept_atom("definition")) command.kind = Kind::Definition;
    command.name = stream_.accept_id().value_or("");
    stream_.seek(begin);
    command.module = form();
  }

  /// The text of the form that begins here; the stream goes behind it.
  std::string_view form() {
    const std::size_t begin = stream_.offset();
    stream_.expect(TokenKind::Open);
    std::size_t depth = 1;
    std::size_t end = begin;
    while (depth > 0) {
      if (stream_.is(TokenKind::End)) stream_.fail_unexpected();
      const Token& token = stream_.next();
      if (token.kind == TokenKind::Open) ++depth;
      if (token.kind == TokenKind::Close) --depth;
      end = token.offset + token.size;
    }
    return stream_.text().substr(begin, end - begin);
  }

  void assertion(ScriptCommand& command) {
    stream_.expect(TokenKind::Open);
    const auto found = std::find_if(assertions.begin(), assertions.end(),
                                    [this](const Assertion& entry) { return stream_.is_atom(entry.keyword); });
    if (found == assertions.end()) stream_.fail_unexpected();
    stream_.next();
    command.kind = found->kind;
    if (found->is_about_module || (found->kind == Kind::AssertTrap && stream_.is_form("module"))) {
      if (!found->is_about_module) command.kind = Kind::AssertUninstantiable;
      if (!stream_.is_form("module")) stream_.fail_unexpected();
      command.module = form();
    } else {
      command.action = action();
    }
    if (command.kind == Kind::AssertReturn) results(command);
    else if (command.kind != Kind::AssertException) command.text = stream_.string();
    stream_.expect(TokenKind::Close);
  }

  ScriptAction action() {
    ScriptAction action;
    stream_.expect(TokenKind::Open);
    action.is_invoke = !stream_.accept_atom("get");
    if (action.is_invoke) stream_.expect_atom("invoke");
    action.module = stream_.accept_id().value_or("");
    action.field = stream_.name();
    while (action.is_invoke && stream_.is(TokenKind::Open)) action.arguments.push_back(value());
    stream_.expect(TokenKind::Close);
    return action;
  }

  void results(ScriptCommand& command) {
    if (stream_.accept_form("either")) {
      command.is_either = true;
      while (stream_.is(TokenKind::Open)) command.expected.push_back(value());
      return stream_.expect(TokenKind::Close);
    }
    while (stream_.is(TokenKind::Open)) command.expected.push_back(value());
  }

  ScriptValue value() {
    ScriptValue value;
    stream_.expect(TokenKind::Open);
    if (stream_.accept_atom("v128.const")) vector(value);
    else if (!number(value)) reference(value);
    stream_.expect(TokenKind::Close);
    return value;
  }

  ScriptLane lane(unsigned bits, bool is_float) {
    ScriptLane lane;
    if (is_float && stream_.accept_atom("nan:canonical")) lane.nan = ScriptLane::Nan::Canonical;
    else if (is_float && stream_.accept_atom("nan:arithmetic")) lane.nan = ScriptLane::Nan::Arithmetic;
    else lane.bits = is_float ? float_constant(stream_, bits) : integer_constant(stream_, bits);
    return lane;
  }

  bool number(ScriptValue& value) {
    for (const NumberKind& entry : numbers) {
      if (!stream_.accept_atom(entry.keyword)) continue;
      value.kind = entry.kind;
      value.lanes.push_back(lane(entry.bits, entry.is_float));
      return true;
    }
    return false;
  }

  void vector(ScriptValue& value) {
    const Shape lanes = shape(stream_);
    value.kind = ScriptValue::Kind::V128;
    value.lane_bits = lanes.bits;
    value.is_float = lanes.is_float;
    for (unsigned i = 0; i < lanes.lanes; ++i) value.lanes.push_back(lane(lanes.bits, lanes.is_float));
  }

  /// (ref.null ht?), (ref.extern n?), (ref.host n), (ref.func), ...
  void reference(ScriptValue& value) {
    const std::string_view word = stream_.is(TokenKind::Atom) ? stream_.text_of(stream_.peek()) : std::string_view();
    if (!word.starts_with("ref.")) stream_.fail_unexpected();
    stream_.next();
    value.kind = word == "ref.null" ? ScriptValue::Kind::Null : ScriptValue::Kind::Reference;
    if (value.kind == ScriptValue::Kind::Reference) value.heap = word.substr(4);
    else if (stream_.is(TokenKind::Atom)) value.heap = stream_.text_of(stream_.next());
    value.has_number = value.kind == ScriptValue::Kind::Reference && stream_.is_index();
    if (value.has_number) value.number = stream_.u64();
  }

  TokenStream stream_;
  std::uint32_t line_ = 1;
  std::size_t line_offset_ = 0;
};

}  // namespace

Result<std::vector<ScriptCommand>> parse_script(std::string_view script) {
  try {
    return ScriptParser(script).run();
  } catch (const TextFailure& failure) {
    return to_error(failure, script);
  }
}

}  // namespace tfvm::text
