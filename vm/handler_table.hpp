// From the key of a pattern to its handler: a hash table that the compiler fills (handlers/table.cpp), so that nothing
// runs at start-up.
#pragma once

#include <cstddef>
#include <span>

#include "vm/handlers/machine.hpp"
#include "vm/patterns.hpp"

namespace tfvm::interpreter {

struct HandlerEntry {
  PatternKey key = 0;
  Handler handler = nullptr;
};

/// The handler of a pattern, or null if there is none. Thread-safe.
Handler find_handler(PatternKey key);

/// Number of patterns, and the whole table (with empty entries), for tests and statistics.
std::size_t handler_count();
std::span<const HandlerEntry> handler_entries();

}  // namespace tfvm::interpreter
