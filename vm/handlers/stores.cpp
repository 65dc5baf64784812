// The handlers of the family systematic::stores.
#include "vm/handlers/define.hpp"
#include "vm/handlers/families.hpp"
#include "vm/handlers/instantiate.hpp"

namespace tfvm::interpreter {
/// Naming them emits them; the table (table.cpp) refers to the same functions.
[[gnu::used]] extern constexpr auto stores_handlers = collect(stores_family{});
}  // namespace tfvm::interpreter
