// Detection by content and assembly (module_text.hpp).
#include "cli/module_text.hpp"

#include <algorithm>
#include <string_view>

#include "cli/failure.hpp"
#include "cli/module_file.hpp"
#include "decoder/error.hpp"
#include "decoder/text/assemble.hpp"
#include "decoder/text/text_error.hpp"

namespace tfvm::cli {

bool is_module_text(std::span<const std::uint8_t> bytes) {
  const auto first = std::find_if(bytes.begin(), bytes.end(), [](std::uint8_t byte) {
    return byte != ' ' && byte != '\t' && byte != '\r' && byte != '\n';
  });
  return first != bytes.end() && (*first == '(' || *first == ';');
}

std::vector<std::uint8_t> read_module(const std::string& path) {
  std::vector<std::uint8_t> bytes = read_module_file(path);
  if (!is_module_text(bytes)) return bytes;
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  auto assembled = text::assemble_module(text);
  if (assembled) return std::move(assembled).value();
  const Error& error = assembled.error();
  std::string line = text::caret_lines(text, error.offset);
  line.pop_back();
  fail(printable(path) + ": " + tfvm::to_string(error.kind) + ": " + printable(error.message) + "\n" + line);
}

}  // namespace tfvm::cli
