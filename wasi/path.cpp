// Functions of paths: opening, attributes, and changing directories. Paths lead where path_resolve.hpp says; the last
// step is a system call on one name in an open directory that does not follow links.
#include <algorithm>
#include <cstdio>
#include <fcntl.h>
#include <unistd.h>

#include "wasi/handlers.hpp"

namespace tfvm::wasi {

namespace {

constexpr unsigned new_file_mode = 0666;  // less the umask
constexpr unsigned new_directory_mode = 0777;

/// A path of the guest and the directory that it starts from.
struct GuestPath {
  const Descriptor* directory = nullptr;
  std::string path;
};

HostResult<GuestPath> guest_path(Call& call, Fd fd, Rights needed, Pointer address, Size length) {
  const auto required = call.state.fds.require(fd, needed);
  if (!required.ok()) return required.error;
  HostResult<std::string> path = call.path(address, length);
  if (!path.ok()) return path.error;
  return GuestPath{required.value, std::move(path.value)};
}

HostResult<Located> locate(Call& call, const GuestPath& path, bool follow) {
  return call.state.paths.locate(path.directory->host.number(), path.path, follow);
}

/// The place of a name that a function makes, changes or removes: links at the name are not followed.
HostResult<Located> locate_name(Call& call, Fd fd, Rights needed, Pointer address, Size length) {
  const HostResult<GuestPath> path = guest_path(call, fd, needed, address, length);
  if (!path.ok()) return path.error;
  return locate(call, path.value, false);
}

/// A path that ends in a slash must mean a directory. Errors: Notdir; the host's, such as Noent.
Errno check_slash(const Located& located) {
  if (!located.must_be_directory) return Errno::Success;
  const HostResult<FileStat> stat = stat_at(located.directory, located.name);
  if (!stat.ok()) return stat.error;
  return stat.value.file_type == FileType::Directory ? Errno::Success : Errno::Notdir;
}

bool follows(LookupFlags flags, const std::string& path) {
  return (flags & lookup_symlink_follow) != 0 || ends_in_slash(path);
}

int host_open_flags(OpenFlags flags, Rights base, FdFlags fdflags) {
  // O_NONBLOCK: opening a pipe must not wait, and waiting to read is ours (fd_io.hpp).
  int host = O_NOCTTY | O_NONBLOCK | O_CLOEXEC;
  const bool reads = (base & (rights::fd_read | rights::fd_readdir)) != 0;
  Rights writing = rights::fd_write;
  // Of a directory these ask for nothing, but writing is refused.
  if ((flags & open_flags::directory) == 0) writing |= rights::fd_allocate | rights::fd_filestat_set_size;
  if ((base & writing) != 0) host |= reads ? O_RDWR : O_WRONLY;
  if ((flags & open_flags::creat) != 0) host |= O_CREAT;
  if ((flags & open_flags::creat) != 0 && (flags & open_flags::excl) != 0) host |= O_EXCL;
  if ((flags & open_flags::directory) != 0) host |= O_DIRECTORY;
  if ((flags & open_flags::trunc) != 0) host |= O_TRUNC;
  if ((fdflags & fd_flags::append) != 0) host |= O_APPEND;
  if ((fdflags & fd_flags::dsync) != 0) host |= O_DSYNC;
  if ((fdflags & (fd_flags::sync | fd_flags::rsync)) != 0) host |= O_SYNC;
  return host;
}

Rights rights_to_open(OpenFlags flags) {
  Rights needed = rights::path_open;
  if ((flags & open_flags::creat) != 0) needed |= rights::path_create_file;
  if ((flags & open_flags::trunc) != 0) needed |= rights::path_filestat_set_size;
  return needed;
}

HostResult<FileStat> path_filestat(Call& call, Fd fd, LookupFlags flags, Pointer address, Size length) {
  const HostResult<GuestPath> path = guest_path(call, fd, rights::path_filestat_get, address, length);
  if (!path.ok()) return path.error;
  if ((flags & ~lookup_symlink_follow) != 0) return Errno::Inval;
  const HostResult<HostFile> file = call.state.paths.open(path.value.directory->host.number(), path.value.path,
                                                          O_PATH | O_CLOEXEC, 0, (flags & lookup_symlink_follow) != 0);
  return file.ok() ? stat_of(file.value.number()) : HostResult<FileStat>(file.error);
}

}  // namespace

namespace handlers {

Errno path_create_directory(Call& call, Fd fd, Pointer address, Size length) {
  const auto located = locate_name(call, fd, rights::path_create_directory, address, length);
  if (!located.ok()) return located.error;
  return outcome_of(::mkdirat(located.value.directory, located.value.name.c_str(), new_directory_mode));
}

Errno path_filestat_get(Call& call, Fd fd, LookupFlags flags, Pointer address, Size length, Pointer result) {
  const HostResult<FileStat> stat = path_filestat(call, fd, flags, address, length);
  return stat.ok() ? call.store(result, stat.value) : stat.error;
}

Errno path_filestat_set_times(Call& call, Fd fd, LookupFlags flags, Pointer address, Size length, Timestamp access,
                              Timestamp modification, FileTimeFlags time_flags) {
  const HostResult<GuestPath> path = guest_path(call, fd, rights::path_filestat_set_times, address, length);
  if (!path.ok()) return path.error;
  if ((flags & ~lookup_symlink_follow) != 0) return Errno::Inval;
  const auto times = file_times(access, modification, time_flags);
  if (!times.ok()) return times.error;
  const HostResult<Located> located = locate(call, path.value, follows(flags, path.value.path));
  if (!located.ok()) return located.error;
  if (const Errno error = check_slash(located.value); error != Errno::Success) return error;
  return outcome_of(::utimensat(located.value.directory, located.value.name.c_str(),
                                times.value.access_and_modification, AT_SYMLINK_NOFOLLOW));
}

Errno path_link(Call& call, Fd old_fd, LookupFlags flags, Pointer old_address, Size old_length, Fd new_fd,
                Pointer new_address, Size new_length) {
  const HostResult<GuestPath> path = guest_path(call, old_fd, rights::path_link_source, old_address, old_length);
  if (!path.ok()) return path.error;
  const HostResult<GuestPath> target_path = guest_path(call, new_fd, rights::path_link_target, new_address, new_length);
  if (!target_path.ok()) return target_path.error;
  if ((flags & ~lookup_symlink_follow) != 0) return Errno::Inval;
  const HostResult<Located> source = locate(call, path.value, follows(flags, path.value.path));
  if (!source.ok()) return source.error;
  const HostResult<Located> target = locate(call, target_path.value, false);
  if (!target.ok()) return target.error;
  if (const Errno error = check_slash(source.value); error != Errno::Success) return error;
  if (const Errno error = check_slash(target.value); error != Errno::Success) return error;
  return outcome_of(::linkat(source.value.directory, source.value.name.c_str(), target.value.directory,
                             target.value.name.c_str(), 0));
}

Errno path_open(Call& call, Fd fd, LookupFlags lookup, Pointer address, Size length, OpenFlags flags, Rights base,
                Rights inheriting, FdFlags fdflags, Pointer result) {
  const HostResult<GuestPath> path = guest_path(call, fd, rights_to_open(flags), address, length);
  if (!path.ok()) return path.error;
  const Descriptor& directory = *path.value.directory;
  constexpr OpenFlags new_directory = open_flags::creat | open_flags::directory;
  if ((lookup & ~lookup_symlink_follow) != 0 || (flags & ~open_flags::all) != 0 || (fdflags & ~fd_flags::all) != 0 ||
      (flags & new_directory) == new_directory)
    return Errno::Inval;
  // Rights that a directory cannot give are left out, as programs ask for all that might be of use; but one that means
  // to write must know at once.
  if ((base & rights::fd_write & ~directory.inheriting) != 0)
    return directory.is_read_only ? Errno::Rofs : Errno::Notcapable;
  if (!call.memory.bytes(result, sizeof(Fd))) return Errno::Fault;
  if (call.state.fds.is_full()) return Errno::Mfile;
  Descriptor opened;
  opened.base = base & directory.inheriting;
  opened.inheriting = inheriting & directory.inheriting;
  HostResult<HostFile> file =
      call.state.paths.open(directory.host.number(), path.value.path, host_open_flags(flags, opened.base, fdflags),
                            new_file_mode, (lookup & lookup_symlink_follow) != 0);
  if (!file.ok()) return file.error;
  const HostResult<FileType> type = type_of_file(file.value.number());
  if (!type.ok()) return type.error;
  opened.host = std::move(file.value);
  opened.type = type.value;
  opened.base &= rights_of_type(type.value);
  opened.flags = fdflags;
  opened.is_read_only = directory.is_read_only;
  const HostResult<Fd> number = call.state.fds.add(std::move(opened));
  return number.ok() ? call.store(result, number.value) : number.error;
}

Errno path_readlink(Call& call, Fd fd, Pointer address, Size length, Pointer buffer, Size buffer_length,
                    Pointer result) {
  const auto located = locate_name(call, fd, rights::path_readlink, address, length);
  if (!located.ok()) return located.error;
  const auto bytes = call.memory.bytes(buffer, buffer_length);
  if (!bytes || !call.memory.bytes(result, sizeof(Size))) return Errno::Fault;
  if (const Errno error = check_slash(located.value); error != Errno::Success) return error;
  const HostResult<std::string> target = read_link(located.value.directory, located.value.name);
  if (!target.ok()) return target.error;
  const std::size_t used = std::min(target.value.size(), bytes->size());
  std::copy_n(target.value.begin(), used, bytes->begin());
  if (!call.charge_bytes(used)) return Errno::Canceled;
  return call.store(result, static_cast<Size>(used));
}

Errno path_remove_directory(Call& call, Fd fd, Pointer address, Size length) {
  const auto located = locate_name(call, fd, rights::path_remove_directory, address, length);
  if (!located.ok()) return located.error;
  return outcome_of(::unlinkat(located.value.directory, located.value.name.c_str(), AT_REMOVEDIR));
}

Errno path_rename(Call& call, Fd fd, Pointer old_address, Size old_length, Fd new_fd, Pointer new_address,
                  Size new_length) {
  const auto source = locate_name(call, fd, rights::path_rename_source, old_address, old_length);
  if (!source.ok()) return source.error;
  const auto target = locate_name(call, new_fd, rights::path_rename_target, new_address, new_length);
  if (!target.ok()) return target.error;
  if (source.value.must_be_directory || target.value.must_be_directory) {
    const HostResult<FileStat> stat = stat_at(source.value.directory, source.value.name);
    if (!stat.ok()) return stat.error;
    if (stat.value.file_type != FileType::Directory) return Errno::Notdir;
  }
  return outcome_of(
      ::renameat(source.value.directory, source.value.name.c_str(), target.value.directory, target.value.name.c_str()));
}

Errno path_symlink(Call& call, Pointer old_address, Size old_length, Fd fd, Pointer new_address, Size new_length) {
  const auto located = locate_name(call, fd, rights::path_symlink, new_address, new_length);
  if (!located.ok()) return located.error;
  const HostResult<std::string> target = call.path(old_address, old_length);
  if (!target.ok()) return target.error;
  if (target.value.find('\0') != std::string::npos) return Errno::Inval;
  // Ours would never follow it; others on the host might.
  if (!target.value.empty() && target.value.front() == '/') return Errno::Notcapable;
  if (const Errno error = check_slash(located.value); error != Errno::Success) return error;
  return outcome_of(::symlinkat(target.value.c_str(), located.value.directory, located.value.name.c_str()));
}

Errno path_unlink_file(Call& call, Fd fd, Pointer address, Size length) {
  const auto located = locate_name(call, fd, rights::path_unlink_file, address, length);
  if (!located.ok()) return located.error;
  if (const Errno error = check_slash(located.value); error != Errno::Success) return error;
  return outcome_of(::unlinkat(located.value.directory, located.value.name.c_str(), 0));
}

}  // namespace handlers

namespace unstable_handlers {

Errno path_filestat_get(Call& call, Fd fd, LookupFlags flags, Pointer address, Size length, Pointer result) {
  const HostResult<FileStat> stat = path_filestat(call, fd, flags, address, length);
  return stat.ok() ? call.store(result, to_unstable(stat.value)) : stat.error;
}

}  // namespace unstable_handlers
}  // namespace tfvm::wasi
