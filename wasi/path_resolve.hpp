// Where a guest's path leads: the one resolver of all functions that take a path. It never leaves the directory that it
// starts from: not by "..", not by absolute paths, not by symbolic links of any shape, not while the host moves files.
// Rights are the callers' matter (fd_table.hpp).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "wasi/host_fs.hpp"

namespace tfvm::wasi {

/// The directory that holds the last component of a path, and that component's name in it.
struct Located {
  HostFile owner;  ///< keeps `directory` open unless that is the starting directory itself
  int directory = -1;
  std::string name;                ///< one component; "." if the path means the directory itself; never ".."
  bool must_be_directory = false;  ///< the path ended in a slash
};

class PathResolver {
 public:
  /// Kernel: openat2(RESOLVE_BENEATH). Walker: component by component with O_NOFOLLOW, for kernels without it.
  enum class Method : std::uint8_t { Automatic, Kernel, Walker };
  explicit PathResolver(Method method = Method::Automatic) : method_(method) {}

  /// Opens what `path` means below `directory`; `flags` and `mode` as openat(2) takes them. The last component, if it
  /// is a symbolic link, is followed if `follow` or if the path ends in a slash. Errors: Notcapable for a path that
  /// would leave the directory, Loop, Inval (a NUL inside), and the host's.
  HostResult<HostFile> open(int directory, std::string_view path, int flags, unsigned mode, bool follow);

  /// Finds the last component of `path` below `directory` without opening it; it need not exist. If it is a symbolic
  /// link and `follow`, then what that leads to. Callers must not follow a link at the name themselves.
  HostResult<Located> locate(int directory, std::string_view path, bool follow);

 private:
  bool uses_kernel(int directory);
  HostResult<HostFile> open_beneath(int directory, const std::string& path, int flags, unsigned mode);
  HostResult<HostFile> open_located(int directory, std::string_view path, int flags, unsigned mode, bool follow);
  HostResult<HostFile> open_directory(int directory, const std::string& path);

  Method method_;
};

/// True if `path` ends in a slash, and so must mean a directory.
inline bool ends_in_slash(std::string_view path) { return !path.empty() && path.back() == '/'; }

}  // namespace tfvm::wasi
