// The handlers of the family systematic::float_comparison.
#include "vm/handlers/define.hpp"
#include "vm/handlers/families.hpp"
#include "vm/handlers/instantiate.hpp"

namespace tfvm::interpreter {
/// Naming them emits them; the table (table.cpp) refers to the same functions.
[[gnu::used]] extern constexpr auto float_comparison_handlers = collect(float_comparison_family{});
}  // namespace tfvm::interpreter
