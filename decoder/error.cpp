// Texts of errors (error.hpp).
#include "decoder/error.hpp"

#include <cinttypes>
#include <cstdio>

namespace tfvm {

std::string printable(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const auto next = i + 1 < text.size() ? static_cast<unsigned char>(text[i + 1]) : 0u;
    // U+0080 to U+009F, in UTF-8 c2 80 to c2 9f, are control characters too.
    if (byte >= 0x20 && byte != 0x7f && !(byte == 0xc2 && next < 0xa0)) {
      out += text[i];
      continue;
    }
    char escaped[8];
    std::snprintf(escaped, sizeof escaped, "\\%02x", byte);
    out += escaped;
  }
  return out;
}

const char* to_string(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::Malformed: return "malformed";
    case ErrorKind::Invalid: return "invalid";
    case ErrorKind::Unsupported: return "unsupported";
    case ErrorKind::Limit: return "limit";
    case ErrorKind::Unlinkable: return "unlinkable";
    case ErrorKind::Host: return "host";
  }
  return "error";
}

std::string Error::to_string() const {
  std::string text = tfvm::to_string(kind);
  text += ": ";
  text += printable(message);
  std::string where;
  const auto add = [&where](const std::string& part) { where += where.empty() ? part : ", " + part; };
  if (offset != no_offset) {
    char hexadecimal[32];
    std::snprintf(hexadecimal, sizeof hexadecimal, "offset 0x%" PRIx64, offset);
    add(hexadecimal);
  }
  if (!section.empty()) add("section " + section);
  if (function_index) {
    add("function " + std::to_string(*function_index));
    if (!function_name.empty()) where += " '" + printable(function_name) + "'";
  }
  return where.empty() ? text : text + " (" + where + ")";
}

}  // namespace tfvm
