// For a script that wabt refuses: removes what wabt complains about until the rest converts. In a module that is one
// function or table, replaced by a stub, where possible; else the form. Where wabt crashes, bisection over prefixes
// finds the form.
#include "spectests/convert.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <map>
#include <optional>

#include "spectests/dialect.hpp"
#include "spectests/forms.hpp"
#include "spectests/table64.hpp"

namespace tfvm::spectests {

namespace {

namespace fs = std::filesystem;

/// What is left of a script, form by form.
struct FormState {
  std::string reason;                          ///< why the form is dropped; empty: it is kept
  std::map<std::size_t, std::string> stubs;    ///< fields of a module that are replaced, and why
  std::map<std::string, std::string> exports;  ///< exports of the module that are not what they should be, and why
};

/// What a field is replaced by, behind its name: it keeps its index.
struct Stub {
  std::string_view head;
  std::string_view contents;
};
constexpr std::array stubs = {Stub{"func", ""}, Stub{"table", " 0 funcref"}, Stub{"elem", " declare func"}};

const Stub* find_stub(std::string_view head) {
  for (const Stub& stub : stubs)
    if (stub.head == head) return &stub;
  return nullptr;
}

/// Offsets of the "(ref" of typed references in a form, which to_older_spelling left as they are.
std::vector<std::size_t> find_typed_references(std::string_view text, const Form& form) {
  std::vector<std::size_t> offsets;
  Lexer lexer(text, form.begin);
  Token previous;
  for (auto token = lexer.next(); token && token->offset < form.end; token = lexer.next()) {
    if (token->kind == TokenKind::End) break;
    if (token->text == "ref" && previous.kind == TokenKind::Open) offsets.push_back(previous.offset);
    previous = *token;
  }
  return offsets;
}

class Splitter {
 public:
  Splitter(std::string text, std::vector<Form> forms, const ConvertOptions& options)
      : text_(std::move(text)),
        forms_(std::move(forms)),
        states_(forms_.size()),
        tables64_(remove_table_address_types(text_, forms_)),
        check_(std::all_of(tables64_.begin(), tables64_.end(), [](const auto& tables) { return tables.empty(); })
                   ? Wast2json::Check::Yes
                   : Wast2json::Check::No),
        converter_(options) {}

  Result<Conversion> convert() {
    drop_what_wabt_has_no_form_for();
    while (true) {
      drop_dependents();
      if (!is_anything_left()) return merge({});
      const std::string text = remaining(forms_.size());
      std::vector<Command> commands;
      const auto result = converter_.run(text, check_, &commands);
      if (!result) return result.error();
      if (result->ok()) return merge(std::move(commands));
      const bool changed = remove_reported(*result, text) || remove_by_bisection(result->crashed());
      if (!changed) return Error{ErrorKind::Host, "wast2json fails without a reason: " + result->error_output};
    }
  }

 private:
  bool is_kept(std::size_t index) const { return states_[index].reason.empty(); }
  bool is_anything_left() const {
    for (std::size_t i = 0; i < forms_.size(); ++i)
      if (is_kept(i) && forms_[i].kind != FormKind::Definition) return true;
    return false;
  }
  std::string reason_of(std::size_t begin, std::size_t end) const {
    return refusal_reason(std::string_view(text_).substr(begin, end - begin));
  }
  void drop(std::size_t index, std::string reason) { states_[index].reason = std::move(reason); }
  void drop_refused(std::size_t index) {
    const Form& form = forms_[index];
    drop(index, form.is_quote ? "text format" : reason_of(form.begin, form.end));
  }

  /// The text with blanks in place of what is dropped and of all forms from `count` on. Lines and columns stay.
  std::string remaining(std::size_t count) const {
    std::string text = text_;
    for (std::size_t i = 0; i < forms_.size(); ++i) {
      const Form& form = forms_[i];
      // A definition is to wabt a module like others, but must not become the current one: see convert_definition.
      if (!is_kept(i) || i >= count || form.kind == FormKind::Definition) {
        blank(text, form.begin, form.end);
        continue;
      }
      for (const auto& [field, reason] : states_[i].stubs) write_stub(text, form.fields[field]);
    }
    return text;
  }

  static void blank(std::string& text, std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i)
      if (text[i] != '\n') text[i] = ' ';
  }

  static std::string stub_text(const Field& field) {
    return "(" + field.head + (field.id.empty() ? "" : " " + field.id) + std::string(find_stub(field.head)->contents) +
           ")";
  }
  static void write_stub(std::string& text, const Field& field) {
    const std::string stub = stub_text(field);
    blank(text, field.begin, field.end);
    text.replace(field.begin, stub.size(), stub);
  }

  void drop_what_wabt_has_no_form_for() {
    for (std::size_t i = 0; i < forms_.size(); ++i) {
      const FormKind kind = forms_[i].kind;
      if (kind == FormKind::Annotation) drop(i, "text format");
      if (kind == FormKind::Instance || kind == FormKind::Other) drop_refused(i);
      // wabt reads (ref $t) here and there, and then writes malformed types.
      for (const std::size_t offset : find_typed_references(text_, forms_[i]))
        if (is_kept(i) && !is_stubbed(i, offset)) remove_at(i, offset);
    }
  }

