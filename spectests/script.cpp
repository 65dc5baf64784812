// wast2json's JSON to commands. The JSON library reports what is wrong by exceptions; they end here.
#include "spectests/script.hpp"

#include <array>
#include <charconv>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>

namespace tfvm::spectests {

namespace {

using Json = nlohmann::json;

struct CommandName {
  std::string_view name;
  CommandKind kind;
};
constexpr std::array command_names = {
    CommandName{"module", CommandKind::Module},
    CommandName{"module definition", CommandKind::Definition},
    CommandName{"module instance", CommandKind::Instance},
    CommandName{"register", CommandKind::Register},
    CommandName{"action", CommandKind::Action},
    CommandName{"assert_return", CommandKind::AssertReturn},
    CommandName{"assert_trap", CommandKind::AssertTrap},
    CommandName{"assert_exhaustion", CommandKind::AssertExhaustion},
    CommandName{"assert_exception", CommandKind::AssertException},
    CommandName{"assert_invalid", CommandKind::AssertInvalid},
    CommandName{"assert_malformed", CommandKind::AssertMalformed},
    CommandName{"assert_unlinkable", CommandKind::AssertUnlinkable},
    CommandName{"assert_uninstantiable", CommandKind::AssertUninstantiable},
};

struct TypeName {
  std::string_view name;
  ValueType type;
};
const std::array type_names = {
    TypeName{"i32", ValueKind::I32},  TypeName{"i64", ValueKind::I64},   TypeName{"f32", ValueKind::F32},
    TypeName{"f64", ValueKind::F64},  TypeName{"v128", ValueKind::V128}, TypeName{"funcref", funcref},
    TypeName{"externref", externref},
};

/// What is wrong with the script, thrown within this file.
struct BadScript {
  std::string message;
};

CommandKind command_kind(const std::string& name) {
  for (const CommandName& entry : command_names)
    if (entry.name == name) return entry.kind;
  throw BadScript{"unknown command " + name};
}

ValueType value_type(const std::string& name) {
  for (const TypeName& entry : type_names)
    if (entry.name == name) return entry.type;
  throw BadScript{"unknown type " + name};
}

std::uint64_t read_number(const std::string& text) {
  std::uint64_t number = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), number);
  if (result.ec != std::errc() || result.ptr != text.data() + text.size()) throw BadScript{"no number: " + text};
  return number;
}

Pattern read_pattern(const Json& json) {
  Pattern pattern;
  pattern.value.type = value_type(json.at("type").get<std::string>());
  if (pattern.value.type.kind() == ValueKind::V128) {
    pattern.kind = Pattern::Kind::Vector;
    return pattern;
  }
  const auto text = json.at("value").get<std::string>();
  const bool is_function = pattern.value.type == funcref;
  if (text == "nan:canonical") pattern.kind = Pattern::Kind::CanonicalNan;
  else if (text == "nan:arithmetic") pattern.kind = Pattern::Kind::ArithmeticNan;
  else if (text == "null") pattern.value.slot = Slot::null();
  else if (is_function) pattern.kind = Pattern::Kind::NonNull;  // (ref.func): which one is not said
  else if (pattern.value.type == externref) pattern.value.slot = Slot::external(read_number(text));
  else pattern.value.slot = Slot{read_number(text)};
  return pattern;
}

std::string optional_text(const Json& json, const char* key) { return json.value(key, std::string()); }

Action read_action(const Json& json) {
  Action action;
  const auto type = json.at("type").get<std::string>();
  if (type != "invoke" && type != "get") throw BadScript{"unknown action " + type};
  action.is_invoke = type == "invoke";
  action.module = optional_text(json, "module");
  action.field = json.at("field").get<std::string>();
  if (!action.is_invoke) return action;
  for (const Json& argument : json.at("args")) {
    const Pattern pattern = read_pattern(argument);
    if (pattern.kind == Pattern::Kind::Vector) action.has_vector_arguments = true;
    else if (pattern.kind != Pattern::Kind::Exact) throw BadScript{"argument is no value"};
    action.arguments.push_back(pattern.value);
  }
  return action;
}

Command read_command(const Json& json, const std::filesystem::path& folder) {
  Command command;
  command.kind = command_kind(json.at("type").get<std::string>());
  command.line = json.at("line").get<std::uint32_t>();
  command.name = optional_text(json, "name");
  command.as = optional_text(json, "as");
  command.text = optional_text(json, "text");
  command.is_text_module = optional_text(json, "module_type") == "text";
  if (json.contains("action")) command.action = read_action(json.at("action"));
  command.is_either = json.contains("either");
  if (command.kind == CommandKind::AssertReturn)
    for (const Json& result : json.at(command.is_either ? "either" : "expected"))
      command.expected.push_back(read_pattern(result));
  if (json.contains("filename") && !command.is_text_module) {
    auto bytes = read_file(folder / json.at("filename").get<std::string>());
    if (!bytes) throw BadScript{bytes.error().message};
    command.module = std::move(*bytes);
  }
  return command;
}

}  // namespace

std::string_view to_string(CommandKind kind) {
  for (const CommandName& entry : command_names)
    if (entry.kind == kind) return entry.name;
  return "skipped";
}

Result<std::vector<Command>> read_script(std::string_view json, const std::filesystem::path& folder) {
  try {
    std::vector<Command> commands;
    const Json root = Json::parse(json);
    for (const Json& command : root.at("commands")) commands.push_back(read_command(command, folder));
    return commands;
  } catch (const Json::exception& exception) {
    return Error{ErrorKind::Host, std::string("wast2json's output: ") + exception.what()};
  } catch (const BadScript& problem) {
    return Error{ErrorKind::Host, "wast2json's output: " + problem.message};
  }
}

Result<std::vector<std::uint8_t>> read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::vector<std::uint8_t> bytes((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  if (!file) return Error{ErrorKind::Host, "cannot read " + path.string()};
  return bytes;
}

}  // namespace tfvm::spectests
