// The handlers of the family combinations::indexed_stores.
#include "vm/handlers/define.hpp"
#include "vm/handlers/families.hpp"
#include "vm/handlers/instantiate.hpp"

namespace tfvm::interpreter {
/// Naming them emits them; the table (table.cpp) refers to the same functions.
[[gnu::used]] extern constexpr auto indexed_stores_handlers = collect(indexed_stores_family{});
}  // namespace tfvm::interpreter
