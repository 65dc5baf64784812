// The contents that a module's data segments give its memory, kept as pages that instances map copy-on-write: an
// instance then costs what it writes and not what its module holds. One file in memory for all images of an engine.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>

#include "vm/instance.hpp"

namespace tfvm {

/// A file without a name, in which images have ranges of whole pages. Thread-safe.
class ImageArena {
 public:
  ImageArena() = default;
  ~ImageArena();
  ImageArena(const ImageArena&) = delete;
  ImageArena& operator=(const ImageArena&) = delete;

  /// Copies `bytes` bytes, a multiple of the page size, into the file; where they are, or none if the host refuses.
  std::optional<std::uint64_t> add(const std::uint8_t* from, std::uint64_t bytes);
  /// Gives a range back, and its memory to the host. Mappings of it must be gone.
  void remove(std::uint64_t offset, std::uint64_t bytes);
  /// Maps a range privately over [to, to + bytes), zeros if the host refuses (then: false).
  bool map(std::uint64_t offset, std::uint64_t bytes, std::uint8_t* to) const;

 private:
  std::optional<std::uint64_t> take(std::uint64_t bytes);

  std::mutex mutex_;
  int file_ = -1;
  std::uint64_t end_ = 0;
  std::map<std::uint64_t, std::uint64_t> free_;  ///< offset to bytes, none adjacent
};

/// The image of memory 0 of one module, once there is one. Owned by its LoadedModule. Thread-safe.
class MemoryImage {
 public:
  explicit MemoryImage(std::shared_ptr<ImageArena> arena) : arena_(std::move(arena)) {}
  ~MemoryImage();
  MemoryImage(const MemoryImage&) = delete;
  MemoryImage& operator=(const MemoryImage&) = delete;

  /// Notes that the module was instantiated, without a trap, and that `instance` has just the contents that segments
  /// gave it. From the second time on this makes the image, if the module is one that it pays for.
  void learn(const ModuleInstance& instance);
  /// True if there is one and it now lies in the instance's memory 0, whose active data segments are thereby done.
  /// REQUIRES: the memory is as new.
  bool apply(ModuleInstance& instance) const;

 private:
  void make(const ModuleInstance& instance);

  std::shared_ptr<ImageArena> arena_;  ///< null: no images
  std::mutex mutex_;
  std::atomic<std::uint32_t> times_{0};
  std::atomic<bool> is_there_{false};
  std::uint64_t offset_ = 0;   ///< in the arena
  std::uint64_t address_ = 0;  ///< in the memory
  std::uint64_t bytes_ = 0;
};

}  // namespace tfvm
