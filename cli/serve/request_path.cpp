// Request targets to paths: see request_path.hpp.
#include "cli/serve/request_path.hpp"

#include <array>
#include <cstdint>

namespace tfvm::serve {

namespace {

constexpr std::size_t max_name_bytes = 255;  // of a file, on all common file systems
constexpr std::string_view program_suffix = ".wasm";

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

/// Appends `text` decoded; false if an escape is malformed.
bool append_decoded(std::string& decoded, std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded += text[i];
      continue;
    }
    if (text.size() - i < 3) return false;
    const int high = hex_digit(text[i + 1]);
    const int low = hex_digit(text[i + 2]);
    if (high < 0 || low < 0) return false;
    decoded += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return true;
}

/// True if some piece between slashes is "..".
bool has_parent_segment(std::string_view path) {
  for (std::size_t begin = 0; begin <= path.size();) {
    const std::size_t end = std::min(path.find('/', begin), path.size());
    if (path.substr(begin, end - begin) == "..") return true;
    begin = end + 1;
  }
  return false;
}

constexpr bool is_unreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
         c == '_' || c == '~';
}

// pchar of RFC 3986 without escapes, and the slash
constexpr std::array<bool, 256> plain_characters = [] {
  std::array<bool, 256> table{};
  for (int c = 0; c < 256; ++c) table[static_cast<std::size_t>(c)] = is_unreserved(static_cast<char>(c));
  for (const char c : {'!', '$', '&', '\'', '(', ')', '*', '+', ',', ';', '=', ':', '@', '/'})
    table[static_cast<std::uint8_t>(c)] = true;
  return table;
}();

bool ends_program_name(std::string_view path, std::size_t end) {
  return end > program_suffix.size() && path.substr(0, end).ends_with(program_suffix);
}

}  // namespace

std::optional<TargetParts> split_target(std::string_view target) {
  if (target.find('#') != std::string_view::npos) return std::nullopt;
  if (!target.starts_with('/')) {
    const std::size_t scheme = target.find("://");
    if (scheme == std::string_view::npos || scheme == 0 || target.substr(0, scheme).find('/') != std::string_view::npos)
      return std::nullopt;
    target.remove_prefix(scheme + 3);
    const std::size_t authority = target.find_first_of("/?");
    if (authority == std::string_view::npos) return TargetParts{"/", {}};
    target.remove_prefix(authority);
    if (target.front() == '?') return TargetParts{"/", target};
  }
  const std::size_t query = std::min(target.find('?'), target.size());
  return TargetParts{target.substr(0, query), target.substr(query)};
}

std::optional<RequestPath> RequestPath::parse(std::string_view target) {
  const std::optional<TargetParts> parts = split_target(target);
  if (!parts) return std::nullopt;
  RequestPath path;
  path.query_ = parts->query;
  path.decoded_.reserve(parts->path.size());
  for (std::size_t begin = 0; begin < parts->path.size();) {
    path.decoded_ += '/';
    const std::size_t end = std::min(parts->path.find('/', begin + 1), parts->path.size());
    const std::size_t decoded_begin = path.decoded_.size();
    if (!append_decoded(path.decoded_, parts->path.substr(begin + 1, end - begin - 1))) return std::nullopt;
    const std::string_view segment = std::string_view(path.decoded_).substr(decoded_begin);
    path.is_directory_ = segment.empty() || segment == ".";
    if (!path.is_directory_) path.segments_.push_back({decoded_begin, path.decoded_.size()});
    begin = end;
  }
  if (path.decoded_.find('\0') != std::string::npos || path.decoded_.find('\\') != std::string::npos ||
      has_parent_segment(path.decoded_))
    return std::nullopt;
  return path;
}

std::string_view RequestPath::segment(std::size_t index) const {
  return std::string_view(decoded_).substr(segments_[index].begin, segments_[index].end - segments_[index].begin);
}

bool RequestPath::is_file_name(std::size_t index) const {
  const std::string_view name = segment(index);
  if (name.front() == '.' && !(index == 0 && name == ".well-known")) return false;
  return name.size() <= max_name_bytes && name.find('/') == std::string_view::npos;
}

std::string RequestPath::joined(std::size_t count) const {
  std::string path;
  for (std::size_t i = 0; i < count; ++i) {
    if (i != 0) path += '/';
    path += segment(i);
  }
  return path;
}

std::string_view RequestPath::rest(std::size_t count) const {
  return std::string_view(decoded_).substr(count == 0 ? 0 : segments_[count - 1].end);
}

std::optional<PlainPath> PlainPath::parse(std::string_view target) {
  if (!target.starts_with('/')) return std::nullopt;
  std::size_t end = 0;
  for (; end < target.size() && target[end] != '?'; ++end) {
    const char c = target[end];
    if (!plain_characters[static_cast<std::uint8_t>(c)]) return std::nullopt;
    if (c == '/' && end + 1 < target.size() && (target[end + 1] == '/' || target[end + 1] == '.')) return std::nullopt;
  }
  if (target.find('#', end) != std::string_view::npos) return std::nullopt;
  return PlainPath(target.substr(0, end));
}

std::string_view PlainPath::next_program(std::size_t& position) const {
  while (position < path_.size()) {
    position = std::min(path_.find('/', position + 1), path_.size());
    if (ends_program_name(path_, position)) return path_.substr(1, position - 1);
  }
  return {};
}

std::string encode_path(std::string_view path) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string encoded;
  for (const char c : path) {
    if (is_unreserved(c) || c == '/') {
      encoded += c;
    } else {
      encoded += '%';
      encoded += digits[static_cast<std::uint8_t>(c) >> 4];
      encoded += digits[static_cast<std::uint8_t>(c) & 0xf];
    }
  }
  return encoded;
}

}  // namespace tfvm::serve
