// The handlers of the family systematic::selects.
#include "vm/handlers/define.hpp"
#include "vm/handlers/families.hpp"
#include "vm/handlers/instantiate.hpp"

namespace tfvm::interpreter {
/// Naming them emits them; the table (table.cpp) refers to the same functions.
[[gnu::used]] extern constexpr auto selects_handlers = collect(selects_family{});
}  // namespace tfvm::interpreter
