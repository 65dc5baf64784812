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

/// Keys apart from handlers: a look-up that fails, and most do, touches keys alone. No pattern has the empty key.
struct Table {
  std::array<PatternKey, table_size> keys{};
  std::array<Handler, table_size> handlers{};
  bool has_duplicate = false;

  consteval void add(const HandlerEntry& entry) {
    if (entry.key == PatternKey{}) has_duplicate = true;
    std::size_t index = entry.key.low & (table_size - 1);
    while (keys[index] != PatternKey{}) {
      if (keys[index] == entry.key) has_duplicate = true;
      index = (index + 1) & (table_size - 1);
    }
    keys[index] = entry.key;
    handlers[index] = entry.handler;
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
  std::size_t index = key.low & (table_size - 1);
  while (table.keys[index] != PatternKey{}) {
    if (table.keys[index] == key) return table.handlers[index];
    index = (index + 1) & (table_size - 1);
  }
  return nullptr;
}

std::size_t handler_count() { return total_patterns; }
HandlerTable handler_table() { return {table.keys, table.handlers}; }

}  // namespace tfvm::interpreter
