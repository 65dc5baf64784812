// The one timer thread that ends stores at their deadlines. Internal to vm/. Started at the first deadline of the
// process, never before; lives until the process ends.
#pragma once

#include <chrono>

namespace tfvm {

class Store;

namespace timer {

/// Calls store.interrupt(DeadlineExceeded) at `deadline`; replaces an earlier deadline of the store. Thread-safe.
void set(Store& store, std::chrono::steady_clock::time_point deadline);
/// After this, the timer does not touch the store any more. Thread-safe.
void clear(Store& store);

}  // namespace timer
}  // namespace tfvm
