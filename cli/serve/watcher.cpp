// inotify: see watcher.hpp.
#include "cli/serve/watcher.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <sys/inotify.h>
#include <unistd.h>

namespace tfvm::serve {

namespace {

constexpr std::uint32_t watched_events = IN_CREATE | IN_MODIFY | IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM |
                                         IN_DELETE | IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR |
                                         IN_EXCL_UNLINK;

struct KindOfMask {
  std::uint32_t mask;
  WatchEvent::Kind kind;
};
constexpr KindOfMask kinds[] = {
    {IN_Q_OVERFLOW, WatchEvent::Kind::Overflow},
    {IN_IGNORED, WatchEvent::Kind::Forgotten},
    {IN_DELETE_SELF | IN_MOVE_SELF | IN_UNMOUNT, WatchEvent::Kind::FolderGone},
    {IN_CREATE, WatchEvent::Kind::Created},
    {IN_MODIFY, WatchEvent::Kind::Modified},
    {IN_CLOSE_WRITE, WatchEvent::Kind::Closed},
    {IN_MOVED_TO, WatchEvent::Kind::MovedHere},
    {IN_MOVED_FROM | IN_DELETE, WatchEvent::Kind::Gone},
    {IN_ATTRIB, WatchEvent::Kind::Attributes},
};

bool announces_writing(WatchEvent::Kind kind) {
  return kind == WatchEvent::Kind::Created || kind == WatchEvent::Kind::Modified;
}

std::string key_of(WatchId watch, const std::string& name) { return std::to_string(watch) + '/' + name; }

}  // namespace

Result<std::unique_ptr<Watcher>> Watcher::open(std::size_t max_folders) {
  const int file = ::inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
  if (file < 0) return Error{ErrorKind::Host, std::string("inotify: ") + std::strerror(errno)};
  return std::unique_ptr<Watcher>(new Watcher(wasi::HostFile::own(file), max_folders));
}

Result<WatchId> Watcher::watch(int folder) {
  // The folder that is open, not what its name may mean by now.
  const std::string path = "/proc/self/fd/" + std::to_string(folder);
  const int watch = ::inotify_add_watch(file_.number(), path.c_str(), watched_events);
  if (watch >= 0) {
    watched_.insert(watch);
    if (watched_.size() <= max_folders_) return watch;
    forget(watch);
    return Error{ErrorKind::Host, "the limit of watched folders is reached"};
  }
  const char* reason = errno == ENOSPC
                           ? "the system's limit of watched folders is reached (fs.inotify.max_user_watches)"
                           : std::strerror(errno);
  return Error{ErrorKind::Host, reason};
}

void Watcher::forget(WatchId watch) {
  ::inotify_rm_watch(file_.number(), watch);
  watched_.erase(watch);
}

void Watcher::read() {
  alignas(struct ::inotify_event) std::array<char, 64 * 1024> buffer;
  for (;;) {
    const ssize_t got = ::read(file_.number(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return;
    for (std::size_t at = 0; at < static_cast<std::size_t>(got);) {
      struct ::inotify_event event;
      std::memcpy(&event, buffer.data() + at, sizeof(event));
      const char* name = buffer.data() + at + sizeof(event);
      add(event.mask, event.wd, std::string(name, ::strnlen(name, event.len)));
      at += sizeof(event) + event.len;
    }
  }
}

void Watcher::add(std::uint32_t mask, WatchId watch, std::string name) {
  for (const KindOfMask& item : kinds) {
    if ((mask & item.mask) == 0) continue;
    if (announces_writing(item.kind)) written_.insert(key_of(watch, name));
    if (item.kind == WatchEvent::Kind::Forgotten) watched_.erase(watch);
    events_.push_back({item.kind, watch, (mask & IN_ISDIR) != 0, std::move(name)});
    return;
  }
}

std::optional<WatchEvent> Watcher::next() {
  if (events_.empty()) return std::nullopt;
  WatchEvent event = std::move(events_.front());
  events_.pop_front();
  if (announces_writing(event.kind)) written_.erase(written_.find(key_of(event.watch, event.name)));
  return event;
}

bool Watcher::is_being_written(WatchId watch, const std::string& name) const {
  return written_.count(key_of(watch, name)) != 0;
}

}  // namespace tfvm::serve
