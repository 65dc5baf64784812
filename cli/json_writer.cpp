// JSON text (json_writer.hpp).
#include "cli/json_writer.hpp"

#include <cstdio>

namespace tfvm::cli {

JsonWriter& JsonWriter::key(std::string_view name) {
  start_item();
  append_quoted(name);
  text_ += ": ";
  is_behind_key_ = true;
  return *this;
}

JsonWriter& JsonWriter::value(std::string_view text) {
  start_item();
  append_quoted(text);
  return *this;
}

JsonWriter& JsonWriter::literal(std::string_view text) {
  start_item();
  text_ += text;
  return *this;
}

JsonWriter& JsonWriter::open(char bracket) {
  start_item();
  text_ += bracket;
  ++depth_;
  is_first_ = true;
  return *this;
}

JsonWriter& JsonWriter::close(char bracket) {
  --depth_;
  if (!is_first_) new_line();
  text_ += bracket;
  is_first_ = false;
  return *this;
}

void JsonWriter::start_item() {
  if (is_behind_key_) {
    is_behind_key_ = false;
    return;
  }
  if (!is_first_) text_ += ',';
  if (depth_ != 0) new_line();
  is_first_ = false;
}

void JsonWriter::new_line() {
  text_ += '\n';
  text_.append(2 * depth_, ' ');
}

void JsonWriter::append_quoted(std::string_view text) {
  text_ += '"';
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      text_ += '\\';
      text_ += c;
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      char escaped[8];
      std::snprintf(escaped, sizeof escaped, "\\u%04x", static_cast<unsigned>(static_cast<unsigned char>(c)));
      text_ += escaped;
    } else {
      text_ += c;
    }
  }
  text_ += '"';
}

}  // namespace tfvm::cli
