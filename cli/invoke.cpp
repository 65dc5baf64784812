// Exported functions by name and their values as text (invoke.hpp).
#include "cli/invoke.hpp"

#include <algorithm>

#include "cli/failure.hpp"
#include "cli/parse.hpp"
#include "cli/text.hpp"
#include "decoder/error.hpp"

namespace tfvm::cli {
namespace {

std::vector<std::string_view> exported_functions(const Module& module) {
  std::vector<std::string_view> names;
  for (const Export& entry : module.exports)
    if (entry.kind == ExternKind::Function) names.push_back(entry.name);
  return names;
}

// "add, sub, mul and 5 more"
std::string list_of_names(std::span<const std::string_view> names) {
  constexpr std::size_t most = 8;
  std::string text;
  for (std::size_t i = 0; i < names.size() && i < most; ++i) text += (i == 0 ? "" : ", ") + printable(names[i]);
  if (names.size() > most) text += " and " + std::to_string(names.size() - most) + " more ('tfvm inspect' lists them)";
  return text;
}

std::string what_can_be_called(const Module& module) {
  const std::vector<std::string_view> names = exported_functions(module);
  if (names.empty()) return "the module exports no function at all";
  return "functions that --invoke can call: " + list_of_names(names);
}

const Export* find_function_export(const Module& module, std::string_view name) {
  for (const Export& entry : module.exports)
    if (entry.kind == ExternKind::Function && entry.name == name) return &entry;
  return nullptr;
}

std::string expectation(ValueType type) {
  if (type.is_ref()) return "expected null: other references cannot be written on a command line";
  if (type == ValueKind::I32 || type == ValueKind::I64)
    return "expected a whole number of " + std::string(type == ValueKind::I32 ? "32" : "64") +
           " bits, such as 42, -1 or 0xff";
  return "expected a number such as 1.5, -2e10, 0x1p-3, inf or nan";
}

}  // namespace

std::uint32_t find_exported_function(const Module& module, std::string_view name) {
  if (const Export* entry = find_function_export(module, name)) return entry->index;
  const std::vector<std::string_view> names = exported_functions(module);
  const std::string_view meant = closest(name, names);
  fail("no exported function is called '" + printable(name) + "'",
       meant.empty() ? what_can_be_called(module) : "did you mean '" + printable(meant) + "'?");
}

std::uint32_t find_start_function(const Module& module, std::string_view file, std::span<const std::string> arguments) {
  const Export* entry = find_function_export(module, "_start");
  if (entry == nullptr && find_function_export(module, "run") != nullptr &&
      std::any_of(module.imports.begin(), module.imports.end(),
                  [](const Import& import) { return import.name.starts_with("hostcall_"); }))
    fail(printable(file) + " is a function for a server, not a program",
         "tfvm run --hostcalls --request 'GET /' " + printable(file) + " runs it for one request");
  if (entry == nullptr) {
    const bool is_late =
        std::any_of(arguments.begin(), arguments.end(), [](const auto& text) { return text.starts_with("--invoke"); });
    fail(printable(file) + " has no '_start' to run",
         is_late ? "options of tfvm end at FILE: put --invoke in front of it" : what_can_be_called(module));
  }
  const FunctionType& type = module.function_type(entry->index);
  if (!(type == FunctionType{}))
    fail("the export '_start' has the type " + to_string(type) + " instead of () -> ()",
         "--invoke _start calls it with arguments");
  return entry->index;
}

std::vector<Value> parse_invoke_arguments(const FunctionType& type, std::string_view name,
                                          std::span<const std::string> texts) {
  if (texts.size() != type.params.size())
    fail_usage("'" + printable(name) + "' takes " + counted(type.params.size(), "argument") + ", not " +
                   std::to_string(texts.size()),
               "its type is " + to_string(type));
  std::vector<Value> values;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const std::optional<Value> value = parse_value(type.params[i], texts[i]);
    if (!value)
      fail_usage("argument " + std::to_string(i + 1) + " of '" + printable(name) + "' is no " +
                     to_string(type.params[i]) + ": '" + printable(texts[i]) + "'",
                 expectation(type.params[i]));
    values.push_back(*value);
  }
  return values;
}

std::string format_results(std::span<const Value> values) {
  std::string text;
  for (const Value& value : values) text += format_value(value) + '\n';
  return text;
}

}  // namespace tfvm::cli
