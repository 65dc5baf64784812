// The one timer thread that ends stores at their deadlines. Internal to vm/. Started at the first deadline of the
// process, never before; lives until the process ends.
#pragma once

#include <chrono>

namespace tfvm {

class Store;

namespace timer {

/// Calls store.interrupt(DeadlineExceeded) at `deadline`. Thread-safe.
void set(Store& store, std::chrono::steady_clock::time_point deadline);
/// Takes back set(store, deadline): after this, the timer does not touch the store for it. Thread-safe.
void clear(Store& store, std::chrono::steady_clock::time_point deadline);

}  // namespace timer
}  // namespace tfvm
