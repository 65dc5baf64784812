// Functions of descriptors but for reading, writing and polling: what a descriptor is and may, position and size of its
// file, its times, closing, preopens, directory entries.
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <unistd.h>

#include "wasi/handlers.hpp"

namespace tfvm::wasi {

namespace {

constexpr FileSize max_offset = INT64_MAX;

/// Runs a system call on the descriptor's file if the descriptor has `needed`.
template <class HostCall>
Errno on_file(Call& call, Fd fd, Rights needed, HostCall host_call) {
  const auto required = call.state.fds.require(fd, needed);
  if (!required.ok()) return required.error;
  return outcome_of(host_call(required.value->host.number()));
}

Errno seek(Call& call, Fd fd, FileDelta offset, int whence, Pointer result) {
  // Asking for the position is telling.
  const Rights needed = whence == SEEK_CUR && offset == 0 ? rights::fd_tell : rights::fd_seek;
  auto required = call.state.fds.require(fd, needed);
  if (!required.ok() && needed == rights::fd_tell) required = call.state.fds.require(fd, rights::fd_seek);
  if (!required.ok()) return required.error;
  if (!call.memory.bytes(result, sizeof(FileSize))) return Errno::Fault;
  const off_t position = ::lseek(required.value->host.number(), offset, whence);
  return position < 0 ? last_error() : call.store(result, static_cast<FileSize>(position));
}

HostResult<FileStat> filestat(Call& call, Fd fd) {
  const auto required = call.state.fds.require(fd, rights::fd_filestat_get);
  if (!required.ok()) return required.error;
  if (required.value->stream != nullptr) {
    FileStat stat{};
    stat.file_type = required.value->type;
    stat.links = 1;
    return stat;
  }
  return stat_of(required.value->host.number());
}

}  // namespace

namespace handlers {

Errno fd_advise(Call& call, Fd fd, FileSize offset, FileSize length, Advice advice) {
  constexpr int host_advice[] = {POSIX_FADV_NORMAL,   POSIX_FADV_SEQUENTIAL, POSIX_FADV_RANDOM,
                                 POSIX_FADV_WILLNEED, POSIX_FADV_DONTNEED,   POSIX_FADV_NOREUSE};
  const auto required = call.state.fds.require(fd, rights::fd_advise);
  if (!required.ok()) return required.error;
  if (advice >= std::size(host_advice) || offset > max_offset || length > max_offset) return Errno::Inval;
  if (required.value->type == FileType::Directory) return Errno::Badf;
  const int error = ::posix_fadvise(required.value->host.number(), static_cast<off_t>(offset),
                                    static_cast<off_t>(length), host_advice[advice]);
  return error == 0 ? Errno::Success : to_errno(error);
}

Errno fd_allocate(Call& call, Fd fd, FileSize offset, FileSize length) {
  if (offset > max_offset || length > max_offset - offset) return Errno::Fbig;
  return on_file(call, fd, rights::fd_allocate, [=, &call](int file) {
    if (!call.charge_bytes(length)) return 0;  // the guest has ended
    return ::fallocate(file, 0, static_cast<off_t>(offset), static_cast<off_t>(length));
  });
}

Errno fd_close(Call& call, Fd fd) { return call.state.fds.close(fd); }

Errno fd_datasync(Call& call, Fd fd) { return on_file(call, fd, rights::fd_datasync, ::fdatasync); }

Errno fd_sync(Call& call, Fd fd) { return on_file(call, fd, rights::fd_sync, ::fsync); }

Errno fd_fdstat_get(Call& call, Fd fd, Pointer result) {
  const Descriptor* const descriptor = call.state.fds.find(fd);
  if (descriptor == nullptr) return Errno::Badf;
  FdStat stat;
  stat.file_type = descriptor->type;
  stat.flags = static_cast<std::uint16_t>(descriptor->flags);
  stat.base = descriptor->base;
  stat.inheriting = descriptor->inheriting;
  return call.store(result, stat);
}

Errno fd_fdstat_set_flags(Call& call, Fd fd, FdFlags flags) {
  const auto required = call.state.fds.require(fd, rights::fd_fdstat_set_flags);
  if (!required.ok()) return required.error;
  Descriptor& descriptor = *required.value;
  const FdFlags changed = flags ^ descriptor.flags;
  if ((flags & ~fd_flags::all) != 0) return Errno::Inval;
  // Linux cannot change synchronous writing of an open file, except for the guest to believe less than it has.
  if ((changed & flags & (fd_flags::dsync | fd_flags::rsync | fd_flags::sync)) != 0) return Errno::Notsup;
  if ((changed & fd_flags::append) != 0) {
    // The host's flags of a borrowed file are shared with other processes.
    if (!descriptor.host.is_owned()) return Errno::Notsup;
    const int file = descriptor.host.number();
    const int host_flags = ::fcntl(file, F_GETFL);
    const int wanted = (flags & fd_flags::append) != 0 ? host_flags | O_APPEND : host_flags & ~O_APPEND;
    if (host_flags < 0 || ::fcntl(file, F_SETFL, wanted) < 0) return last_error();
  }
  descriptor.flags = flags;
  return Errno::Success;
}

Errno fd_fdstat_set_rights(Call& call, Fd fd, Rights base, Rights inheriting) {
  Descriptor* const descriptor = call.state.fds.find(fd);
  if (descriptor == nullptr) return Errno::Badf;
  if ((base & ~descriptor->base) != 0 || (inheriting & ~descriptor->inheriting) != 0) return Errno::Notcapable;
  descriptor->base = base;
  descriptor->inheriting = inheriting;
  return Errno::Success;
}

Errno fd_filestat_get(Call& call, Fd fd, Pointer result) {
  const HostResult<FileStat> stat = filestat(call, fd);
  return stat.ok() ? call.store(result, stat.value) : stat.error;
}

Errno fd_filestat_set_size(Call& call, Fd fd, FileSize size) {
  const auto required = call.state.fds.require(fd, rights::fd_filestat_set_size);
  if (!required.ok()) return required.error;
  if (size > max_offset) return Errno::Fbig;
  return outcome_of(::ftruncate(required.value->host.number(), static_cast<off_t>(size)));
}

Errno fd_filestat_set_times(Call& call, Fd fd, Timestamp access, Timestamp modification, FileTimeFlags flags) {
  const auto times = file_times(access, modification, flags);
  const auto required = call.state.fds.require(fd, rights::fd_filestat_set_times);
  if (!required.ok()) return required.error;
  if (!times.ok()) return times.error;
  return outcome_of(::futimens(required.value->host.number(), times.value.access_and_modification));
}

Errno fd_prestat_get(Call& call, Fd fd, Pointer result) {
  const Descriptor* const descriptor = call.state.fds.find(fd);
  if (descriptor == nullptr || !descriptor->preopen_name) return Errno::Badf;
  Prestat prestat;
  prestat.type = preopen_type_directory;
  prestat.name_length = static_cast<Size>(descriptor->preopen_name->size());
  return call.store(result, prestat);
}

Errno fd_prestat_dir_name(Call& call, Fd fd, Pointer address, Size length) {
  const Descriptor* const descriptor = call.state.fds.find(fd);
  if (descriptor == nullptr || !descriptor->preopen_name) return Errno::Badf;
  const std::string& name = *descriptor->preopen_name;
  if (length < name.size()) return Errno::Nametoolong;
  const auto bytes = call.memory.bytes(address, length);
  if (!bytes) return Errno::Fault;
  std::copy(name.begin(), name.end(), bytes->begin());
  return Errno::Success;
}

Errno fd_readdir(Call& call, Fd fd, Pointer address, Size length, DirectoryCookie cookie, Pointer result) {
  const auto required = call.state.fds.require(fd, rights::fd_readdir);
  if (!required.ok()) return required.error;
  const auto buffer = call.memory.bytes(address, length);
  if (!buffer || !call.memory.bytes(result, sizeof(Size))) return Errno::Fault;
  Descriptor& directory = *required.value;
  if (!directory.directory_reader) directory.directory_reader = std::make_unique<DirectoryReader>();
  std::size_t used = 0;
  const auto append = [&](const void* bytes, std::size_t count) {
    const std::size_t copied = std::min(count, buffer->size() - used);  // the last entry is cut off
    std::memcpy(buffer->data() + used, bytes, copied);
    used += copied;
  };
  while (used < buffer->size()) {
    const auto read = directory.directory_reader->read(directory.host.number(), cookie);
    if (!call.charge_bytes(directory.directory_reader->take_host_bytes()) || call.is_interrupted())
      return Errno::Canceled;
    if (!read.ok()) return read.error;
    if (!read.value) break;
    const DirectoryReader::Entry& host = *read.value;
    DirectoryEntry entry;
    entry.next = cookie = host.next;
    entry.inode = host.inode;
    entry.name_length = static_cast<Size>(host.name.size());
    entry.file_type = host.type;
    append(&entry, sizeof(entry));
    append(host.name.data(), host.name.size());
    if (!call.charge_bytes(sizeof(entry) + host.name.size())) return Errno::Canceled;
  }
  return call.store(result, static_cast<Size>(used));
}

Errno fd_renumber(Call& call, Fd from, Fd to) { return call.state.fds.renumber(from, to); }

Errno fd_seek(Call& call, Fd fd, FileDelta offset, Whence whence, Pointer result) {
  switch (static_cast<SeekFrom>(whence)) {
    case SeekFrom::Set: return seek(call, fd, offset, SEEK_SET, result);
    case SeekFrom::Current: return seek(call, fd, offset, SEEK_CUR, result);
    case SeekFrom::End: return seek(call, fd, offset, SEEK_END, result);
  }
  return call.state.fds.find(fd) == nullptr ? Errno::Badf : Errno::Inval;
}

Errno fd_tell(Call& call, Fd fd, Pointer result) { return seek(call, fd, 0, SEEK_CUR, result); }

}  // namespace handlers

namespace unstable_handlers {

Errno fd_filestat_get(Call& call, Fd fd, Pointer result) {
  const HostResult<FileStat> stat = filestat(call, fd);
  return stat.ok() ? call.store(result, to_unstable(stat.value)) : stat.error;
}

Errno fd_seek(Call& call, Fd fd, FileDelta offset, Whence whence, Pointer result) {
  switch (static_cast<unstable::SeekFrom>(whence)) {
    case unstable::SeekFrom::Current: return seek(call, fd, offset, SEEK_CUR, result);
    case unstable::SeekFrom::End: return seek(call, fd, offset, SEEK_END, result);
    case unstable::SeekFrom::Set: return seek(call, fd, offset, SEEK_SET, result);
  }
  return call.state.fds.find(fd) == nullptr ? Errno::Badf : Errno::Inval;
}

}  // namespace unstable_handlers
}  // namespace tfvm::wasi
