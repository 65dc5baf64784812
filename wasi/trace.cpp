// The text of calls: see trace.hpp.
#include "wasi/trace.hpp"

#include <algorithm>
#include <bit>
#include <optional>

namespace tfvm::wasi {

namespace {

constexpr std::size_t max_text_bytes = 48;
constexpr Size max_subscriptions_shown = 4;

using Names = std::span<const std::string_view>;

// Names of flags, the lowest bit first.
constexpr std::string_view fd_flag_names[] = {"append", "dsync", "nonblock", "rsync", "sync"};
constexpr std::string_view open_flag_names[] = {"creat", "directory", "excl", "trunc"};
constexpr std::string_view file_time_flag_names[] = {"atim", "atim_now", "mtim", "mtim_now"};
constexpr std::string_view lookup_flag_names[] = {"follow"};
constexpr std::string_view received_flag_names[] = {"data_truncated"};
constexpr std::string_view right_names[] = {"fd_datasync",
                                            "fd_read",
                                            "fd_seek",
                                            "fd_fdstat_set_flags",
                                            "fd_sync",
                                            "fd_tell",
                                            "fd_write",
                                            "fd_advise",
                                            "fd_allocate",
                                            "path_create_directory",
                                            "path_create_file",
                                            "path_link_source",
                                            "path_link_target",
                                            "path_open",
                                            "fd_readdir",
                                            "path_readlink",
                                            "path_rename_source",
                                            "path_rename_target",
                                            "path_filestat_get",
                                            "path_filestat_set_size",
                                            "path_filestat_set_times",
                                            "fd_filestat_get",
                                            "fd_filestat_set_size",
                                            "fd_filestat_set_times",
                                            "path_symlink",
                                            "path_remove_directory",
                                            "path_unlink_file",
                                            "poll_fd_readwrite",
                                            "sock_shutdown",
                                            "sock_accept"};
// Names of enumerations, from 0.
constexpr std::string_view clock_names[] = {"realtime", "monotonic", "process_cputime", "thread_cputime"};
constexpr std::string_view whence_names[] = {"set", "cur", "end"};
constexpr std::string_view old_whence_names[] = {"cur", "end", "set"};
constexpr std::string_view advice_names[] = {"normal", "sequential", "random", "willneed", "dontneed", "noreuse"};
constexpr std::string_view file_type_names[] = {"unknown",      "block_device", "character_device", "directory",
                                                "regular_file", "socket_dgram", "socket_stream",    "symbolic_link"};
constexpr std::string_view event_names[] = {"clock", "fd_read", "fd_write"};

std::string hexadecimal(std::uint64_t value) {
  std::string text;
  do text.insert(text.begin(), "0123456789abcdef"[value & 15]);
  while ((value >>= 4) != 0);
  return "0x" + text;
}

std::string named(std::uint64_t value, Names names) {
  return value < names.size() ? std::string(names[value]) : std::to_string(value);
}

/// "a|b", bits without a name in hexadecimal, "0" for none.
std::string flags(std::uint64_t value, Names names) {
  std::string text;
  const auto add = [&text](std::string_view each) { text.append(text.empty() ? "" : "|").append(each); };
  for (std::size_t bit = 0; bit < names.size(); ++bit)
    if ((value >> bit & 1) != 0) add(names[bit]);
  const std::uint64_t unnamed = value >> names.size() << names.size();
  if (unnamed != 0) add(hexadecimal(unnamed));
  return text.empty() ? "0" : text;
}

/// Many rights are told by those that are missing: "all-path_symlink".
std::string rights_text(Rights value) {
  constexpr int most = 14;
  if (std::popcount(value) <= most || (value & ~rights::all) != 0) return flags(value, right_names);
  std::string text = "all";
  for (std::size_t bit = 0; bit < std::size(right_names); ++bit)
    if ((value >> bit & 1) == 0) text.append("-").append(right_names[bit]);
  return text;
}

std::string quoted(std::span<const std::uint8_t> bytes) {
  std::string text = "\"";
  for (const std::uint8_t byte : bytes.first(std::min(bytes.size(), max_text_bytes))) {
    const char c = static_cast<char>(byte);
    if (c == '"' || c == '\\') (text += '\\') += c;
    else if (c == '\n') text += "\\n";
    else if (byte >= 0x20 && byte < 0x7f) text += c;
    else {
      const std::string digits = hexadecimal(byte + 0x100u);  // "0x1.."
      text.append("\\x").append(digits.substr(3));
    }
  }
  return text + (bytes.size() > max_text_bytes ? "\"..." : "\"");
}

std::string fd_stat_text(const FdStat& stat) {
  return "{" + named(static_cast<std::uint64_t>(stat.file_type), file_type_names) + ", " +
         flags(stat.flags, fd_flag_names) + ", " + rights_text(stat.base) + ", " + rights_text(stat.inheriting) + "}";
}

template <class Stat>
std::string file_stat_text(const Stat& stat) {
  return "{" + named(static_cast<std::uint64_t>(stat.file_type), file_type_names) + ", size " +
         std::to_string(stat.size) + ", inode " + std::to_string(stat.inode) + "}";
}

std::string subscription_text(EventType type, Fd fd, const SubscriptionClock& clock) {
  const std::string name = named(static_cast<std::uint64_t>(type), event_names);
  if (type != EventType::Clock) return name + ' ' + std::to_string(fd);
  const bool is_absolute = (clock.flags & clock_absolute_time) != 0;
  return named(clock.id, clock_names) + (is_absolute ? " at " : " in ") + std::to_string(clock.timeout) + "ns";
}
std::string subscription_text(const Subscription& each) {
  return subscription_text(each.type, each.clock.id, each.clock);
}
std::string subscription_text(const unstable::Subscription& each) {
  return subscription_text(each.type, static_cast<Fd>(each.clock_user_data), each.clock);
}

/// Decodes the parameters of one call, one after the other.
class Decoder {
 public:
  Decoder(const GuestCall& call, const GuestMemory& memory) : call_(call), memory_(memory) {}

