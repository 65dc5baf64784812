// The table of all handlers, filled at compile time. Sees only the declaration of handler<P>: the functions themselves
// are emitted by the family files. Two patterns with the same key, or one pattern twice, stop the build.
#include "vm/handler_table.hpp"
#include "vm/handlers/families.hpp"
#include "vm/handlers/instantiate.hpp"

namespace tfvm::interpreter {
namespace {

constexpr std::size_t total_patterns = 0
#define FAMILY(set, name) +collect(name##_family{}).size()
#include "vm/handlers/families.def"
#undef FAMILY
    ;

/// At most two thirds full, so that a miss ends after two or three probes.
constexpr std::size_t table_size = std::bit_ceil(total_patterns * 3 / 2);

/// Slots apart from entries: most look-ups fail, and the slots alone tell, whose few pages a short run soon has. A slot
/// is 0 if it is empty, else the number of its entry plus 1, with bits of the key above.
using TableSlot = std::uint32_t;
constexpr unsigned number_bits = 20;
constexpr TableSlot number_mask = (TableSlot{1} << number_bits) - 1;
static_assert(total_patterns < number_mask);
constexpr TableSlot mark_of(PatternKey key) {
  return static_cast<TableSlot>(key.high >> (64 - 32 + number_bits)) << number_bits;
}

struct Table {
  std::array<TableSlot, table_size> slots{};
  std::array<HandlerEntry, total_patterns> entries{};
  TableSlot count = 0;
  bool has_duplicate = false;

  consteval void add(const HandlerEntry& entry) {
    std::size_t index = entry.key.low & (table_size - 1);
    for (; slots[index] != 0; index = (index + 1) & (table_size - 1))
      if (entries[(slots[index] & number_mask) - 1].key == entry.key) has_duplicate = true;
    entries[count++] = entry;
    slots[index] = mark_of(entry.key) | count;
  }
};

consteval Table make_table() {
  Table table;
#define FAMILY(set, name) \
  for (const HandlerEntry& entry : collect(name##_family{})) table.add(entry);
#include "vm/handlers/families.def"
#undef FAMILY
  return table;
}

constexpr Table table = make_table();
static_assert(!table.has_duplicate, "two patterns have the same key");

}  // namespace

Handler find_handler(PatternKey key) {
  const TableSlot mark = mark_of(key);
  for (std::size_t index = key.low & (table_size - 1); table.slots[index] != 0;
       index = (index + 1) & (table_size - 1)) {
    const TableSlot slot = table.slots[index];
    if ((slot & ~number_mask) != mark) continue;
    const HandlerEntry& entry = table.entries[(slot & number_mask) - 1];
    if (entry.key == key) return entry.handler;
  }
  return nullptr;
}

std::span<const HandlerEntry> handler_entries() { return table.entries; }

}  // namespace tfvm::interpreter
