// The descriptor table: see fd_table.hpp.
#include "wasi/fd_table.hpp"

#include <utility>

namespace tfvm::wasi {

namespace {

/// Why a descriptor that lacks `missing` is refused.
Errno refusal(const Descriptor& descriptor, Rights missing) {
  const bool is_impossible = (missing & rights_of_type(descriptor.type)) == 0;
  if (is_impossible) {
    if ((missing & (rights::sock_shutdown | rights::sock_accept)) != 0) return Errno::Notsock;
    if (descriptor.type == FileType::Directory) return Errno::Isdir;
    if ((missing & rights::of_directory & ~rights::of_file) != 0) return Errno::Notdir;
    if ((missing & (rights::fd_seek | rights::fd_tell)) != 0) return Errno::Spipe;
    return Errno::Inval;
  }
  return descriptor.is_read_only && (missing & rights::changing) != 0 ? Errno::Rofs : Errno::Notcapable;
}

}  // namespace

Rights rights_of_type(FileType type) {
  switch (type) {
    case FileType::Directory: return rights::of_directory;
    case FileType::RegularFile:
    case FileType::BlockDevice: return rights::of_file;
    case FileType::SocketDatagram:
    case FileType::SocketStream: return rights::of_socket;
    case FileType::Unknown:
    case FileType::CharacterDevice:
    case FileType::SymbolicLink: break;
  }
  return rights::of_stream;
}

void FdTable::append(std::optional<Descriptor> descriptor) {
  slots_.push_back(descriptor ? std::make_unique<Descriptor>(std::move(*descriptor)) : nullptr);
  open_ += descriptor ? 1 : 0;
}

HostResult<Fd> FdTable::add(Descriptor descriptor) {
  if (is_full()) return Errno::Mfile;
  Fd fd = static_cast<Fd>(slots_.size());
  if (free_.empty()) {
    slots_.emplace_back();
  } else {
    fd = free_.top();
    free_.pop();
  }
  slots_[fd] = std::make_unique<Descriptor>(std::move(descriptor));
  ++open_;
  return fd;
}

Errno FdTable::close(Fd fd) {
  if (find(fd) == nullptr) return Errno::Badf;
  slots_[fd].reset();
  free_.push(fd);
  --open_;
  return Errno::Success;
}

Errno FdTable::renumber(Fd from, Fd to) {
  if (find(from) == nullptr || find(to) == nullptr) return Errno::Badf;
  if (from == to) return Errno::Success;
  slots_[to] = std::move(slots_[from]);
  free_.push(from);
  --open_;
  return Errno::Success;
}

HostResult<Descriptor*> FdTable::require(Fd fd, Rights needed) {
  Descriptor* const descriptor = find(fd);
  if (descriptor == nullptr) return Errno::Badf;
  const Rights missing = needed & ~descriptor->base;
  if (missing != 0) return refusal(*descriptor, missing);
  return descriptor;
}

}  // namespace tfvm::wasi
