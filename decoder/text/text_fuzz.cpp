// Fuzzing of the text format: no text may crash or hang the lexer, the parsers or the assembler, and what is valid
// must be assembled again when it is printed. Inputs are texts of modules or scripts.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string_view>

#include "decoder/module.hpp"
#include "decoder/text/assemble.hpp"
#include "decoder/text/print_module.hpp"
#include "decoder/text/script.hpp"
#include "decoder/text/text_error.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tfvm;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  auto bytes = text::assemble_module(text);
  if (bytes) {
    static const auto registry = std::make_shared<TypeRegistry>();
    const auto module = load_module(std::move(bytes).value(), registry);
    const auto printed = module ? text::print_module(**module) : Result<std::string>(module.error());
    if (printed && !text::assemble_module(*printed)) std::abort();
  } else if (text::caret_lines(text, bytes.error().offset).empty()) {
    std::abort();
  }
  const auto commands = text::parse_script(text);
  if (!commands) return 0;
  for (const text::ScriptCommand& command : *commands)
    if (!command.module.empty()) (void)text::assemble_module(command.module);
  return 0;
}
