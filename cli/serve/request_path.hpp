// The path of a request-target (RFC 9112, 3.2), decoded, split and refused where it could mean anything but a name
// below a folder. Nothing here looks at a file.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tfvm::serve {

/// A target cut in two, still encoded.
struct TargetParts {
  std::string_view path;   ///< begins with '/'
  std::string_view query;  ///< with its '?'; or empty
};

/// Origin form, or absolute form without its scheme and authority. None for "*", an authority, or a fragment.
std::optional<TargetParts> split_target(std::string_view target);

/// A decoded path. Segments are never empty, "." or "..": slashes that follow each other count as one, "." as nothing.
class RequestPath {
 public:
  /// None if the target has no path, an escape is malformed, or the decoded path holds NUL, a backslash or a segment
  /// "..", wherever it hides (behind "%2f" too).
  static std::optional<RequestPath> parse(std::string_view target);

  std::size_t size() const { return segments_.size(); }
  std::string_view segment(std::size_t index) const;
  /// True if the segment can be a file's name: no slash inside, not hidden (a leading dot; but ".well-known" may stand
  /// first, RFC 8615), not longer than names are. What follows a program's name need not be one.
  bool is_file_name(std::size_t index) const;
  /// The first `count` segments with slashes between: "a/b".
  std::string joined(std::size_t count) const;
  /// What follows the first `count` segments, decoded: "/rest" or "".
  std::string_view rest(std::size_t count) const;
  /// The path means a directory: it ended in a slash or in ".".
  bool is_directory() const { return is_directory_; }
  const std::string& query() const { return query_; }

 private:
  struct Segment {
    std::size_t begin;
    std::size_t end;
  };
  std::string decoded_;
  std::vector<Segment> segments_;
  std::string query_;
  bool is_directory_ = false;
};

/// A path that stands for itself: no escapes, empty segments, hidden or special segments, or odd characters. The usual
/// case, found without memory; all others are for RequestPath.
class PlainPath {
 public:
  static std::optional<PlainPath> parse(std::string_view target);
  std::string_view path() const { return path_; }  ///< begins with '/'
  /// The next prefix, from the shortest, whose last segment ends in ".wasm", without the leading slash; `position`
  /// starts at 0. Empty: no more.
  std::string_view next_program(std::size_t& position) const;

 private:
  explicit PlainPath(std::string_view path) : path_(path) {}
  std::string_view path_;
};

/// Bytes that are not unreserved (RFC 3986) or '/' as %XX.
std::string encode_path(std::string_view path);

}  // namespace tfvm::serve
