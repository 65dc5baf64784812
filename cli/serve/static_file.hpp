// One open file as a response: type, validators, size.
#pragma once

#include <cstdint>
#include <ctime>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace tfvm::serve {

/// Owns its descriptor. Immutable.
class StaticFile {
 public:
  StaticFile(int fd, std::uint64_t size, std::time_t modified, std::string content_type, std::string etag)
      : fd_(fd), size_(size), modified_(modified), content_type_(std::move(content_type)), etag_(std::move(etag)) {}
  /// Takes over `fd`, an open regular file of this name. Nullptr if it is none; then `fd` is closed.
  static std::shared_ptr<const StaticFile> adopt(int fd, std::string_view name);
  ~StaticFile();
  StaticFile(const StaticFile&) = delete;
  StaticFile& operator=(const StaticFile&) = delete;

  int fd() const { return fd_; }  ///< for pread and sendfile; its position is nobody's
  std::uint64_t size() const { return size_; }
  std::time_t modified() const { return modified_; }
  const std::string& content_type() const { return content_type_; }
  const std::string& etag() const { return etag_; }  ///< with its quotes; strong
  /// Its first bytes are those of a WebAssembly module, whatever it is called.
  bool holds_module() const;

 private:
  int fd_;
  std::uint64_t size_;
  std::time_t modified_;
  std::string content_type_;
  std::string etag_;
};

/// The media type of a file by its name; "application/octet-stream" for a suffix that is not known.
std::string_view content_type_of(std::string_view name);

}  // namespace tfvm::serve
