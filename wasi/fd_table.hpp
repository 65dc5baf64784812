// The guest's descriptors: what each number stands for, which rights it carries, and the one place where rights are
// checked. Rights only ever shrink: from a preopened directory to what is opened below it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <queue>
#include <string>
#include <vector>

#include "wasi/abi.hpp"
#include "wasi/host_fs.hpp"
#include "wasi/stream.hpp"

namespace tfvm::wasi {

namespace rights {
/// Those that a directory itself can use.
inline constexpr Rights of_directory = fd_fdstat_set_flags | fd_sync | fd_datasync | fd_advise | path_create_directory |
                                       path_create_file | path_link_source | path_link_target | path_open | fd_readdir |
                                       path_readlink | path_rename_source | path_rename_target | path_filestat_get |
                                       path_filestat_set_size | path_filestat_set_times | fd_filestat_get |
                                       fd_filestat_set_times | path_symlink | path_remove_directory | path_unlink_file;
/// Those that a pipe or a terminal can use.
inline constexpr Rights of_stream =
    fd_read | fd_write | fd_fdstat_set_flags | fd_filestat_get | fd_sync | fd_datasync | poll_fd_readwrite;
inline constexpr Rights of_socket = of_stream | sock_shutdown | sock_accept;
/// Those of a socket that only accepts connections; fd_read: to wait for them.
inline constexpr Rights of_listener = sock_accept | fd_read | poll_fd_readwrite | fd_fdstat_set_flags | fd_filestat_get;
/// Those that a regular file or a block device can use.
inline constexpr Rights of_file =
    of_stream | fd_seek | fd_tell | fd_advise | fd_allocate | fd_filestat_set_size | fd_filestat_set_times;
/// Those that a read-only preopen and all below it do not have.
inline constexpr Rights changing = fd_write | fd_allocate | fd_filestat_set_size | fd_filestat_set_times |
                                   path_create_directory | path_create_file | path_link_source | path_link_target |
                                   path_rename_source | path_rename_target | path_filestat_set_size |
                                   path_filestat_set_times | path_symlink | path_remove_directory | path_unlink_file;
}  // namespace rights

/// The rights that make sense for a kind of file.
Rights rights_of_type(FileType type);

/// One open descriptor of the guest.
struct Descriptor {
  HostFile host;
  Stream* stream = nullptr;  ///< borrowed; then there is no file of the host
  FileType type = FileType::Unknown;
  Rights base = 0;
  Rights inheriting = 0;
  FdFlags flags = 0;                        ///< as the guest set them; NONBLOCK exists only here
  bool is_read_only = false;                ///< of or below a read-only preopen
  std::optional<std::string> preopen_name;  ///< the guest's path of a preopened directory
  bool filters_terminal = false;            ///< WasiConfig::filters_terminal, and this is one
  std::uint8_t last_written = 0;            ///< kept where filters_terminal
  std::unique_ptr<DirectoryReader> directory_reader;

  /// True if reading or writing may wait for another process.
  bool may_block() const {
    return type != FileType::RegularFile && type != FileType::Directory && type != FileType::BlockDevice;
  }
  bool is_socket() const { return type == FileType::SocketStream || type == FileType::SocketDatagram; }
};

class FdTable {
 public:
  explicit FdTable(std::uint32_t max_open) : max_open_(max_open) {}

  /// Adds a descriptor behind all others; an absent one reserves its number. For the start only.
  void append(std::optional<Descriptor> descriptor);
  /// Opens under the lowest number that the guest has closed, or a new one. Error: Mfile.
  HostResult<Fd> add(Descriptor descriptor);
  /// Error: Badf.
  Errno close(Fd fd);
  /// `to`, which is closed, becomes what `from` was; `from` is gone. Both must be open (Badf).
  Errno renumber(Fd from, Fd to);

  /// Null if not open. Stays valid until closed.
  Descriptor* find(Fd fd) const { return fd < slots_.size() ? slots_[fd].get() : nullptr; }
  /// The descriptor if it has all of `needed`. Errors: Badf; Rofs for changes below a read-only preopen; Isdir, Notdir,
  /// Notsock, Spipe where the kind of file can never have the right; else Notcapable.
  HostResult<Descriptor*> require(Fd fd, Rights needed);

  bool is_full() const { return open_ >= max_open_; }

 private:
  std::vector<std::unique_ptr<Descriptor>> slots_;
  std::priority_queue<Fd, std::vector<Fd>, std::greater<>> free_;
  std::uint32_t max_open_;
  std::uint32_t open_ = 0;
};

}  // namespace tfvm::wasi
