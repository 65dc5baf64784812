// What is a legal part of a message (RFC 9110, section 5; RFC 3986), and fields by name.
#include "hostcalls/http.hpp"

#include <algorithm>
#include <array>

namespace tfvm::hostcalls {

namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return lower(c) >= 'a' && lower(c) <= 'z'; }

bool is_token_character(char c) {
  return is_digit(c) || is_letter(c) || std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

// 0x21 to 0x7e, without those that no URI may hold anywhere.
bool is_target_character(char c) {
  return c > ' ' && c < 0x7f && std::string_view("\"<>\\^`").find(c) == std::string_view::npos;
}

constexpr std::array<std::string_view, 9> framing_fields = {
    "connection", "content-length",    "keep-alive", "proxy-connection", "te",
    "trailer",    "transfer-encoding", "upgrade",    "http2-settings"};

}  // namespace

bool equal_without_case(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) { return lower(x) == lower(y); });
}

std::string lower_case(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(), lower);
  return result;
}

bool is_token(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), is_token_character);
}

bool is_field_value(std::string_view text) {
  return std::none_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (byte < 0x20 && byte != '\t') || byte == 0x7f;
  });
}

bool is_request_target(std::string_view text) {
  const std::string_view path = text.substr(0, text.find_first_of("?#"));
  return !text.empty() && std::all_of(text.begin(), text.end(), is_target_character) &&
         path.find_first_of("{|}") == std::string_view::npos;
}

bool is_framing_field(std::string_view name) {
  return std::any_of(framing_fields.begin(), framing_fields.end(),
                     [name](std::string_view each) { return equal_without_case(each, name); });
}

std::optional<std::string_view> find_field(const Headers& headers, std::string_view name) {
  for (const HeaderField& field : headers)
    if (equal_without_case(field.name, name)) return field.value;
  return std::nullopt;
}

void set_field(Headers& headers, std::string_view name, const std::vector<std::string_view>& values) {
  const auto has_name = [name](const HeaderField& field) { return equal_without_case(field.name, name); };
  const auto first = std::find_if(headers.begin(), headers.end(), has_name);
  const auto place = first - headers.begin();
  headers.erase(std::remove_if(first, headers.end(), has_name), headers.end());
  Headers fields;
  fields.reserve(values.size());
  for (const std::string_view value : values) fields.push_back({std::string(name), std::string(value)});
  headers.insert(headers.begin() + place, std::make_move_iterator(fields.begin()),
                 std::make_move_iterator(fields.end()));
}

}  // namespace tfvm::hostcalls
