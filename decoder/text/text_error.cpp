// Failures of texts (text_error.hpp).
#include "decoder/text/text_error.hpp"

#include <algorithm>

namespace tfvm::text {
namespace {

bool continues_character(char byte) { return (static_cast<unsigned char>(byte) & 0xc0) == 0x80; }

std::size_t line_begin(std::string_view text, std::size_t offset) {
  while (offset > 0 && text[offset - 1] != '\n' && text[offset - 1] != '\r') --offset;
  return offset;
}

std::size_t characters(std::string_view text) {
  return text.size() - static_cast<std::size_t>(std::count_if(text.begin(), text.end(), continues_character));
}

}  // namespace

void fail_text(std::string message, std::size_t offset) { throw TextFailure{std::move(message), offset}; }

TextPosition position_of(std::string_view text, std::size_t offset) {
  offset = std::min(offset, text.size());
  TextPosition position;
  for (std::size_t i = 0; i < offset; ++i)
    if (text[i] == '\n' || (text[i] == '\r' && !text.substr(i + 1).starts_with('\n'))) ++position.line;
  const std::size_t begin = line_begin(text, offset);
  position.column = static_cast<std::uint32_t>(characters(text.substr(begin, offset - begin)) + 1);
  return position;
}

Error to_error(const TextFailure& failure, std::string_view text) {
  const TextPosition position = position_of(text, failure.offset);
  Error error;
  error.kind = ErrorKind::Malformed;
  error.message =
      failure.message + " (line " + std::to_string(position.line) + ", column " + std::to_string(position.column) + ")";
  error.offset = failure.offset;
  return error;
}

std::string caret_lines(std::string_view text, std::size_t offset) {
  constexpr std::size_t before = 80;
  constexpr std::size_t after = 40;
  offset = std::min(offset, text.size());
  std::size_t begin = std::max(line_begin(text, offset), offset - std::min(offset, before));
  while (begin < offset && continues_character(text[begin])) ++begin;
  std::size_t end = offset;
  while (end < text.size() && text[end] != '\n' && text[end] != '\r' && end < offset + after) ++end;
  while (end < text.size() && continues_character(text[end])) ++end;
  std::string line(text.substr(begin, end - begin));
  for (char& character : line)
    if (static_cast<unsigned char>(character) < 0x20 || character == 0x7f) character = ' ';
  return printable(line) + "\n" + std::string(characters(text.substr(begin, offset - begin)), ' ') + "^\n";
}

}  // namespace tfvm::text
