// System calls: see host_fs.hpp.
#include "wasi/host_fs.hpp"

#include <cerrno>
#include <climits>
#include <cstring>
#include <dirent.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace tfvm::wasi {

namespace {

constexpr std::size_t directory_buffer_bytes = 16 << 10;
constexpr std::uint64_t nanoseconds_per_second = 1'000'000'000;

/// Nanoseconds since 1970, kept inside of what WASI can say.
Timestamp to_timestamp(const struct ::timespec& time) {
  if (time.tv_sec < 0) return 0;
  const auto seconds = static_cast<std::uint64_t>(time.tv_sec);
  if (seconds >= UINT64_MAX / nanoseconds_per_second) return UINT64_MAX;
  return seconds * nanoseconds_per_second + static_cast<std::uint64_t>(time.tv_nsec);
}

FileType type_of_mode(mode_t mode) {
  switch (mode & S_IFMT) {
    case S_IFREG: return FileType::RegularFile;
    case S_IFDIR: return FileType::Directory;
    case S_IFCHR: return FileType::CharacterDevice;
    case S_IFBLK: return FileType::BlockDevice;
    case S_IFLNK: return FileType::SymbolicLink;
    case S_IFSOCK: return FileType::SocketStream;
    default: return FileType::Unknown;
  }
}

FileType type_of_entry(unsigned char type) { return type_of_mode(static_cast<mode_t>(DTTOIF(type))); }

FileStat to_file_stat(const struct ::stat& status) {
  FileStat result;
  result.device = status.st_dev;
  result.inode = status.st_ino;
  result.file_type = type_of_mode(status.st_mode);
  result.links = status.st_nlink;
  result.size = static_cast<FileSize>(status.st_size);
  result.access_time = to_timestamp(status.st_atim);
  result.modification_time = to_timestamp(status.st_mtim);
  result.change_time = to_timestamp(status.st_ctim);
  return result;
}

bool is_datagram_socket(int file) {
  int type = 0;
  socklen_t length = sizeof(type);
  return ::getsockopt(file, SOL_SOCKET, SO_TYPE, &type, &length) == 0 && type != SOCK_STREAM && type != SOCK_SEQPACKET;
}

/// The entries of getdents64(2).
struct HostEntry {
  std::uint64_t inode;
  std::int64_t next;
  std::uint16_t record_bytes;
  unsigned char type;
};
constexpr std::size_t host_entry_name_offset = 19;

HostEntry host_entry(const char* bytes) {
  HostEntry entry{};
  std::memcpy(&entry.inode, bytes, 8);
  std::memcpy(&entry.next, bytes + 8, 8);
  std::memcpy(&entry.record_bytes, bytes + 16, 2);
  entry.type = static_cast<unsigned char>(bytes[18]);
  return entry;
}

}  // namespace

Errno to_errno(int host_error) {
  struct Row {
    int host;
    Errno error;
  };
  static constexpr Row rows[] = {
#define WASI_ERRNO(name, host) {host, Errno::name},
#include "wasi/errno.def"
#undef WASI_ERRNO
  };
  for (const Row& row : rows)
    if (row.host == host_error && row.host != 0) return row.error;
  return Errno::Io;
}

Errno last_error() { return to_errno(errno); }

HostFile::~HostFile() {
  if (is_owned_) ::close(number_);
}

HostResult<FileStat> stat_of(int file) {
  struct ::stat status;
  if (::fstat(file, &status) != 0) return last_error();
  FileStat result = to_file_stat(status);
  if (result.file_type == FileType::SocketStream && is_datagram_socket(file))
    result.file_type = FileType::SocketDatagram;
  return result;
}

