// The text format's commands and constants to the runner's (wast.hpp).
#include "spectests/wast.hpp"

#include <array>
#include <utility>

#include "decoder/text/assemble.hpp"
#include "decoder/text/script.hpp"

namespace tfvm::spectests {

namespace {

using text::ScriptCommand;
using text::ScriptCommandKind;
using text::ScriptLane;
using text::ScriptValue;

CommandKind command_kind(ScriptCommandKind kind) {
  switch (kind) {
    case ScriptCommandKind::Module: return CommandKind::Module;
    case ScriptCommandKind::Definition: return CommandKind::Definition;
    case ScriptCommandKind::Instance: return CommandKind::Instance;
    case ScriptCommandKind::Register: return CommandKind::Register;
    case ScriptCommandKind::Action: return CommandKind::Action;
    case ScriptCommandKind::AssertReturn: return CommandKind::AssertReturn;
    case ScriptCommandKind::AssertTrap: return CommandKind::AssertTrap;
    case ScriptCommandKind::AssertExhaustion: return CommandKind::AssertExhaustion;
    case ScriptCommandKind::AssertException: return CommandKind::AssertException;
    case ScriptCommandKind::AssertUninstantiable: return CommandKind::AssertUninstantiable;
    case ScriptCommandKind::AssertInvalid: return CommandKind::AssertInvalid;
    case ScriptCommandKind::AssertMalformed: return CommandKind::AssertMalformed;
    case ScriptCommandKind::AssertUnlinkable: return CommandKind::AssertUnlinkable;
    case ScriptCommandKind::AssertInvalidCustom:
    case ScriptCommandKind::AssertMalformedCustom: return CommandKind::Skipped;
  }
  return CommandKind::Skipped;
}

constexpr std::array heap_kinds = {std::pair{std::string_view("func"), HeapKind::Func},
                                   std::pair{std::string_view("nofunc"), HeapKind::NoFunc},
                                   std::pair{std::string_view("extern"), HeapKind::Extern},
                                   std::pair{std::string_view("noextern"), HeapKind::NoExtern},
                                   std::pair{std::string_view("any"), HeapKind::Any},
                                   std::pair{std::string_view("eq"), HeapKind::Eq},
                                   std::pair{std::string_view("i31"), HeapKind::I31},
                                   std::pair{std::string_view("struct"), HeapKind::Struct},
                                   std::pair{std::string_view("array"), HeapKind::Array},
                                   std::pair{std::string_view("none"), HeapKind::None},
                                   std::pair{std::string_view("exn"), HeapKind::Exn},
                                   std::pair{std::string_view("noexn"), HeapKind::NoExn}};

/// The type that a script means by the name of a heap type; a host's reference is one of any.
ValueType reference_type(std::string_view heap, bool is_nullable) {
  for (const auto& [name, kind] : heap_kinds)
    if (name == heap) return ValueType::ref(is_nullable, kind);
  return ValueType::ref(is_nullable, HeapKind::Any);
}

Pattern number_pattern(ValueKind kind, const ScriptLane& lane) {
  Pattern pattern;
  pattern.value = Value{kind, Slot{lane.bits}};
  if (lane.nan == ScriptLane::Nan::Canonical) pattern.kind = Pattern::Kind::CanonicalNan;
  if (lane.nan == ScriptLane::Nan::Arithmetic) pattern.kind = Pattern::Kind::ArithmeticNan;
  return pattern;
}

Pattern pattern_of(const ScriptValue& value) {
  Pattern pattern;
  switch (value.kind) {
    case ScriptValue::Kind::I32: return number_pattern(ValueKind::I32, value.lanes[0]);
    case ScriptValue::Kind::I64: return number_pattern(ValueKind::I64, value.lanes[0]);
    case ScriptValue::Kind::F32: return number_pattern(ValueKind::F32, value.lanes[0]);
    case ScriptValue::Kind::F64: return number_pattern(ValueKind::F64, value.lanes[0]);
    case ScriptValue::Kind::V128:
      pattern.kind = Pattern::Kind::Vector;
      pattern.value.type = ValueKind::V128;
      return pattern;
    case ScriptValue::Kind::Null:
      if (value.heap.empty()) pattern.kind = Pattern::Kind::AnyNull;
      pattern.value = Value{reference_type(value.heap, true), Slot::null()};
      return pattern;
    case ScriptValue::Kind::Reference:
      pattern.kind = value.has_number ? Pattern::Kind::Exact : Pattern::Kind::NonNull;
      pattern.value = Value{reference_type(value.heap, false), Slot::external(value.number)};
      return pattern;
  }
  return pattern;
}

Action action_of(const text::ScriptAction& source) {
  Action action;
  action.is_invoke = source.is_invoke;
  action.module = source.module;
  action.field = source.field;
  for (const ScriptValue& argument : source.arguments) {
    const Pattern pattern = pattern_of(argument);
    if (pattern.kind == Pattern::Kind::Vector) action.has_vector_arguments = true;
    action.arguments.push_back(pattern.value);
  }
  return action;
}

Command command_of(const ScriptCommand& source) {
  Command command;
  command.kind = command_kind(source.kind);
  command.line = source.line;
  command.name = source.name;
  command.as = source.as;
  command.definition = source.definition;
  command.text = source.text;
  command.action = action_of(source.action);
  command.is_either = source.is_either;
  for (const ScriptValue& value : source.expected) command.expected.push_back(pattern_of(value));
  if (command.kind == CommandKind::Skipped) {
    command.skip_reason = "custom annotations";
    command.skipped_kind = CommandKind::AssertMalformed;
    return command;
  }
  if (source.module.empty() && command.kind != CommandKind::Module) return command;
  auto module = text::assemble_module(source.module);
  if (module) command.module = std::move(module).value();
  else command.text_error = module.error();
  return command;
}

}  // namespace

Result<std::vector<Command>> read_wast(std::string_view script) {
  const auto sources = text::parse_script(script);
  if (!sources) return sources.error();
  std::vector<Command> commands;
  for (const ScriptCommand& source : *sources) commands.push_back(command_of(source));
  return commands;
}

Result<std::vector<Command>> read_wast_file(const std::filesystem::path& path) {
  const auto bytes = read_file(path);
  if (!bytes) return bytes.error();
  return read_wast({reinterpret_cast<const char*>(bytes->data()), bytes->size()});
}

}  // namespace tfvm::spectests
