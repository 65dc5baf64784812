// The binary interface of WASI preview 1 (wasi_snapshot_preview1.witx) as guests see it: numbers, flags and structures
// with their offsets, and the four structures in which the older wasi_unstable differs. No behaviour.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

namespace tfvm::wasi {

// Structures are copied between host and guest as they are.
static_assert(std::endian::native == std::endian::little);

enum class Errno : std::uint16_t {
#define WASI_ERRNO(name, host) name,
#include "wasi/errno.def"
#undef WASI_ERRNO
};
static_assert(static_cast<int>(Errno::Badf) == 8 && static_cast<int>(Errno::Inval) == 28);
static_assert(static_cast<int>(Errno::Noent) == 44 && static_cast<int>(Errno::Notcapable) == 76);

/// Arguments of functions: what a guest passes as i32 or i64. Values outside of an enumeration or with unknown flags
/// are the handler's to refuse.
using Pointer = std::uint32_t;  ///< address in the guest's memory
using Size = std::uint32_t;     ///< bytes or elements
using Fd = std::uint32_t;
using FileSize = std::uint64_t;
using FileDelta = std::int64_t;
using Timestamp = std::uint64_t;  ///< nanoseconds
using DirectoryCookie = std::uint64_t;
using ClockId = std::uint32_t;
using Whence = std::uint32_t;
using Advice = std::uint32_t;
using LookupFlags = std::uint32_t;
using OpenFlags = std::uint32_t;
using FileTimeFlags = std::uint32_t;
using SocketFlags = std::uint32_t;
using Rights = std::uint64_t;
using FdFlags = std::uint32_t;
using ExitCode = std::uint32_t;
using Signal = std::uint32_t;
// What a Pointer or Size of a function is for: the tables of functions say it, and traces show it (trace.cpp).
using PathAt = Pointer;
using PathLength = Size;
using LinkTextAt = Pointer;  ///< what a symbolic link will hold: no path of this call
using LinkTextLength = Size;
using CiovecsAt = Pointer;  ///< IoVector of bytes to write
using IovecsAt = Pointer;   ///< IoVector of room to read into
using VectorCount = Size;
using SubscriptionsAt = Pointer;
using OldSubscriptionsAt = Pointer;  ///< of wasi_unstable
using OldWhence = Whence;
using SizeResult = Pointer;  ///< address of a result, here of a Size
using FdResult = Pointer;
using FileSizeResult = Pointer;
using TimestampResult = Pointer;
using FdStatResult = Pointer;
using FileStatResult = Pointer;
using OldFileStatResult = Pointer;
using PrestatResult = Pointer;
using ReceiveFlagsResult = Pointer;

namespace rights {
inline constexpr Rights fd_datasync = 1u << 0;
inline constexpr Rights fd_read = 1u << 1;
inline constexpr Rights fd_seek = 1u << 2;
inline constexpr Rights fd_fdstat_set_flags = 1u << 3;
inline constexpr Rights fd_sync = 1u << 4;
inline constexpr Rights fd_tell = 1u << 5;
inline constexpr Rights fd_write = 1u << 6;
inline constexpr Rights fd_advise = 1u << 7;
inline constexpr Rights fd_allocate = 1u << 8;
inline constexpr Rights path_create_directory = 1u << 9;
inline constexpr Rights path_create_file = 1u << 10;
inline constexpr Rights path_link_source = 1u << 11;
inline constexpr Rights path_link_target = 1u << 12;
inline constexpr Rights path_open = 1u << 13;
inline constexpr Rights fd_readdir = 1u << 14;
inline constexpr Rights path_readlink = 1u << 15;
inline constexpr Rights path_rename_source = 1u << 16;
inline constexpr Rights path_rename_target = 1u << 17;
inline constexpr Rights path_filestat_get = 1u << 18;
inline constexpr Rights path_filestat_set_size = 1u << 19;
inline constexpr Rights path_filestat_set_times = 1u << 20;
inline constexpr Rights fd_filestat_get = 1u << 21;
inline constexpr Rights fd_filestat_set_size = 1u << 22;
inline constexpr Rights fd_filestat_set_times = 1u << 23;
inline constexpr Rights path_symlink = 1u << 24;
inline constexpr Rights path_remove_directory = 1u << 25;
inline constexpr Rights path_unlink_file = 1u << 26;
inline constexpr Rights poll_fd_readwrite = 1u << 27;
inline constexpr Rights sock_shutdown = 1u << 28;
inline constexpr Rights sock_accept = 1u << 29;
inline constexpr Rights all = (1u << 30) - 1;
}  // namespace rights

namespace fd_flags {
inline constexpr FdFlags append = 1u << 0;
inline constexpr FdFlags dsync = 1u << 1;
inline constexpr FdFlags nonblock = 1u << 2;
inline constexpr FdFlags rsync = 1u << 3;
inline constexpr FdFlags sync = 1u << 4;
inline constexpr FdFlags all = (1u << 5) - 1;
}  // namespace fd_flags

namespace open_flags {
inline constexpr OpenFlags creat = 1u << 0;
inline constexpr OpenFlags directory = 1u << 1;
inline constexpr OpenFlags excl = 1u << 2;
inline constexpr OpenFlags trunc = 1u << 3;
inline constexpr OpenFlags all = (1u << 4) - 1;
}  // namespace open_flags

namespace file_time_flags {
inline constexpr FileTimeFlags atim = 1u << 0;
inline constexpr FileTimeFlags atim_now = 1u << 1;
inline constexpr FileTimeFlags mtim = 1u << 2;
inline constexpr FileTimeFlags mtim_now = 1u << 3;
inline constexpr FileTimeFlags all = (1u << 4) - 1;
}  // namespace file_time_flags

inline constexpr LookupFlags lookup_symlink_follow = 1;
inline constexpr std::uint16_t clock_absolute_time = 1;  ///< of a subscription: `timeout` is a point in time
inline constexpr std::uint16_t event_hangup = 1;
inline constexpr SocketFlags receive_peek = 1;
inline constexpr SocketFlags receive_wait_all = 2;
inline constexpr std::uint16_t received_data_truncated = 1;
inline constexpr SocketFlags shutdown_receive = 1;
inline constexpr SocketFlags shutdown_send = 2;
inline constexpr std::uint8_t preopen_type_directory = 0;

enum class Clock : std::uint32_t { Realtime, Monotonic, ProcessCpuTime, ThreadCpuTime };
enum class SeekFrom : std::uint32_t { Set, Current, End };
enum class FileType : std::uint8_t {
  Unknown,
  BlockDevice,
  CharacterDevice,
  Directory,
  RegularFile,
  SocketDatagram,
  SocketStream,
  SymbolicLink,
};
enum class EventType : std::uint8_t { Clock, FdRead, FdWrite };

struct IoVector {
  Pointer buffer;
  Size length;
};
static_assert(sizeof(IoVector) == 8 && offsetof(IoVector, length) == 4);

struct FdStat {
  FileType file_type{};
  std::uint8_t padding1{};
  std::uint16_t flags{};
  std::uint32_t padding2{};
  Rights base{};
  Rights inheriting{};
};
static_assert(sizeof(FdStat) == 24 && offsetof(FdStat, flags) == 2 && offsetof(FdStat, base) == 8);
static_assert(offsetof(FdStat, inheriting) == 16);

struct FileStat {
  std::uint64_t device{};
  std::uint64_t inode{};
  FileType file_type{};
  std::uint8_t padding[7]{};
  std::uint64_t links{};
  FileSize size{};
  Timestamp access_time{};
  Timestamp modification_time{};
  Timestamp change_time{};
};
static_assert(sizeof(FileStat) == 64 && offsetof(FileStat, file_type) == 16 && offsetof(FileStat, links) == 24);
static_assert(offsetof(FileStat, size) == 32 && offsetof(FileStat, access_time) == 40);
static_assert(offsetof(FileStat, modification_time) == 48 && offsetof(FileStat, change_time) == 56);

struct DirectoryEntry {
  DirectoryCookie next{};
  std::uint64_t inode{};
  Size name_length{};
  FileType file_type{};
  std::uint8_t padding[3]{};
};
static_assert(sizeof(DirectoryEntry) == 24 && offsetof(DirectoryEntry, inode) == 8);
static_assert(offsetof(DirectoryEntry, name_length) == 16 && offsetof(DirectoryEntry, file_type) == 20);

struct Prestat {
  std::uint8_t type{};
  std::uint8_t padding[3]{};
  Size name_length{};
};
static_assert(sizeof(Prestat) == 8 && offsetof(Prestat, name_length) == 4);

struct SubscriptionClock {
  ClockId id{};
  std::uint32_t padding1{};
  Timestamp timeout{};
  Timestamp precision{};
  std::uint16_t flags{};
  std::uint8_t padding2[6]{};
};
static_assert(sizeof(SubscriptionClock) == 32 && offsetof(SubscriptionClock, timeout) == 8);
static_assert(offsetof(SubscriptionClock, precision) == 16 && offsetof(SubscriptionClock, flags) == 24);

/// For EventType::FdRead and FdWrite the descriptor's number lies in `clock.id`.
struct Subscription {
  std::uint64_t user_data{};
  EventType type{};
  std::uint8_t padding[7]{};
  SubscriptionClock clock{};
};
static_assert(sizeof(Subscription) == 48 && offsetof(Subscription, type) == 8 && offsetof(Subscription, clock) == 16);

struct Event {
  std::uint64_t user_data{};
  Errno error{};
  EventType type{};
  std::uint8_t padding1[5]{};
  FileSize bytes{};
  std::uint16_t flags{};
  std::uint8_t padding2[6]{};
};
static_assert(sizeof(Event) == 32 && offsetof(Event, error) == 8 && offsetof(Event, type) == 10);
static_assert(offsetof(Event, bytes) == 16 && offsetof(Event, flags) == 24);

/// Where wasi_unstable differs from preview 1.
namespace unstable {

struct FileStat {
  std::uint64_t device{};
  std::uint64_t inode{};
  FileType file_type{};
  std::uint8_t padding[3]{};
  std::uint32_t links{};
  FileSize size{};
  Timestamp access_time{};
  Timestamp modification_time{};
  Timestamp change_time{};
};
static_assert(sizeof(FileStat) == 56 && offsetof(FileStat, links) == 20 && offsetof(FileStat, size) == 24);

struct Subscription {
  std::uint64_t user_data{};
  EventType type{};
  std::uint8_t padding[7]{};
  std::uint64_t clock_user_data{};  ///< for descriptors its low half is the descriptor's number
  SubscriptionClock clock{};
};
static_assert(sizeof(Subscription) == 56 && offsetof(Subscription, clock) == 24);

enum class SeekFrom : std::uint32_t { Current, End, Set };

}  // namespace unstable

}  // namespace tfvm::wasi
