// The handlers of the family systematic::copies_and_control.
#include "vm/handlers/define.hpp"
#include "vm/handlers/families.hpp"
#include "vm/handlers/instantiate.hpp"

namespace tfvm::interpreter {
/// Naming them emits them; the table (table.cpp) refers to the same functions.
[[gnu::used]] extern constexpr auto copies_and_control_handlers = collect(copies_and_control_family{});
}  // namespace tfvm::interpreter
