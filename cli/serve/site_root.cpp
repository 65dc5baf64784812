// Opening a site's files: see site_root.hpp.
#include "cli/serve/site_root.hpp"

#include <algorithm>
#include <array>
#include <csignal>
#include <fcntl.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "wasi/path_resolve.hpp"

namespace tfvm::serve {

namespace {

constexpr int folder_flags = O_PATH | O_DIRECTORY | O_CLOEXEC;

std::int64_t nanoseconds(const struct ::timespec& time) {
  return static_cast<std::int64_t>(time.tv_sec) * 1'000'000'000 + time.tv_nsec;
}

// statfs(2): nfs, smb, smb2, cifs, fuse, 9p, afs, coda, ceph, ncp, gfs2, ocfs2, lustre, virtiofs is fuse
constexpr std::array<std::uint32_t, 13> remote_file_systems = {
    0x6969,     0x517b,     0xfe534d42, 0xff534d42, 0x65735546, 0x01021997, 0x5346414f,
    0x73757245, 0x00c36400, 0x564c,     0x01161970, 0x7461636f, 0x0bd00bd0};

}  // namespace

wasi::HostResult<wasi::HostFile> SiteRoot::open() const {
  wasi::HostFile folder = wasi::HostFile::own(::open(base_.c_str(), folder_flags));
  if (folder.number() < 0) return wasi::last_error();
  for (const std::string& step : steps_) {
    wasi::HostResult<wasi::HostFile> next = open_below(folder.number(), step, folder_flags);
    if (!next.ok()) return next.error;
    folder = std::move(next.value);
  }
  return folder;
}

wasi::HostResult<wasi::HostFile> SiteRoot::open(const std::string& path, int flags) const {
  const wasi::HostResult<wasi::HostFile> folder = open();
  if (!folder.ok()) return folder.error;
  return open_below(folder.value.number(), path, flags);
}

wasi::HostResult<wasi::HostFile> SiteRoot::open_below(int folder, const std::string& path, int flags) {
  if ((flags & O_PATH) == 0) flags |= O_NONBLOCK | O_NOCTTY;
  return wasi::PathResolver().open(folder, path.empty() ? "." : path, flags | O_CLOEXEC, 0, true);
}

FileStamp stamp_of(const struct ::stat& status) {
  return {status.st_dev, status.st_ino, static_cast<std::uint64_t>(status.st_size), nanoseconds(status.st_mtim),
          nanoseconds(status.st_ctim)};
}

Writers writers_of(int file) {
  // A writer that comes while the lease is held would be announced by a signal: one that is ignored by default.
  if (::fcntl(file, F_SETSIG, SIGURG) != 0) return Writers::Unknown;
  if (::fcntl(file, F_SETLEASE, F_RDLCK) == 0) {
    ::fcntl(file, F_SETLEASE, F_UNLCK);
    return Writers::None;
  }
  return errno == EAGAIN ? Writers::Some : Writers::Unknown;
}

bool is_on_remote_file_system(int file) {
  struct ::statfs status;
  if (::fstatfs(file, &status) != 0) return true;
  return std::find(remote_file_systems.begin(), remote_file_systems.end(), static_cast<std::uint32_t>(status.f_type)) !=
         remote_file_systems.end();
}

}  // namespace tfvm::serve
