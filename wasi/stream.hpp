// Stream: a standard stream of the guest that is an object of the host's process instead of one of its descriptors.
// What moves the bytes is the host's; waiting for it is fd_io's and poll's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <poll.h>
#include <span>

namespace tfvm::wasi {

/// One end that the guest reads from or writes to. Calls come from the thread that runs the guest; none may block.
class Stream {
 public:
  virtual ~Stream() = default;

  enum class Status : std::uint8_t {
    Moved,       ///< `bytes` were moved; reading 0 of them: the end
    WouldBlock,  ///< nothing was moved: wait for pending()
    Failed,      ///< will never go on; the guest sees EIO
  };
  struct Outcome {
    Status status = Status::Failed;
    std::size_t bytes = 0;
  };
  /// REQUIRES: `buffer` is not empty.
  virtual Outcome read(std::span<std::uint8_t> buffer) {
    static_cast<void>(buffer);
    return {};
  }
  virtual Outcome write(std::span<const std::uint8_t> bytes) {
    static_cast<void>(bytes);
    return {};
  }
  /// True if a read or write would not give WouldBlock. May look at the host's descriptors.
  virtual bool is_ready() { return true; }
  /// The descriptor, and poll(2)'s events, that say when to try again after WouldBlock or !is_ready().
  virtual struct ::pollfd pending() const { return {-1, 0, 0}; }
};

}  // namespace tfvm::wasi
