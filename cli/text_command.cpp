// `tfvm text` and `tfvm binary` (commands.hpp): the two formats of a module, one turned into the other.
#include <fstream>

#include "cli/commands.hpp"
#include "cli/module_text.hpp"
#include "cli/text.hpp"
#include "decoder/error.hpp"
#include "decoder/module.hpp"
#include "decoder/text/print_module.hpp"

namespace tfvm::cli {
namespace {

void write_result(const std::optional<std::string>& path, std::string_view contents) {
  if (!path || *path == "-") return write_output(contents);
  std::ofstream file(*path, std::ios::binary | std::ios::trunc);
  file << contents;
  file.close();
  if (!file) fail("cannot write '" + printable(*path) + "'");
}

}  // namespace

int text_command(const TextOptions& options) {
  const auto module = decode_module(read_module(options.file), std::make_shared<TypeRegistry>());
  const auto text = module ? text::print_module(**module) : Result<std::string>(module.error());
  if (!text) fail(printable(options.file) + ": " + text.error().to_string());
  write_result(options.output, *text);
  return exit_success;
}

int binary_command(const BinaryOptions& options) {
  const std::vector<std::uint8_t> bytes = read_module(options.file);
  write_result(options.output, {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  return exit_success;
}

}  // namespace tfvm::cli
