// Tables: allocation and growth (WebAssembly 3.0, section 4.2.7, 4.5.3.9). Elements are mapped lazily by the system, so
// a large table whose elements are null costs address space alone.
#include <algorithm>
#include <cstring>
#include <sys/mman.h>

#include "vm/runtime.hpp"

namespace tfvm {
namespace {

/// Elements that any table can have: the standard's bound for i32, and more than any store limit that can be met.
constexpr std::uint64_t max_elements = (std::uint64_t{1} << 32) - 1;

Slot* map_elements(Slot* old, std::uint64_t old_count, std::uint64_t count) {
  void* const address = old == nullptr ? mmap(nullptr, count * sizeof(Slot), PROT_READ | PROT_WRITE,
                                              MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)
                                       : mremap(old, old_count * sizeof(Slot), count * sizeof(Slot), MREMAP_MAYMOVE);
  return address == MAP_FAILED ? nullptr : static_cast<Slot*>(address);
}

}  // namespace

TableInstance::~TableInstance() {
  if (elements != nullptr) munmap(elements, size * sizeof(Slot));
  if (store != nullptr) store->table_elements_ -= size;
}

std::uint64_t TableInstance::grow(std::uint64_t delta, Slot value) {
  const std::uint64_t old_size = size;
  if (delta == 0) return old_size;
  if (delta > limit - size || delta > store->limits().max_table_elements - store->table_elements_) return UINT64_MAX;
  Slot* const moved = map_elements(elements, size, size + delta);
  if (moved == nullptr) return UINT64_MAX;
  elements = moved;
  size += delta;
  store->table_elements_ += delta;
  // Null is zero, and so is what the system maps: tables never shrink, so nothing old lies behind their ends.
  if (!value.is_null()) std::fill(elements + old_size, elements + size, value);
  return old_size;
}

bool TableInstance::reset() {
  const std::uint64_t first_size = type.limits.minimum;
  if (size > first_size) {
    if (first_size == 0) {
      munmap(elements, size * sizeof(Slot));
      elements = nullptr;
    } else {
      Slot* const moved = map_elements(elements, size, first_size);
      if (moved == nullptr) return false;
      elements = moved;
    }
    store->table_elements_ -= size - first_size;
    size = first_size;
  }
  const std::uint64_t bytes = size * sizeof(Slot);
  if (bytes > page_size_bytes) return madvise(elements, bytes, MADV_DONTNEED) == 0;
  if (bytes != 0) std::memset(static_cast<void*>(elements), 0, bytes);
  return true;
}

Result<TableInstance*> Store::new_table(TableType type, Slot initial) {
  auto table = std::make_unique<TableInstance>();
  table->type = type;
  table->limit = std::min(max_elements, limits_.max_table_elements);
  if (type.limits.has_maximum) table->limit = std::min(table->limit, type.limits.maximum);
  table->store = this;
  const std::uint64_t count = type.limits.minimum;
  if (count > table->limit || count > limits_.max_table_elements - table_elements_)
    return Error{ErrorKind::Limit,
                 "table of " + std::to_string(count) + " elements is beyond the table limit of this store"};
  if (table->grow(count, initial) == UINT64_MAX)
    return Error{ErrorKind::Host, "the host has no room for a table of " + std::to_string(count) + " elements"};
  tables_.push_back(std::move(table));
  return tables_.back().get();
}

}  // namespace tfvm
