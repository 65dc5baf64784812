// Linear memory: address space, growth and the two kinds of bounds checks (WebAssembly 3.0, sections 4.2.8, 4.5.3.10).
//
//   Guarded:  | size: readable, writable | ... no access ... |      8 GiB + 64 KiB reserved, never moves
//   Checked:  | size |                                             exactly what is in use, moves when it grows
#include <algorithm>
#include <sys/mman.h>

#include "vm/fault.hpp"
#include "vm/runtime.hpp"

namespace tfvm {
namespace {

/// The largest 32-bit address plus the largest 32-bit offset plus 8 bytes, rounded up to a page.
constexpr std::uint64_t guarded_reservation_bytes = (std::uint64_t{1} << 33) + page_size_bytes;

/// Pages that any memory can have: all of the address space of today's processors. Keeps sizes in bytes from wrapping.
constexpr std::uint64_t max_pages_of_host = std::uint64_t{1} << 31;

constexpr std::uint64_t max_pages(AddressType type) {
  return type == AddressType::I32 ? std::uint64_t{1} << 16 : std::uint64_t{1} << 48;
}

std::uint8_t* map(std::uint64_t bytes, int protection) {
  void* const address = mmap(nullptr, bytes, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  return address == MAP_FAILED ? nullptr : static_cast<std::uint8_t*>(address);
}

bool allow_access(std::uint8_t* begin, std::uint64_t bytes) {
  return bytes == 0 || mprotect(begin, bytes, PROT_READ | PROT_WRITE) == 0;
}

bool map_guarded(MemoryInstance& memory, std::uint64_t bytes) {
  std::uint8_t* const base = map(guarded_reservation_bytes, PROT_NONE);
  if (base == nullptr) return false;
  memory.kind = MemoryInstance::Kind::Guarded;
  memory.base = base;
  memory.reserved = guarded_reservation_bytes;
  if (!allow_access(base, bytes)) return false;
  memory.size = bytes;
  return true;
}

bool resize_checked(MemoryInstance& memory, std::uint64_t bytes) {
  if (bytes == memory.size) return true;
  std::uint8_t* base = nullptr;
  if (memory.base == nullptr) {
    base = map(bytes, PROT_READ | PROT_WRITE);
  } else {
    void* const moved = mremap(memory.base, memory.size, bytes, MREMAP_MAYMOVE);
    base = moved == MAP_FAILED ? nullptr : static_cast<std::uint8_t*>(moved);
  }
  if (base == nullptr) return false;
  memory.base = base;
  memory.size = memory.reserved = bytes;
  return true;
}

}  // namespace

MemoryInstance::~MemoryInstance() {
  if (base != nullptr) munmap(base, reserved);
  if (store != nullptr) store->memory_bytes_ -= size;
}

std::uint64_t MemoryInstance::grow(std::uint64_t delta) {
  const std::uint64_t old_pages = pages();
  if (delta > limit_pages - old_pages) return UINT64_MAX;
  const std::uint64_t more_bytes = delta * page_size_bytes;
  if (more_bytes > store->limits().max_memory_bytes - store->memory_bytes_) return UINT64_MAX;
  if (kind == Kind::Guarded) {
    if (!allow_access(base + size, more_bytes)) return UINT64_MAX;
    size += more_bytes;
  } else if (!resize_checked(*this, size + more_bytes)) {
    return UINT64_MAX;
  }
  store->memory_bytes_ += more_bytes;
  return old_pages;
}

bool MemoryInstance::reset() {
  const std::uint64_t first_bytes = type.limits.minimum * page_size_bytes;
  const std::uint64_t more_bytes = size - first_bytes;
  // The system gives zeros for what it was told to forget.
  if (size != 0 && madvise(base, size, MADV_DONTNEED) != 0) return false;
  if (more_bytes == 0) return true;
  if (kind == Kind::Guarded) {
    if (mprotect(base + first_bytes, more_bytes, PROT_NONE) != 0) return false;
    size = first_bytes;
  } else if (first_bytes == 0) {
    munmap(base, size);
    base = nullptr;
    size = reserved = 0;
  } else if (!resize_checked(*this, first_bytes)) {
    return false;
  }
  store->memory_bytes_ -= more_bytes;
  return true;
}

Result<MemoryInstance*> Store::new_memory(MemoryType type) {
  const std::uint64_t pages = type.limits.minimum;
  std::uint64_t limit =
      std::min({max_pages(type.address_type), max_pages_of_host, limits_.max_memory_bytes / page_size_bytes});
  if (type.limits.has_maximum) limit = std::min(limit, type.limits.maximum);
  if (pages > limit || pages * page_size_bytes > limits_.max_memory_bytes - memory_bytes_)
    return Error{ErrorKind::Limit,
                 "memory of " + std::to_string(pages) + " pages is beyond the memory limit of this store"};
  auto memory = std::make_unique<MemoryInstance>();
  memory->type = type;
  memory->limit_pages = limit;
  const std::uint64_t bytes = pages * page_size_bytes;
  const bool may_be_guarded = limits_.allow_guarded_memory && type.address_type == AddressType::I32;
  if (may_be_guarded && map_guarded(*memory, bytes)) {
    fault::install();
  } else {
    if (memory->base != nullptr) munmap(memory->base, memory->reserved);
    memory->base = nullptr;
    memory->kind = MemoryInstance::Kind::Checked;
    if (!resize_checked(*memory, bytes))
      return Error{ErrorKind::Host, "the host has no room for a memory of " + std::to_string(pages) + " pages"};
  }
  memory->store = this;
  memory_bytes_ += bytes;
  memories_.push_back(std::move(memory));
  return memories_.back().get();
}

}  // namespace tfvm
