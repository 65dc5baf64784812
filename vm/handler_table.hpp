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

/// All of them, for tests and statistics.
std::span<const HandlerEntry> handler_entries();

}  // namespace tfvm::interpreter
