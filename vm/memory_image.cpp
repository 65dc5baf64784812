// See memory_image.hpp.
#include "vm/memory_image.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "vm/constant_expression.hpp"
#include "vm/runtime.hpp"

namespace tfvm {
namespace {

constexpr std::uint64_t host_page_bytes = 4096;

/// Less is copied as fast as its pages are mapped and faulted in.
constexpr std::uint64_t least_image_bytes = 16u << 10;
constexpr std::uint64_t most_image_bytes = 256u << 20;
/// Of the range that an image covers, at least one in so many bytes comes from a segment.
constexpr std::uint64_t most_sparse = 4;

bool write_all(int file, const std::uint8_t* from, std::uint64_t bytes, std::uint64_t offset) {
  while (bytes != 0) {
    const ssize_t written = pwrite(file, from, bytes, static_cast<off_t>(offset));
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    from += written;
    bytes -= static_cast<std::uint64_t>(written);
    offset += static_cast<std::uint64_t>(written);
  }
  return true;
}

}  // namespace

ImageArena::~ImageArena() {
  if (file_ >= 0) close(file_);
}

std::optional<std::uint64_t> ImageArena::take(std::uint64_t bytes) {
  const auto fits = std::find_if(free_.begin(), free_.end(), [&](const auto& range) { return range.second >= bytes; });
  if (fits == free_.end()) {
    end_ += bytes;
    return end_ - bytes;
  }
  const auto [offset, free_bytes] = *fits;
  free_.erase(fits);
  if (free_bytes > bytes) free_.emplace(offset + bytes, free_bytes - bytes);
  return offset;
}

std::optional<std::uint64_t> ImageArena::add(const std::uint8_t* from, std::uint64_t bytes) {
  const std::lock_guard lock(mutex_);
  if (file_ < 0) file_ = memfd_create("tfvm-images", MFD_CLOEXEC);
  if (file_ < 0) return std::nullopt;
  const std::optional<std::uint64_t> offset = take(bytes);
  // Writing past the end makes the file longer.
  if (offset && write_all(file_, from, bytes, *offset)) return offset;
  if (offset) free_.emplace(*offset, bytes);
  return std::nullopt;
}

void ImageArena::remove(std::uint64_t offset, std::uint64_t bytes) {
  const std::lock_guard lock(mutex_);
  fallocate(file_, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, static_cast<off_t>(offset), static_cast<off_t>(bytes));
  auto range = free_.emplace(offset, bytes).first;
  if (const auto next = std::next(range); next != free_.end() && range->first + range->second == next->first) {
    range->second += next->second;
    free_.erase(next);
  }
  if (range == free_.begin()) return;
  const auto before = std::prev(range);
  if (before->first + before->second != range->first) return;
  before->second += range->second;
  free_.erase(range);
}

bool ImageArena::map(std::uint64_t offset, std::uint64_t bytes, std::uint8_t* to) const {
  constexpr int flags = MAP_PRIVATE | MAP_FIXED | MAP_NORESERVE;
  if (mmap(to, bytes, PROT_READ | PROT_WRITE, flags, file_, static_cast<off_t>(offset)) != MAP_FAILED) return true;
  // The system may have removed what was there. A hole in a guest's memory could be given to somebody else.
  if (mmap(to, bytes, PROT_READ | PROT_WRITE, flags | MAP_ANONYMOUS, -1, 0) == MAP_FAILED) std::abort();
  return false;
}

MemoryImage::~MemoryImage() {
  if (is_there_.load()) arena_->remove(offset_, bytes_);
}

void MemoryImage::learn(const ModuleInstance& instance) {
  constexpr std::uint32_t enough = 2;
  if (arena_ == nullptr || times_.load(std::memory_order_relaxed) >= enough) return;
  if (times_.fetch_add(1, std::memory_order_relaxed) + 1 == enough) make(instance);
}

void MemoryImage::make(const ModuleInstance& instance) {
  const Module& module = instance.module->module();
  // What others hold could make the segments differ from instance to instance.
  if (module.imported_memories + module.imported_tables + module.imported_globals != 0 || instance.memories.empty())
    return;
  const MemoryInstance& memory = *instance.memories[0];
  if (memory.kind != MemoryInstance::Kind::Guarded) return;
  ConstantEvaluator evaluator(const_cast<ModuleInstance&>(instance));
  std::uint64_t first = UINT64_MAX;
  std::uint64_t last = 0;
  std::uint64_t sum = 0;
  for (const DataSegment& segment : module.data) {
    if (segment.mode != SegmentMode::Active || segment.memory_index != 0 || segment.bytes.size == 0) continue;
    const std::uint64_t offset = evaluator.evaluate(segment.offset).bits;
    first = std::min(first, offset);
    last = std::max(last, offset + segment.bytes.size);
    sum += segment.bytes.size;
  }
  if (sum < least_image_bytes) return;
  first = first / host_page_bytes * host_page_bytes;
  last = (last + host_page_bytes - 1) / host_page_bytes * host_page_bytes;
  if (last - first > most_image_bytes || (last - first) / most_sparse > sum) return;
  const std::lock_guard lock(mutex_);
  const std::optional<std::uint64_t> offset = arena_->add(memory.base + first, last - first);
  if (!offset) return;
  offset_ = *offset;
  address_ = first;
  bytes_ = last - first;
  is_there_.store(true, std::memory_order_release);
}

bool MemoryImage::apply(ModuleInstance& instance) const {
  if (!is_there_.load(std::memory_order_acquire)) return false;
  MemoryInstance& memory = *instance.memories[0];
  if (memory.kind != MemoryInstance::Kind::Guarded) return false;
  if (!memory.holds_image) memory.holds_image = arena_->map(offset_, bytes_, memory.base + address_);
  return memory.holds_image;
}

}  // namespace tfvm
