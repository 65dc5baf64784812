// Writes one JSON document (RFC 8259) into a string, indented by two spaces. Writing only, a few dozen lines: a library
// would be a hundred times the size of what `inspect --json` needs.
#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>

namespace tfvm::cli {

/// Calls must nest as JSON does: values in objects are preceded by key(), values in arrays are not.
class JsonWriter {
 public:
  JsonWriter& begin_object() { return open('{'); }
  JsonWriter& end_object() { return close('}'); }
  JsonWriter& begin_array() { return open('['); }
  JsonWriter& end_array() { return close(']'); }
  JsonWriter& key(std::string_view name);

  /// REQUIRES: UTF-8, as all names of decoded modules are.
  JsonWriter& value(std::string_view text);
  JsonWriter& value(const char* text) { return value(std::string_view(text)); }
  JsonWriter& value(const std::string& text) { return value(std::string_view(text)); }
  JsonWriter& value(std::same_as<bool> auto truth) { return literal(truth ? "true" : "false"); }
  template <std::unsigned_integral Number>
    requires(!std::same_as<Number, bool>)
  JsonWriter& value(Number number) {
    return literal(std::to_string(std::uint64_t{number}));
  }
  JsonWriter& null() { return literal("null"); }

  template <class T>
  JsonWriter& member(std::string_view name, const T& content) {
    return key(name).value(content);
  }

  /// The document so far; whole when everything that was begun has ended.
  const std::string& text() const { return text_; }

 private:
  JsonWriter& open(char bracket);
  JsonWriter& close(char bracket);
  JsonWriter& literal(std::string_view text);
  void start_item();
  void new_line();
  void append_quoted(std::string_view text);

  std::string text_;
  std::size_t depth_ = 0;
  bool is_first_ = true;  ///< no item yet in the innermost object or array
  bool is_behind_key_ = false;
};

}  // namespace tfvm::cli
