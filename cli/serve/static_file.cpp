// Static files: see static_file.hpp.
#include "cli/serve/static_file.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/serve/site_root.hpp"

namespace tfvm::serve {

namespace {

struct ContentType {
  std::string_view suffix;
  std::string_view media_type;
};
constexpr ContentType content_types[] = {
#define TYPE(suffix, media_type) {suffix, media_type},
#include "cli/serve/content_types.def"
#undef TYPE
};
static_assert(std::is_sorted(std::begin(content_types), std::end(content_types),
                             [](const ContentType& a, const ContentType& b) { return a.suffix < b.suffix; }));

void append_hex(std::string& text, std::uint64_t value) {
  std::array<char, 16> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value, 16).ptr;
  text.append(digits.data(), end);
}

/// Every change of a file's bytes changes one of the stamp's values: the time of its last change among them.
std::string etag_of(const FileStamp& stamp) {
  std::string etag = "\"";
  append_hex(etag, stamp.inode);
  etag += '-';
  append_hex(etag, stamp.size);
  etag += '-';
  append_hex(etag, static_cast<std::uint64_t>(stamp.modified_ns));
  etag += '-';
  append_hex(etag, static_cast<std::uint64_t>(stamp.changed_ns));
  return etag + '"';
}

}  // namespace

std::string_view content_type_of(std::string_view name) {
  constexpr std::string_view unknown = "application/octet-stream";
  const std::size_t dot = name.rfind('.');
  if (dot == std::string_view::npos) return unknown;
  std::string suffix(name.substr(dot + 1));
  for (char& c : suffix)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  const auto found = std::lower_bound(std::begin(content_types), std::end(content_types), suffix,
                                      [](const ContentType& type, const std::string& s) { return type.suffix < s; });
  return found != std::end(content_types) && found->suffix == suffix ? found->media_type : unknown;
}

std::shared_ptr<const StaticFile> StaticFile::adopt(int fd, std::string_view name) {
  struct ::stat status;
  if (::fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) {
    ::close(fd);
    return nullptr;
  }
  const FileStamp stamp = stamp_of(status);
  return std::make_shared<const StaticFile>(fd, stamp.size, status.st_mtim.tv_sec, std::string(content_type_of(name)),
                                            etag_of(stamp));
}

StaticFile::~StaticFile() { ::close(fd_); }

bool StaticFile::holds_module() const {
  constexpr std::array<char, 4> magic = {'\0', 'a', 's', 'm'};
  std::array<char, 4> begin{};
  return ::pread(fd_, begin.data(), begin.size(), 0) == static_cast<ssize_t>(begin.size()) && begin == magic;
}

}  // namespace tfvm::serve
