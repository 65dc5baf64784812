// The handlers of the family combinations::integer_operations_on_loads.
#include "vm/handlers/define.hpp"
#include "vm/handlers/families.hpp"
#include "vm/handlers/instantiate.hpp"

namespace tfvm::interpreter {
/// Naming them emits them; the table (table.cpp) refers to the same functions.
[[gnu::used]] extern constexpr auto integer_operations_on_loads_handlers =
    collect(integer_operations_on_loads_family{});
}  // namespace tfvm::interpreter
