// The rule of whole files: see tracked_file.hpp.
#include "cli/serve/tracked_file.hpp"

#include <algorithm>

namespace tfvm::serve {

namespace {

constexpr unsigned polls_of_whole_file = 2;
// A writer is known but says nothing any more: it died elsewhere, or cut the file by its name.
constexpr unsigned polls_of_forgotten_writer = 30;
// Kernels stamp changes with the time of their last tick: 10 ms at most; file systems of other machines with seconds.
constexpr std::int64_t stamp_resolution_ns = 2'000'000'000;

std::int64_t age_ns(const FileStamp& stamp, std::int64_t wall_now_ns) {
  return wall_now_ns - std::max(stamp.modified_ns, stamp.changed_ns);
}

}  // namespace

TrackedFile::Verdict TrackedFile::judge(const FileStamp& now_stamp, Cause cause, Writers writers,
                                        std::chrono::nanoseconds settled_age, std::int64_t wall_now_ns) {
  gone_since.reset();
  const auto read = [&] {
    is_open = false;
    return Verdict::Read;
  };
  if (cause == Cause::Closed) return read();
  if (used == now_stamp && !is_open && cause != Cause::Opened) {
    seen.reset();
    return is_fresh && cause == Cause::Polled && writers != Writers::Some ? read() : Verdict::Nothing;
  }
  if (cause == Cause::Opened) is_open = true;
  if (seen != now_stamp) {
    seen = now_stamp;
    polls = 0;
  }
  if (writers == Writers::None) return read();
  if (cause == Cause::Polled) ++polls;
  const bool has_writer = is_open || writers == Writers::Some;
  if (cause == Cause::Found && !has_writer && age_ns(now_stamp, wall_now_ns) >= settled_age.count()) return read();
  return polls >= (has_writer ? polls_of_forgotten_writer : polls_of_whole_file) ? read() : Verdict::Wait;
}

void TrackedFile::was_read(const FileStamp& stamp, std::int64_t wall_now_ns) {
  // A time in the future tells nothing; then one more look must do.
  const std::int64_t age = age_ns(stamp, wall_now_ns);
  is_fresh = age < stamp_resolution_ns && (age >= 0 || used != stamp);
  used = stamp;
  seen.reset();
  polls = 0;
  is_open = false;
}

void TrackedFile::was_disturbed(const FileStamp& stamp) {
  seen = stamp;
  polls = 0;
}

}  // namespace tfvm::serve
