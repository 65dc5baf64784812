// Path resolution inside of a directory: see path_resolve.hpp.
#include "wasi/path_resolve.hpp"

#include <cerrno>
#include <climits>
#include <cstring>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <vector>

namespace tfvm::wasi {

namespace {

constexpr int max_links = 40;     // as Linux
constexpr int max_retries = 100;  // of an openat2 that a rename disturbed
constexpr std::size_t max_path_bytes = PATH_MAX - 1;
constexpr std::size_t max_pending_bytes = 16 * PATH_MAX;  // of a path whose links are being replaced by their targets

// linux/openat2.h, which older headers lack
struct OpenHow {
  std::uint64_t flags;
  std::uint64_t mode;
  std::uint64_t resolve;
};
constexpr long openat2_number = 437;
constexpr std::uint64_t resolve_no_magic_links = 0x02;
constexpr std::uint64_t resolve_beneath = 0x08;

constexpr int directory_flags = O_PATH | O_DIRECTORY | O_CLOEXEC;

int openat2(int directory, const char* path, int flags, unsigned mode) {
  OpenHow how{static_cast<std::uint64_t>(flags | O_CLOEXEC), mode, resolve_beneath | resolve_no_magic_links};
  if ((flags & O_CREAT) == 0) how.mode = 0;
  return static_cast<int>(::syscall(openat2_number, directory, path, &how, sizeof(how)));
}

Errno check(std::string_view path) {
  if (path.empty()) return Errno::Noent;
  if (path.find('\0') != std::string_view::npos) return Errno::Inval;
  if (path.size() > max_path_bytes) return Errno::Nametoolong;
  return path.front() == '/' ? Errno::Notcapable : Errno::Success;
}

struct Split {
  std::string_view parent;  ///< empty: the name is in the starting directory
  std::string_view name;
};

/// REQUIRES: `path` is relative and not empty.
Split split(std::string_view path) {
  while (ends_in_slash(path)) path.remove_suffix(1);
  const std::size_t slash = path.rfind('/');
  if (slash == std::string_view::npos) return {{}, path};
  return {path.substr(0, slash), path.substr(slash + 1)};
}

/// The walk of the resolver without openat2: directories below `root`, each opened from the one before.
class Walk {
 public:
  explicit Walk(int root) : root_(root) {}

  HostResult<HostFile> run(std::string path) {
    pending_ = std::move(path);
    while (true) {
      const std::string component = take_component();
      if (component.empty()) break;
      if (const Errno error = enter(component); error != Errno::Success) return error;
    }
    if (!below_.empty()) return std::move(below_.back());
    const int copy = ::openat(root_, ".", directory_flags);
    if (copy < 0) return last_error();
    return HostFile::own(copy);
  }

 private:
  std::string take_component() {
    const std::size_t begin = pending_.find_first_not_of('/');
    if (begin == std::string::npos) return {};
    const std::size_t end = std::min(pending_.find('/', begin), pending_.size());
    std::string component = pending_.substr(begin, end - begin);
    pending_.erase(0, end);
    return component;
  }

  Errno enter(const std::string& component) {
    if (component == ".") return Errno::Success;
    if (component == "..") {  // the directory that we came through, wherever the host may have moved it
      if (below_.empty()) return Errno::Notcapable;
      below_.pop_back();
      return Errno::Success;
    }
    const int current = below_.empty() ? root_ : below_.back().number();
    const int entered = ::openat(current, component.c_str(), directory_flags | O_NOFOLLOW);
    if (entered >= 0) {
      below_.push_back(HostFile::own(entered));
      return Errno::Success;
    }
    if (errno != ENOTDIR && errno != ELOOP) return last_error();
    return replace_link(current, component);
  }

  Errno replace_link(int current, const std::string& component) {
    const HostResult<std::string> target = read_link(current, component);
    if (!target.ok()) return target.error == Errno::Inval ? Errno::Notdir : target.error;
    if (++links_ > max_links) return Errno::Loop;
    if (target.value.empty()) return Errno::Noent;
    if (target.value.front() == '/') return Errno::Notcapable;
    if (target.value.size() + pending_.size() > max_pending_bytes) return Errno::Nametoolong;
    pending_ = target.value + '/' + pending_;
    return Errno::Success;
  }

