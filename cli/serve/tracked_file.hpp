// When a file that appears or changes may be read: only what is whole takes the place of what was good. Whole means
// closed after writing, renamed into place, or unchanged in size and times over two polls. The rule alone; who watches
// and who reads is elsewhere.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "cli/serve/site_root.hpp"

namespace tfvm::serve {

/// Why a file is looked at.
enum class Cause : std::uint8_t {
  Opened,  ///< somebody made it or writes to it
  Closed,  ///< it was closed after writing, or renamed into place
  Found,   ///< it is there: at the start, in a folder that is new, or when a request asks
  Polled,  ///< the time for a look has come
};

/// One file under watch.
struct TrackedFile {
  std::optional<FileStamp> used;  ///< of the content that was read last, good or bad
  std::optional<FileStamp> seen;  ///< of content that waits until it is whole
  unsigned polls = 0;             ///< that have seen it so
  bool is_open = false;           ///< a writer was noticed that has not closed it yet
  bool is_fresh = false;          ///< `used` is so young that a further change may not show in it
  std::optional<std::chrono::steady_clock::time_point> gone_since;

  bool exists() const { return !gone_since && (used || seen); }
  /// Needs a look at the next poll even if nothing is heard of it.
  bool is_unsettled() const { return seen || is_open || is_fresh; }

  enum class Verdict : std::uint8_t { Nothing, Wait, Read };
  /// What to do with the file, whose stamp is `now_stamp`. `settled_age`: how long ago the last change must be for a
  /// file that is found to count as unchanged. `wall_now_ns` since 1970.
  Verdict judge(const FileStamp& now_stamp, Cause cause, Writers writers, std::chrono::nanoseconds settled_age,
                std::int64_t wall_now_ns);
  /// It was read, while its stamp stayed `stamp`.
  void was_read(const FileStamp& stamp, std::int64_t wall_now_ns);
  /// It changed while it was read.
  void was_disturbed(const FileStamp& stamp);
};

}  // namespace tfvm::serve
