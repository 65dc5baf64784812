// Conditions and ranges (file_response.hpp).
#include "cli/serve/file_response.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

#include "cli/serve/http_date.hpp"

namespace tfvm::serve {
namespace {

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

std::string_view opaque(std::string_view etag) { return etag.starts_with("W/") ? etag.substr(2) : etag; }

bool matches(std::string_view list, std::string_view etag, bool weakly) {
  if (trimmed(list) == "*") return true;
  while (!list.empty()) {
    const std::size_t comma = std::min(list.find(','), list.size());
    const std::string_view each = trimmed(list.substr(0, comma));
    if (weakly ? opaque(each) == opaque(etag) : each == etag && !each.starts_with("W/")) return true;
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  return false;
}

std::optional<std::time_t> date_field(const hostcalls::Headers& headers, std::string_view name) {
  const auto text = hostcalls::find_field(headers, name);
  return text ? parse_http_date(*text) : std::nullopt;
}

// 412 or 304, or 0 to go on (RFC 9110, 13.2.2).
std::uint16_t precondition_status(const hostcalls::Headers& headers, const StaticFile& file) {
  if (const auto list = hostcalls::find_field(headers, "If-Match")) {
    if (!matches(*list, file.etag(), false)) return 412;
  } else if (const auto date = date_field(headers, "If-Unmodified-Since"); date && file.modified() > *date) {
    return 412;
  }
  if (const auto list = hostcalls::find_field(headers, "If-None-Match")) {
    if (matches(*list, file.etag(), true)) return 304;
  } else if (const auto date = date_field(headers, "If-Modified-Since"); date && file.modified() <= *date) {
    return 304;
  }
  return 0;
}

std::optional<std::uint64_t> whole_number(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

enum class RangeKind : std::uint8_t { Whole, Part, Unsatisfiable };

// One "bytes=a-b", "bytes=a-" or "bytes=-n"; anything else is as if it were not there.
RangeKind select_range(std::string_view text, std::uint64_t size, std::uint64_t& offset, std::uint64_t& bytes) {
  constexpr std::string_view unit = "bytes=";
  if (!hostcalls::equal_without_case(text.substr(0, unit.size()), unit)) return RangeKind::Whole;
  text = trimmed(text.substr(unit.size()));
  const std::size_t dash = text.find('-');
  if (dash == std::string_view::npos || text.find(',') != std::string_view::npos) return RangeKind::Whole;
  const std::string_view first = text.substr(0, dash);
  const std::string_view last = text.substr(dash + 1);
  const auto end = whole_number(last);
  if (first.empty()) {
    if (!end) return RangeKind::Whole;
    if (*end == 0 || size == 0) return RangeKind::Unsatisfiable;
    bytes = std::min(*end, size);
    offset = size - bytes;
    return RangeKind::Part;
  }
  const auto begin = whole_number(first);
  if (!begin || (!last.empty() && (!end || *end < *begin))) return RangeKind::Whole;
  if (*begin >= size) return RangeKind::Unsatisfiable;
  offset = *begin;
  bytes = std::min(end.value_or(size - 1), size - 1) - offset + 1;
  return RangeKind::Part;
}

// If-Range: the part only if the file is still the one that the client has a part of.
bool range_applies(const hostcalls::Headers& headers, const StaticFile& file) {
  const auto text = hostcalls::find_field(headers, "If-Range");
  if (!text) return true;
  if (text->starts_with('"') || text->starts_with("W/")) return matches(*text, file.etag(), false);
  const auto date = parse_http_date(*text);
  return date && *date == file.modified();
}

}  // namespace

FilePart select_file_part(const hostcalls::HttpRequest& request, const StaticFile& file) {
  FilePart part;
  if (request.method != "GET" && request.method != "HEAD") {
    part.status = 405;
    part.headers.push_back({"Allow", "GET, HEAD"});
    return part;
  }
  part.headers = {{"Last-Modified", http_date(file.modified())}, {"ETag", file.etag()}, {"Accept-Ranges", "bytes"}};
  if (const std::uint16_t status = precondition_status(request.headers, file); status != 0) {
    part.status = status;
    return part;
  }
  part.bytes = file.size();
  const auto range = hostcalls::find_field(request.headers, "Range");
  if (range && request.method == "GET" && range_applies(request.headers, file)) {
    switch (select_range(*range, file.size(), part.offset, part.bytes)) {
      case RangeKind::Whole: break;
      case RangeKind::Part:
        part.status = 206;
        part.headers.push_back({"Content-Range", "bytes " + std::to_string(part.offset) + '-' +
                                                     std::to_string(part.offset + part.bytes - 1) + '/' +
                                                     std::to_string(file.size())});
        break;
      case RangeKind::Unsatisfiable:
        part.status = 416;
        part.bytes = 0;
        part.headers.push_back({"Content-Range", "bytes */" + std::to_string(file.size())});
        return part;
    }
  }
  part.headers.push_back({"Content-Type", file.content_type()});
  return part;
}

}  // namespace tfvm::serve
