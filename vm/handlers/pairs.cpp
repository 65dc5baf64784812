// The handlers of the family combinations::pairs.
#include "vm/handlers/define.hpp"
#include "vm/handlers/families.hpp"
#include "vm/handlers/instantiate.hpp"

namespace tfvm::interpreter {
/// Naming them emits them; the table (table.cpp) refers to the same functions.
[[gnu::used]] extern constexpr auto pairs_handlers = collect(pairs_family{});
}  // namespace tfvm::interpreter
