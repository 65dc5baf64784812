// Byte by byte first; where that differs, by what the decoder and the disassembler say of both (judge.hpp).
#include "spectests/judge.hpp"

#include <algorithm>
#include <cstdio>
#include <string>

#include "decoder/const_expr.hpp"
#include "decoder/disassemble.hpp"
#include "decoder/module.hpp"
#include "decoder/text/assemble.hpp"
#include "decoder/text/print_module.hpp"
#include "spectests/wast.hpp"
#include "spectests/wast2json.hpp"

namespace tfvm::spectests {

namespace {

std::string expression_text(const Module& module, const Disassembler& disassembler, ByteRange range) {
  std::string text;
  if (range.size != 0)
    for_each_instruction(module, range,
                         [&](const Instruction& instruction) { text += disassembler.instruction(instruction) + ";"; });
  return text;
}

std::string limits_text(const Limits& limits) {
  return std::to_string(limits.minimum) + ".." + (limits.has_maximum ? std::to_string(limits.maximum) : "") + "\n";
}

/// The functions an element segment holds, or its expressions; `(ref.func x)` and `x` are the same.
std::string items_text(const Module& module, const Disassembler& disassembler, const ElementSegment& segment) {
  std::string text;
  if (!segment.holds_expressions) {
    for_each_function_index(module, segment,
                            [&](std::uint32_t index) { text += "ref.func " + std::to_string(index) + ";"; });
    return text;
  }
  Reader reader(module.bytes(), segment.items.offset, segment.items.offset + segment.items.size);
  for (std::uint32_t i = 0; i < segment.count; ++i)
    for_each_instruction(reader, module, [&](const Instruction& instruction) {
      const std::string item = disassembler.instruction(instruction);
      text += item.substr(0, item.find(" ;;")) + ";";
    });
  return text;
}

/// A block type by index in its short form where there is one: "(type 3)" becomes "(result i32)".
std::string with_short_block_type(const Module& module, const std::string& line) {
  const std::size_t space = line.find(" (type ");
  const std::string name = line.substr(0, space);
  if (space == std::string::npos || (name != "block" && name != "loop" && name != "if")) return line;
  const std::size_t index = std::stoul(line.substr(space + 7));
  if (index >= module.types.size() || !module.types[index]->is_function()) return line;
  const FunctionType& type = module.types[index]->function();
  if (!type.params.empty() || type.results.size() > 1) return line;
  return type.results.empty() ? name : name + " (result " + to_string(type.results[0]) + ")";
}

/// A declaration of no locals: "local 2..1 i32".
bool declares_nothing(const std::string& line) {
  unsigned long long first = 0;
  unsigned long long last = 0;
  return std::sscanf(line.c_str(), "local %llu..%llu", &first, &last) == 2 && last + 1 == first;
}

std::string contents_text(const Module& module) {
  const Disassembler disassembler(module);
  std::string text;
  for (const Import& import : module.imports)
    text += "import " + std::string(import.module) + " " + std::string(import.name) + " " + to_string(import.kind) +
            std::to_string(import.index) + "\n";
  for (const Export& item : module.exports)
    text += "export " + std::string(item.name) + " " + to_string(item.kind) + std::to_string(item.index) + "\n";
  for (const Table& table : module.tables)
    text += "table " + to_string(table.type.element) + " " + limits_text(table.type.limits) +
            expression_text(module, disassembler, table.initializer);
  for (const MemoryType& memory : module.memories) text += "memory " + limits_text(memory.limits);
  for (const Global& global : module.globals)
    text += "global " + to_string(global.type.value) + (global.type.is_mutable ? " mut " : " ") +
            expression_text(module, disassembler, global.initializer) + "\n";
  for (const ElementSegment& segment : module.elements)
    text += "elem " + std::to_string(static_cast<int>(segment.mode)) + " " + std::to_string(segment.table_index) + " " +
            expression_text(module, disassembler, segment.offset) + " " + items_text(module, disassembler, segment) +
            "\n";
  for (const DataSegment& segment : module.data) {
    const auto bytes = module.bytes(segment.bytes);
    text += "data " + std::to_string(static_cast<int>(segment.mode)) + " " + std::to_string(segment.memory_index) +
            " " + expression_text(module, disassembler, segment.offset) + std::string(bytes.begin(), bytes.end()) +
            "\n";
  }
  if (module.start) text += "start " + std::to_string(*module.start) + "\n";
  for (std::uint32_t i = 0; i < module.functions.size(); ++i) {
    text += disassembler.function_header(i) + "\n";
    (void)disassembler.function(i, [&](const DisassemblyLine& line) {
      if (!declares_nothing(line.text)) text += with_short_block_type(module, line.text) + "\n";
    });
  }
  return text;
}

/// What is in a module, independently of the forms that its bytes chose; the error, for one that is refused.
std::string meaning(const std::vector<std::uint8_t>& bytes) {
  const auto module = load_module(bytes, std::make_shared<TypeRegistry>());
  return module ? contents_text(**module) : to_string(module.error().kind) + (": " + module.error().message);
}

/// A module printed as text and assembled again must mean the same.
void check_round_trip(const Script& script, const Command& command, Report& report) {
  const auto module = load_module(command.module, std::make_shared<TypeRegistry>());
  if (!module) return;
  const auto printed = text::print_module(**module);
  const auto again = printed ? text::assemble_module(*printed) : Result<std::vector<std::uint8_t>>(printed.error());
  if (again && meaning(*again) == contents_text(**module)) return;
  ++report.failed;
  report.failures.push_back(script.name + ":" + std::to_string(command.line) + ": printed as text it is " +
                            (again ? "another module" : "malformed: " + again.error().message));
}

void compare(const Script& script, const Command& ours, const Command& theirs, Report& report) {
  if (ours.text_error || theirs.is_text_module) {
    ++(ours.text_error && theirs.is_text_module ? report.passed : report.skipped["text that only one side refuses"]);
    return;
  }
  const std::string their_meaning = meaning(theirs.module);
  const std::string our_meaning = meaning(ours.module);
  if (ours.module == theirs.module || our_meaning == their_meaning) {
    ++report.passed;
    return;
  }
  if (our_meaning.starts_with("invalid") && their_meaning.starts_with("invalid")) {
    ++report.skipped["both invalid, for other reasons"];
    return;
  }
  if (their_meaning.starts_with("malformed")) {
    ++report.skipped["wabt's module is malformed"];
    return;
  }
  ++report.failed;
  report.failures.push_back(script.name + ":" + std::to_string(ours.line) + ": wabt makes another module");
}

bool has_module(const Command& command) {
  return !command.module.empty() || command.text_error || command.is_text_module;
}

}  // namespace

Report compare_with_wabt(const Script& script, const ConvertOptions& options) {
  Report report;
  auto ours = read_wast_file(script.path);
  const auto text = read_file(script.path);
  std::vector<Command> theirs;
  if (!ours || !text) {
    report.failed = 1;
    report.failures.push_back(script.name + ": " + (ours ? text.error() : ours.error()).to_string());
    return report;
  }
  std::erase_if(*ours, [](const Command& command) { return !has_module(command); });
  for (const Command& command : *ours) check_round_trip(script, command, report);
  const std::string_view characters(reinterpret_cast<const char*>(text->data()), text->size());
  const auto result = Wast2json(options).run(characters, Wast2json::Check::Yes, &theirs);
  std::erase_if(theirs, [](const Command& command) { return !has_module(command); });
  if (!result || !result->ok() || ours->size() != theirs.size()) {
    report.skipped["wabt does not take the script"] = ours->size();
    return report;
  }
  for (std::size_t i = 0; i < ours->size(); ++i) compare(script, (*ours)[i], theirs[i], report);
  return report;
}

}  // namespace tfvm::spectests
