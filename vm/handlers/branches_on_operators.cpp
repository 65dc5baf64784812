// The handlers of the family combinations::branches_on_operators.
#include "vm/handlers/define.hpp"
#include "vm/handlers/families.hpp"
#include "vm/handlers/instantiate.hpp"

namespace tfvm::interpreter {
/// Naming them emits them; the table (table.cpp) refers to the same functions.
[[gnu::used]] extern constexpr auto branches_on_operators_handlers = collect(branches_on_operators_family{});
}  // namespace tfvm::interpreter