  /// None for a parameter that has been shown with another or is shown as a result.
  std::optional<std::string> argument(std::size_t index) const {
    const std::uint64_t value = call_.arguments[index];
    switch (call_.kinds[index]) {
      case ParameterKind::PathAt:
      case ParameterKind::LinkTextAt: return text_at(value, call_.arguments[index + 1]);
      case ParameterKind::CiovecsAt: return vectors(value, call_.arguments[index + 1], true);
      case ParameterKind::IovecsAt: return vectors(value, call_.arguments[index + 1], false);
      case ParameterKind::SubscriptionsAt: return subscriptions<Subscription>(value, call_.arguments[index + 2]);
      case ParameterKind::OldSubscriptionsAt:
        return subscriptions<unstable::Subscription>(value, call_.arguments[index + 2]);
      case ParameterKind::PathLength:
      case ParameterKind::LinkTextLength:
      case ParameterKind::VectorCount:
      case ParameterKind::SizeResult:
      case ParameterKind::FdResult:
      case ParameterKind::FileSizeResult:
      case ParameterKind::TimestampResult:
      case ParameterKind::FdStatResult:
      case ParameterKind::FileStatResult:
      case ParameterKind::OldFileStatResult:
      case ParameterKind::PrestatResult:
      case ParameterKind::ReceiveFlagsResult: return std::nullopt;
      default: return scalar(call_.kinds[index], value);
    }
  }

  /// None for a parameter that is no result.
  std::optional<std::string> result(std::size_t index) const {
    const std::uint64_t address = call_.arguments[index];
    switch (call_.kinds[index]) {
      case ParameterKind::SizeResult: return loaded<Size>(address, number<Size>);
      case ParameterKind::FdResult: return loaded<Fd>(address, [](Fd fd) { return "fd " + std::to_string(fd); });
      case ParameterKind::FileSizeResult: return loaded<FileSize>(address, number<FileSize>);
      case ParameterKind::TimestampResult: return loaded<Timestamp>(address, number<Timestamp>);
      case ParameterKind::FdStatResult: return loaded<FdStat>(address, fd_stat_text);
      case ParameterKind::FileStatResult: return loaded<FileStat>(address, file_stat_text<FileStat>);
      case ParameterKind::OldFileStatResult:
        return loaded<unstable::FileStat>(address, file_stat_text<unstable::FileStat>);
      case ParameterKind::PrestatResult:
        return loaded<Prestat>(address, [](const Prestat& prestat) {
          return "{dir, name of " + std::to_string(prestat.name_length) + "}";
        });
      case ParameterKind::ReceiveFlagsResult:
        return loaded<std::uint16_t>(address, [](std::uint16_t value) { return flags(value, received_flag_names); });
      default: return std::nullopt;
    }
  }

 private:
  template <class T>
  static std::string number(const T& value) {
    return std::to_string(value);
  }

