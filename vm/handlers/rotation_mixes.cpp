// The handlers of the family combinations::rotation_mixes.
#include "vm/handlers/define.hpp"
#include "vm/handlers/families.hpp"
#include "vm/handlers/instantiate.hpp"

namespace tfvm::interpreter {
/// Naming them emits them; the table (table.cpp) refers to the same functions.
[[gnu::used]] extern constexpr auto rotation_mixes_handlers = collect(rotation_mixes_family{});
}  // namespace tfvm::interpreter