  int root_;
  std::vector<HostFile> below_;
  std::string pending_;
  int links_ = 0;
};

}  // namespace

bool PathResolver::uses_kernel(int directory) {
  if (method_ == Method::Automatic) {
    const int probe = openat2(directory, ".", directory_flags, 0);
    // Other failures say nothing about the kernel; sandboxes that hide the call answer with EPERM.
    const bool is_missing = probe < 0 && (errno == ENOSYS || errno == EPERM);
    if (probe >= 0) ::close(probe);
    method_ = is_missing ? Method::Walker : Method::Kernel;
  }
  return method_ == Method::Kernel;
}

HostResult<HostFile> PathResolver::open(int directory, std::string_view path, int flags, unsigned mode, bool follow) {
  if (const Errno error = check(path); error != Errno::Success) return error;
  const bool creates_exclusively = (flags & O_CREAT) != 0 && (flags & O_EXCL) != 0;
  const bool follows = (follow || ends_in_slash(path)) && !creates_exclusively;
  if (!uses_kernel(directory)) return open_located(directory, path, flags, mode, follows);
  return open_beneath(directory, std::string(path), follow ? flags : flags | O_NOFOLLOW, mode);
}

HostResult<HostFile> PathResolver::open_beneath(int directory, const std::string& path, int flags, unsigned mode) {
  for (int attempt = 0; attempt < max_retries; ++attempt) {
    const int opened = openat2(directory, path.c_str(), flags, mode);
    if (opened >= 0) return HostFile::own(opened);
    if (errno == EXDEV) return Errno::Notcapable;
    if (errno != EAGAIN && errno != EINTR) return last_error();
  }
  return Errno::Again;
}

HostResult<HostFile> PathResolver::open_located(int directory, std::string_view path, int flags, unsigned mode,
                                                bool follow) {
  const HostResult<Located> located = locate(directory, path, follow);
  if (!located.ok()) return located.error;
  if (located.value.must_be_directory) {
    if ((flags & O_CREAT) != 0) return Errno::Isdir;
    flags |= O_DIRECTORY;
  }
  const int opened =
      ::openat(located.value.directory, located.value.name.c_str(), flags | O_NOFOLLOW | O_CLOEXEC, mode);
  if (opened < 0) return last_error();
  return HostFile::own(opened);
}

HostResult<HostFile> PathResolver::open_directory(int directory, const std::string& path) {
  if (uses_kernel(directory)) return open_beneath(directory, path, directory_flags, 0);
  return Walk(directory).run(path);
}

HostResult<Located> PathResolver::locate(int directory, std::string_view path, bool follow) {
  if (const Errno error = check(path); error != Errno::Success) return error;
  std::string current(path);
  for (int links = 0; links <= max_links; ++links) {
    auto [parent, name] = split(current);
    Located located;
    located.must_be_directory = ends_in_slash(current);
    located.name = name;
    if (name == "..") {  // its own parent may be outside: go there as a directory
      parent = current;
      located.name = ".";
    }
    located.directory = directory;
    if (!parent.empty()) {
      HostResult<HostFile> opened = open_directory(directory, std::string(parent));
      if (!opened.ok()) return opened.error;
      located.owner = std::move(opened.value);
      located.directory = located.owner.number();
    }
    if (!follow || located.name == ".") return located;
    const HostResult<std::string> target = read_link(located.directory, located.name);
    if (!target.ok()) return located;  // no link, or not there
    if (target.value.empty()) return Errno::Noent;
    if (target.value.front() == '/') return Errno::Notcapable;
    std::string next = parent.empty() ? target.value : std::string(parent) + '/' + target.value;
    if (located.must_be_directory) next += '/';
    if (next.size() > max_path_bytes) return Errno::Nametoolong;
    current = std::move(next);
  }
  return Errno::Loop;
}

}  // namespace tfvm::wasi