  static std::string scalar(ParameterKind kind, std::uint64_t value) {
    switch (kind) {
      case ParameterKind::Pointer: return hexadecimal(value);
      case ParameterKind::FdFlags: return flags(value, fd_flag_names);
      case ParameterKind::OpenFlags: return flags(value, open_flag_names);
      case ParameterKind::FileTimeFlags: return flags(value, file_time_flag_names);
      case ParameterKind::LookupFlags: return flags(value, lookup_flag_names);
      case ParameterKind::SocketFlags: return hexadecimal(value);
      case ParameterKind::Rights: return rights_text(value);
      case ParameterKind::ClockId: return named(value, clock_names);
      case ParameterKind::Whence: return named(value, whence_names);
      case ParameterKind::OldWhence: return named(value, old_whence_names);
      case ParameterKind::Advice: return named(value, advice_names);
      case ParameterKind::FileDelta: return std::to_string(static_cast<std::int64_t>(value));
      default: return std::to_string(value);
    }
  }

  template <class T, class Show>
  std::string loaded(std::uint64_t address, Show show) const {
    const auto value = memory_.load<T>(address);
    return value ? std::string(show(*value)) : "?";
  }

  std::string text_at(std::uint64_t address, std::uint64_t length) const {
    const auto bytes = memory_.bytes(address, length);
    return bytes ? quoted(*bytes) : hexadecimal(address) + '+' + std::to_string(length);
  }

  /// "[5 bytes]", with what they are if they are to be written.
  std::string vectors(std::uint64_t address, std::uint64_t count, bool shows_bytes) const {
    const auto array = memory_.bytes(address, count * sizeof(IoVector));
    if (!array) return hexadecimal(address) + '*' + std::to_string(count);
    std::uint64_t total = 0;
    std::vector<std::uint8_t> begin;
    constexpr std::size_t most = 1024;
    for (std::size_t i = 0; i < std::min<std::size_t>(count, most); ++i) {
      IoVector vector;
      std::memcpy(&vector, array->data() + i * sizeof(vector), sizeof(vector));
      total += vector.length;
      const auto bytes = memory_.bytes(vector.buffer, vector.length);
      if (!bytes) return "[0x" + hexadecimal(vector.buffer).substr(2) + '+' + std::to_string(vector.length) + "]";
      const std::size_t wanted = std::min(bytes->size(), max_text_bytes + 1 - begin.size());
      begin.insert(begin.end(), bytes->begin(), bytes->begin() + static_cast<std::ptrdiff_t>(wanted));
    }
    return "[" + std::to_string(total) + (shows_bytes ? " bytes " + quoted(begin) + "]" : " bytes]");
  }

  template <class GuestSubscription>
  std::string subscriptions(std::uint64_t address, std::uint64_t count) const {
    const auto array = memory_.bytes(address, count * sizeof(GuestSubscription));
    if (!array) return hexadecimal(address);
    std::string text = "[";
    for (std::size_t i = 0; i < std::min<std::size_t>(count, max_subscriptions_shown); ++i) {
      GuestSubscription each;
      std::memcpy(&each, array->data() + i * sizeof(each), sizeof(each));
      text.append(i == 0 ? "" : "; ").append(subscription_text(each));
    }
    return text + (count > max_subscriptions_shown ? "; ...]" : "]");
  }

  const GuestCall& call_;
  const GuestMemory& memory_;
};

}  // namespace

std::string decode_arguments(const GuestCall& call, const GuestMemory& memory) {
  const Decoder decoder(call, memory);
  std::string text(call.function);
  std::string_view separator = "(";
  for (std::size_t i = 0; i < call.kinds.size(); ++i) {
    const std::optional<std::string> argument = decoder.argument(i);
    if (!argument) continue;
    text.append(separator).append(*argument);
    separator = ", ";
  }
  return text + (separator == "(" ? "()" : ")");
}

std::string decode_results(const GuestCall& call, const GuestMemory& memory, Errno error) {
  std::string text = " = " + errno_name(error);
  if (error != Errno::Success) return text;
  const Decoder decoder(call, memory);
  for (std::size_t i = 0; i < call.kinds.size(); ++i)
    if (const std::optional<std::string> result = decoder.result(i)) text.append(", ").append(*result);
  return text;
}

std::string errno_name(Errno error) {
  static constexpr std::string_view names[] = {
#define WASI_ERRNO(name, host) #name,
#include "wasi/errno.def"
#undef WASI_ERRNO
  };
  std::string name(named(static_cast<std::uint64_t>(error), names));
  if (!name.empty() && name[0] >= 'A' && name[0] <= 'Z') name[0] = static_cast<char>(name[0] - 'A' + 'a');
  return name;
}

}  // namespace tfvm::wasi
