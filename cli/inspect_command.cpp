// `tfvm inspect` (commands.hpp).
#include <numeric>

#include "cli/commands.hpp"
#include "cli/inspect.hpp"
#include "cli/module_file.hpp"
#include "cli/module_text.hpp"
#include "cli/text.hpp"
#include "decoder/error.hpp"

namespace tfvm::cli {
namespace {

// What --disassemble asks for, sorted.
std::vector<std::uint32_t> functions_to_disassemble(const InspectOptions& options, const Inspection& inspection) {
  if (!options.disassemble) return {};
  std::vector<std::uint32_t> functions;
  if (options.function.empty()) {
    functions.resize(inspection.module.functions.size());
    std::iota(functions.begin(), functions.end(), 0u);
    return functions;
  }
  functions = inspection.find_functions(options.function);
  const std::uint32_t imported = inspection.module.imported_functions;
  if (functions.empty())
    fail(printable(options.file) + " has no function '" + printable(options.function) + "'",
         "'tfvm inspect -v FILE' lists the functions");
  if (functions.size() == 1 && functions[0] < imported)
    fail("function " + std::to_string(functions[0]) + " is imported: it has no code here");
  return functions;
}

// In pieces: the text is many times as long as the module.
void write_disassembly(const Inspection& inspection, std::span<const std::uint32_t> functions) {
  constexpr std::size_t piece_size = 64 * 1024;
  const Disassembler disassembler(inspection.module);
  std::string piece;
  for (const std::uint32_t index : functions) {
    if (index < inspection.module.imported_functions) continue;
    piece += disassembly_text(disassembler, index);
    if (piece.size() < piece_size) continue;
    write_output(piece);
    piece.clear();
  }
  write_output(piece);
}

}  // namespace

int inspect_command(const InspectOptions& options) {
  std::vector<std::uint8_t> bytes = read_module(options.file);
  const std::string hint = hint_for_non_module(bytes);
  const Result<std::unique_ptr<Module>> decoded = decode_module(std::move(bytes), std::make_shared<TypeRegistry>());
  if (!decoded) fail(printable(options.file) + ": " + decoded.error().to_string(), hint);
  Module& module = **decoded;
  Inspection inspection(module, options.file);
  if (Result<Done> validated = validate_module(module); !validated) inspection.invalid = validated.error();

  const std::vector<std::uint32_t> functions = functions_to_disassemble(options, inspection);
  if (options.json) write_output(inspect_json(inspection, functions));
  else if (options.disassemble) write_disassembly(inspection, functions);
  else write_output(inspect_text(inspection, options.common.verbosity > 0));
  if (inspection.invalid) fail(printable(options.file) + ": " + inspection.invalid->to_string());
  return exit_success;
}

}  // namespace tfvm::cli
