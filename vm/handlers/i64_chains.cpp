// The handlers of the family combinations::i64_chains.
#include "vm/handlers/define.hpp"
#include "vm/handlers/families.hpp"
#include "vm/handlers/instantiate.hpp"

namespace tfvm::interpreter {
/// Naming them emits them; the table (table.cpp) refers to the same functions.
[[gnu::used]] extern constexpr auto i64_chains_handlers = collect(i64_chains_family{});
}  // namespace tfvm::interpreter
