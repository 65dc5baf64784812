// The handlers of the family systematic::conversion.
#include "vm/handlers/define.hpp"
#include "vm/handlers/families.hpp"
#include "vm/handlers/instantiate.hpp"

namespace tfvm::interpreter {
/// Naming them emits them; the table (table.cpp) refers to the same functions.
[[gnu::used]] extern constexpr auto conversion_handlers = collect(conversion_family{});
}  // namespace tfvm::interpreter
