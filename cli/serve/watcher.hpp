// Folders under the kernel's watch (inotify(7)): what happens in them, in order. Nothing here knows what files mean.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <unordered_set>

#include "decoder/error.hpp"
#include "wasi/host_fs.hpp"

namespace tfvm::serve {

/// Number of a watched folder. One folder has one number, however often it is watched.
using WatchId = int;

struct WatchEvent {
  enum class Kind : std::uint8_t {
    Created,     ///< a name is there: a file, folder or link
    Modified,    ///< somebody writes to a file
    Closed,      ///< a file was closed after writing
    MovedHere,   ///< something was renamed to this name
    Gone,        ///< a name was removed or renamed away
    Attributes,  ///< owner, permissions or times
    FolderGone,  ///< the watched folder itself was removed or renamed
    Forgotten,   ///< the watch has ended
    Overflow,    ///< events were lost: everything must be looked at
  };
  Kind kind = Kind::Overflow;
  WatchId watch = -1;
  bool is_directory = false;
  std::string name;
};

/// Not thread-safe.
class Watcher {
 public:
  /// Error: Host, if the kernel gives none. `max_folders`: besides the system's own limit.
  static Result<std::unique_ptr<Watcher>> open(std::size_t max_folders = SIZE_MAX);

  int fd() const { return file_.number(); }  ///< readable when there are events
  /// Starts to watch an open folder. Error: Host, for example if the limit of the system is reached.
  Result<WatchId> watch(int folder);
  void forget(WatchId watch);

  /// Takes in what the kernel has, without waiting.
  void read();
  /// The next event, if there is one.
  std::optional<WatchEvent> next();
  bool has_next() const { return !events_.empty(); }
  /// True if the file is known, by events that next() has not given yet, to be written to.
  bool is_being_written(WatchId watch, const std::string& name) const;

 private:
  Watcher(wasi::HostFile file, std::size_t max_folders) : file_(std::move(file)), max_folders_(max_folders) {}
  void add(std::uint32_t mask, WatchId watch, std::string name);

  wasi::HostFile file_;
  const std::size_t max_folders_;
  std::unordered_set<WatchId> watched_;
  std::deque<WatchEvent> events_;
  std::unordered_multiset<std::string> written_;  ///< keys of the Created and Modified among events_
};

}  // namespace tfvm::serve