HostResult<FileStat> stat_at(int directory, const std::string& name) {
  struct ::stat status;
  if (::fstatat(directory, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) return last_error();
  return to_file_stat(status);
}

HostResult<FileType> type_of_file(int file) {
  const HostResult<FileStat> status = stat_of(file);
  if (!status.ok()) return status.error;
  return status.value.file_type;
}

HostResult<FileTimes> file_times(Timestamp access, Timestamp modification, FileTimeFlags flags) {
  using namespace file_time_flags;
  if ((flags & ~all) != 0) return Errno::Inval;
  const auto choose = [flags](Timestamp time, FileTimeFlags given, FileTimeFlags now) {
    struct ::timespec result{0, UTIME_OMIT};
    if ((flags & now) != 0) result.tv_nsec = UTIME_NOW;
    if ((flags & given) != 0) {
      result.tv_sec = static_cast<time_t>(time / nanoseconds_per_second);
      result.tv_nsec = static_cast<long>(time % nanoseconds_per_second);
    }
    return result;
  };
  const bool is_contradiction =
      (flags & (atim | atim_now)) == (atim | atim_now) || (flags & (mtim | mtim_now)) == (mtim | mtim_now);
  if (is_contradiction) return Errno::Inval;
  return FileTimes{{choose(access, atim, atim_now), choose(modification, mtim, mtim_now)}};
}

std::uint64_t readable_bytes(int file) {
  struct ::stat status;
  if (::fstat(file, &status) != 0) return 0;
  if (S_ISREG(status.st_mode)) {
    const off_t position = ::lseek(file, 0, SEEK_CUR);
    return position >= 0 && position < status.st_size ? static_cast<std::uint64_t>(status.st_size - position) : 0;
  }
  int waiting = 0;
  return ::ioctl(file, FIONREAD, &waiting) == 0 && waiting > 0 ? static_cast<std::uint64_t>(waiting) : 0;
}

HostResult<std::string> read_link(int directory, const std::string& name) {
  std::string target(PATH_MAX, '\0');
  const ssize_t length = ::readlinkat(directory, name.c_str(), target.data(), target.size());
  if (length < 0) return last_error();
  target.resize(static_cast<std::size_t>(length));
  return target;
}

HostResult<std::optional<DirectoryReader::Entry>> DirectoryReader::read(int directory, DirectoryCookie cookie) {
  if (!is_started_ || cookie == 0 || !find(cookie)) {
    if (const Errno error = fill(directory, cookie); error != Errno::Success) return error;
  }
  if (position_ == filled_) {  // behind the buffer's last entry: go on where the host is
    if (const Errno error = fill(directory, cookie); error != Errno::Success) return error;
    if (filled_ == 0) return std::optional<Entry>();
  }
  const char* bytes = buffer_.data() + position_;
  const HostEntry host = host_entry(bytes);
  Entry entry{static_cast<DirectoryCookie>(host.next), host.inode, type_of_entry(host.type),
              std::string_view(bytes + host_entry_name_offset)};
  if (host.type == DT_UNKNOWN)
    if (const auto status = stat_at(directory, std::string(entry.name)); status.ok())
      entry.type = status.value.file_type;
  position_ += host.record_bytes;
  position_cookie_ = entry.next;
  return std::optional(entry);
}

/// Moves to the entry at `cookie` if the buffer holds it, or ends there.
bool DirectoryReader::find(DirectoryCookie cookie) {
  if (cookie == position_cookie_) return true;
  std::size_t position = 0;
  DirectoryCookie at = begin_cookie_;
  while (at != cookie && position < filled_) {
    const HostEntry host = host_entry(buffer_.data() + position);
    at = static_cast<DirectoryCookie>(host.next);
    position += host.record_bytes;
  }
  if (at != cookie) return false;
  position_ = position;
  position_cookie_ = cookie;
  return true;
}

Errno DirectoryReader::fill(int directory, DirectoryCookie cookie) {
  if (cookie == 0 || cookie != host_cookie_ || !is_started_)
    if (::lseek(directory, static_cast<off_t>(cookie), SEEK_SET) < 0) return last_error();
  buffer_.resize(directory_buffer_bytes);
  const long read = ::syscall(SYS_getdents64, directory, buffer_.data(), buffer_.size());
  is_started_ = read >= 0;
  filled_ = read > 0 ? static_cast<std::size_t>(read) : 0;
  host_bytes_ += filled_ + 1;  // an empty answer is work too
  position_ = 0;
  position_cookie_ = begin_cookie_ = host_cookie_ = cookie;
  for (std::size_t at = 0; at < filled_;) {
    const HostEntry host = host_entry(buffer_.data() + at);
    host_cookie_ = static_cast<DirectoryCookie>(host.next);
    at += host.record_bytes;
  }
  return outcome_of(read);
}

}  // namespace tfvm::wasi
