// The handlers of the family combinations::loop_ends.
#include "vm/handlers/define.hpp"
#include "vm/handlers/families.hpp"
#include "vm/handlers/instantiate.hpp"

namespace tfvm::interpreter {
/// Naming them emits them; the table (table.cpp) refers to the same functions.
[[gnu::used]] extern constexpr auto loop_ends_handlers = collect(loop_ends_family{});
}  // namespace tfvm::interpreter
