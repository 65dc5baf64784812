// From the key of a pattern to its handler: a hash table that the compiler fills (handlers/table.cpp), so that nothing
// runs at start-up.
#pragma once

#include <cstddef>
#include <span>

#include "vm/handlers/machine.hpp"
#include "vm/patterns.hpp"

namespace tfvm::interpreter {

struct HandlerEntry {
  PatternKey key = {};
  Handler handler = nullptr;
};

/// The handler of a pattern, or null if there is none. Thread-safe.
Handler find_handler(PatternKey key);

/// The whole table, for tests and statistics: a handler for every key that is not empty, side by side.
struct HandlerTable {
  std::span<const PatternKey> keys;
  std::span<const Handler> handlers;
};
HandlerTable handler_table();
/// Number of patterns.
std::size_t handler_count();

}  // namespace tfvm::interpreter
