// The host's system calls in the terms of WASI: owned descriptors, errors, file attributes, directory reading.
// Nothing here knows of rights, of guest memory or of what a guest may see (fd_table.hpp, path_resolve.hpp).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <sys/stat.h>
#include <utility>
#include <vector>

#include "wasi/abi.hpp"

namespace tfvm::wasi {

/// A T, or why there is none. `value` is meaningful only if ok().
template <class T>
struct [[nodiscard]] HostResult {
  Errno error = Errno::Success;
  T value{};

  HostResult(Errno failure) : error(failure) {}
  HostResult(T result) : value(std::move(result)) {}
  bool ok() const { return error == Errno::Success; }
};

/// The WASI error of a value of errno; Io for one that WASI does not know.
Errno to_errno(int host_error);
/// Same of errno as it is now.
Errno last_error();
/// Success, or last_error() if a system call returned a negative value.
inline Errno outcome_of(std::int64_t returned) { return returned < 0 ? last_error() : Errno::Success; }

/// A descriptor of the host: owned (closed at the end) or borrowed.
class HostFile {
 public:
  HostFile() = default;
  static HostFile own(int number) { return HostFile(number, true); }
  static HostFile borrow(int number) { return HostFile(number, false); }
  HostFile(HostFile&& other) noexcept
      : number_(std::exchange(other.number_, -1)), is_owned_(std::exchange(other.is_owned_, false)) {}
  HostFile& operator=(HostFile&& other) noexcept {
    std::swap(number_, other.number_);
    std::swap(is_owned_, other.is_owned_);
    return *this;
  }
  HostFile(const HostFile&) = delete;
  HostFile& operator=(const HostFile&) = delete;
  ~HostFile();

  int number() const { return number_; }
  bool is_owned() const { return is_owned_; }

 private:
  HostFile(int number, bool is_owned) : number_(number), is_owned_(is_owned) {}
  int number_ = -1;
  bool is_owned_ = false;
};

/// The attributes of an open file; of a symbolic link itself if that is what is open.
HostResult<FileStat> stat_of(int file);
/// The attributes of `name` in `directory`, links not followed. REQUIRES: `name` is one component.
HostResult<FileStat> stat_at(int directory, const std::string& name);
/// The type of an open file; sockets are told apart. Unknown for what WASI has no word for, such as pipes.
HostResult<FileType> type_of_file(int file);

/// The two times of utimensat(2) as set-times functions want them. Errors: Inval for unknown or contradicting flags.
struct FileTimes {
  struct ::timespec access_and_modification[2];
};
HostResult<FileTimes> file_times(Timestamp access, Timestamp modification, FileTimeFlags flags);

/// The bytes that a read would give now: of a pipe, terminal or socket what waits, of a file the rest; 0 if unknown.
std::uint64_t readable_bytes(int file);

/// The target of the symbolic link `name` in `directory`. Errors: Inval if it is no link.
HostResult<std::string> read_link(int directory, const std::string& name);

/// Reads a directory entry by entry, "." and ".." included, from any cookie that it gave before. Buffers a few KiB, so
/// that any pattern of going on and of asking for the last entries again takes linear time.
class DirectoryReader {
 public:
  struct Entry {
    DirectoryCookie next = 0;  ///< where to go on behind this entry
    std::uint64_t inode = 0;
    FileType type = FileType::Unknown;
    std::string_view name;  ///< lives until the next call
  };
  /// The entry at `cookie` (0: the first one, read afresh); none at the end. REQUIRES: always the same directory.
  HostResult<std::optional<Entry>> read(int directory, DirectoryCookie cookie);
  /// Bytes of entries that the host was asked for since the last call of this: its work, whatever became of them.
  std::uint64_t take_host_bytes() { return std::exchange(host_bytes_, 0); }

 private:
  bool find(DirectoryCookie cookie);
  Errno fill(int directory, DirectoryCookie cookie);

  std::vector<char> buffer_;  ///< of linux_dirent64
  std::size_t filled_ = 0;
  std::size_t position_ = 0;  ///< byte in buffer_ of the entry at position_cookie_
  DirectoryCookie position_cookie_ = 0;
  DirectoryCookie begin_cookie_ = 0;  ///< of the buffer's first entry
  DirectoryCookie host_cookie_ = 0;   ///< where the host's position is
  bool is_started_ = false;
  std::uint64_t host_bytes_ = 0;
};

}  // namespace tfvm::wasi
