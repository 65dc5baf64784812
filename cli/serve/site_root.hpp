// The folder of a site and how its files are opened: by name below it, so that no name and no symbolic link leads out.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "wasi/host_fs.hpp"

namespace tfvm::serve {

/// Names a folder: a path of the operator's, and folders below it that nobody need be trusted to have made. It is found
/// anew at each use, so that a folder may be renamed and replaced, and costs no descriptor. Value type.
class SiteRoot {
 public:
  /// Each of `steps` is resolved inside of the folder that the former ones lead to, and cannot leave it.
  explicit SiteRoot(std::string base, std::vector<std::string> steps = {})
      : base_(std::move(base)), steps_(std::move(steps)) {}

  /// The folder itself, as O_PATH.
  wasi::HostResult<wasi::HostFile> open() const;
  /// What `path` means below the folder ("" or "." the folder itself); links are followed as long as they stay below.
  /// `flags` as openat(2) takes them; never waits for the other end of a pipe.
  wasi::HostResult<wasi::HostFile> open(const std::string& path, int flags) const;
  /// Same below a folder that open() gave.
  static wasi::HostResult<wasi::HostFile> open_below(int folder, const std::string& path, int flags);

  const std::string& base() const { return base_; }
  bool operator==(const SiteRoot&) const = default;

 private:
  std::string base_;
  std::vector<std::string> steps_;
};

/// What tells one state of a file from another without reading it.
struct FileStamp {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::uint64_t size = 0;
  std::int64_t modified_ns = 0;  ///< since 1970
  std::int64_t changed_ns = 0;
  bool operator==(const FileStamp&) const = default;
};
FileStamp stamp_of(const struct ::stat& status);

/// Whether somebody has a file open for writing, as far as the kernel lets us know: leases tell (fcntl(2)), but only of
/// writers on this machine, and only those who own the file or may take leases.
enum class Writers : std::uint8_t { None, Some, Unknown };
Writers writers_of(int file);

/// True if changes to the file may be made where this kernel does not see them: NFS, SMB, FUSE and the like.
bool is_on_remote_file_system(int file);

}  // namespace tfvm::serve