  /// Drops actions, assertions and registrations of what is not there: wabt wants to know modules and their exports.
  /// An action that is dropped takes all that follows on its module with it: it could have changed the module.
  void drop_dependents() {
    FormState nothing;
    FormState* current = &nothing;
    std::map<std::string, FormState*> by_name;
    for (std::size_t i = 0; i < forms_.size(); ++i) {
      const Form& form = forms_[i];
      if (form.kind == FormKind::Module || form.kind == FormKind::Instance) {
        current = &states_[i];
        if (!form.module_id.empty()) by_name[form.module_id] = current;
        continue;
      }
      const bool depends =
          form.kind == FormKind::Register || form.kind == FormKind::Action || form.kind == FormKind::ActionAssertion;
      if (!depends || !is_kept(i)) continue;
      const auto named = by_name.find(form.module_id);
      FormState& target = form.module_id.empty() || named == by_name.end() ? *current : *named->second;
      const auto bad_export = target.exports.find(form.action_field);
      if (bad_export != target.exports.end()) drop(i, bad_export->second);
      else if (const auto all = target.exports.find(every_export); all != target.exports.end()) drop(i, all->second);
      else drop(i, target.reason);
      if (form.kind == FormKind::Action && !is_kept(i)) target.exports[every_export] = states_[i].reason;
    }
  }

  /// Removes what wabt's messages are about. Only the first one is sure: later ones may follow from it, so they count
  /// only for a form that is refused when alone, too.
  bool remove_reported(const ProcessResult& result, std::string_view text) {
    std::optional<std::size_t> last;
    for (const std::size_t offset : error_offsets(result.error_output, text)) {
      const auto index = kept_form_before(offset);
      if (!index || index == last) continue;
      if (!last) remove_at(*index, offset);
      else if (forms_[*index].stands_alone()) remove_if_refused(*index, text);
      last = index;
    }
    return last.has_value();
  }

  void remove_if_refused(std::size_t index, std::string_view text) {
    const Form& form = forms_[index];
    const std::string_view alone = text.substr(form.begin, form.end - form.begin);
    const auto result = converter_.run(alone, check_, nullptr);
    if (!result) return;
    const auto offsets = error_offsets(result->error_output, alone);
    if (!result->ok() && !offsets.empty()) remove_at(index, form.begin + offsets[0]);
  }

  /// The last kept form that begins at or before `offset`.
  std::optional<std::size_t> kept_form_before(std::size_t offset) const {
    for (std::size_t i = forms_.size(); i-- > 0;)
      if (forms_[i].begin <= offset && is_kept(i) && forms_[i].kind != FormKind::Definition) return i;
    return std::nullopt;
  }

  bool is_stubbed(std::size_t index, std::size_t offset) const {
    const auto& fields = forms_[index].fields;
    return std::any_of(states_[index].stubs.begin(), states_[index].stubs.end(), [&](const auto& stubbed) {
      return fields[stubbed.first].begin <= offset && offset < fields[stubbed.first].end;
    });
  }

  /// Removes the field of form `index` at `offset`, or, if that does not go, the form.
  void remove_at(std::size_t index, std::size_t offset) {
    const Form& form = forms_[index];
    for (std::size_t i = 0; i < form.fields.size(); ++i) {
      const Field& field = form.fields[i];
      const bool refused = field.begin <= offset && offset < field.end;
      if (!refused || states_[index].stubs.count(i) != 0) continue;
      if (!can_be_stub(form, i)) break;
      if (stub(index, i, reason_of(field.begin, field.end))) return;
      break;
    }
    drop_refused(index);
  }

  /// Functions can, and tables that no other field can mean without naming them.
  static bool can_be_stub(const Form& form, std::size_t index) {
    const Field& field = form.fields[index];
    if (field.head != "table" || field.id.empty()) return field.head == "func";
    const auto behind = form.fields.begin() + static_cast<std::ptrdiff_t>(index);
    const bool is_first =
        std::none_of(form.fields.begin(), behind, [](const Field& other) { return other.head == "table"; });
    return std::none_of(form.fields.begin(), form.fields.end(), [&](const Field& other) {
      return other.uses_numbered_table || (is_first && other.uses_first_table);
    });
  }

  /// Replaces a field, and the functions and element segments that mention it, by stubs. False: it does not go.
  bool stub(std::size_t index, std::size_t field_index, const std::string& reason) {
    const Form& form = forms_[index];
    const Field& field = form.fields[field_index];
    auto& state = states_[index];
    if (stub_text(field).size() > field.end - field.begin) return false;
    state.stubs[field_index] = reason;
    for (const std::string& name : field.exports) state.exports[name] = reason;
    if (field.id.empty()) return true;
    for (std::size_t i = 0; i < form.fields.size(); ++i) {
      const Field& other = form.fields[i];
      const bool mentions = std::find(other.mentions.begin(), other.mentions.end(), field.id) != other.mentions.end();
      if (!mentions || state.stubs.count(i) != 0) continue;
      if (other.head == "export")
        for (const std::string& name : other.exports) state.exports[name] = reason;
      if (other.head == "start") return false;
      const bool follows = other.head == "func" || (other.head == "elem" && field.head == "table");
      if (follows && !stub(index, i, reason)) return false;
    }
    return true;
  }

  /// Drops the last form of the shortest prefix that fails the way the whole does.
  bool remove_by_bisection(bool crashes) {
    const auto fails = [&](std::size_t count) {
      const auto result = converter_.run(remaining(count), check_, nullptr);
      return result && (crashes ? result->crashed() : !result->ok());
    };
    std::vector<std::size_t> kept;
    for (std::size_t i = 0; i < forms_.size(); ++i)
      if (is_kept(i) && forms_[i].kind != FormKind::Definition) kept.push_back(i);
    std::size_t good = 0;
    std::size_t bad = kept.size();
    while (bad - good > 1) {
      const std::size_t middle = good + (bad - good) / 2;
      (fails(kept[middle - 1] + 1) ? bad : good) = middle;
    }
    if (bad == 0) return false;
    drop_refused(kept[bad - 1]);
    return true;
  }

  /// wabt's commands, one for each kept form, and Skipped ones for the others.
  Result<Conversion> merge(std::vector<Command> converted) const {
    Conversion conversion;
    conversion.is_whole = false;
    std::size_t next = 0;
    for (std::size_t i = 0; i < forms_.size(); ++i) {
      const Form& form = forms_[i];
      if (form.kind == FormKind::Annotation) continue;
      if (!is_kept(i)) {
        conversion.commands.push_back(skipped(form, states_[i].reason));
        continue;
      }
      if (form.kind == FormKind::Definition) {
        auto definition = convert_definition(i);
        if (!definition) return definition.error();
        conversion.commands.push_back(std::move(*definition));
        continue;
      }
      if (next == converted.size()) return Error{ErrorKind::Host, "wast2json gave fewer commands than there are forms"};
      Command& command = converted[next++];
      set_table_address_types(command.module, tables64_[i]);
      conversion.commands.push_back(std::move(command));
    }
    if (next != converted.size()) return Error{ErrorKind::Host, "wast2json gave more commands than there are forms"};
    return conversion;
  }

  Result<Command> convert_definition(std::size_t index) const {
    const Form& form = forms_[index];
    std::string text = text_.substr(form.begin, form.end - form.begin);
    const std::size_t word = text.find("definition");
    blank(text, word, word + std::strlen("definition"));
    std::vector<Command> commands;
    const auto result = converter_.run(text, check_, &commands);
    if (!result) return result.error();
    if (!result->ok() || commands.size() != 1) return skipped(form, reason_of(form.begin, form.end));
    Command command = std::move(commands[0]);
    command.kind = CommandKind::Definition;
    command.line = form.line;
    command.name = form.module_id;
    set_table_address_types(command.module, tables64_[index]);
    return command;
  }

  static Command skipped(const Form& form, const std::string& reason) {
    Command command;
    command.line = form.line;
    command.name = form.module_id;
    command.as = form.registered_name;
    command.skip_reason = reason;
    switch (form.kind) {
      case FormKind::Module:
      case FormKind::Instance: command.skipped_kind = CommandKind::Module; break;
      case FormKind::Definition: command.skipped_kind = CommandKind::Definition; break;
      case FormKind::Register: command.skipped_kind = CommandKind::Register; break;
      case FormKind::ModuleAssertion: command.skipped_kind = CommandKind::AssertInvalid; break;
      case FormKind::ActionAssertion: command.skipped_kind = CommandKind::AssertReturn; break;
      default: command.skipped_kind = CommandKind::Action; break;
    }
    return command;
  }

  static constexpr const char* every_export = "\\";  // no name in a script reads so

  std::string text_;
  std::vector<Form> forms_;
  std::vector<FormState> states_;
  std::vector<std::vector<std::uint32_t>> tables64_;  ///< by form: its 64-bit tables
  Wast2json::Check check_;                            ///< No: wabt would take 64-bit tables for others
  Wast2json converter_;
};

}  // namespace

Result<Conversion> convert_script(const fs::path& script, const ConvertOptions& options) {
  const auto bytes = read_file(script);
  if (!bytes) return bytes.error();
  const std::string_view text(reinterpret_cast<const char*>(bytes->data()), bytes->size());
  Conversion whole;
  const auto result = Wast2json(options).run(text, Wast2json::Check::Yes, &whole.commands);
  if (!result) return result.error();
  if (result->ok()) return whole;
  auto older = to_older_spelling(text);
  if (!older) return older.error();
  auto forms = split_forms(*older);
  if (!forms) return forms.error();
  return Splitter(std::move(*older), std::move(*forms), options).convert();
}

}  // namespace tfvm::spectests
