// The timer thread (timer.hpp): sleeps until the earliest deadline, interrupts its store, forgets it.
#include "vm/timer.hpp"

#include <condition_variable>
#include <mutex>
#include <set>
#include <signal.h>
#include <thread>

#include "vm/runtime.hpp"

namespace tfvm {
namespace {

using TimePoint = std::chrono::steady_clock::time_point;

struct Timer {
  std::mutex mutex;
  std::condition_variable changed;
  std::set<std::pair<TimePoint, Store*>> deadlines;
  /// When the thread looks at the deadlines next. It may look in vain, since clear() does not tell it: a server sets
  /// and clears a deadline for each request, and none of them should wake a thread.
  TimePoint wakes_at = TimePoint::max();
  bool is_running = false;

  void start() {
    if (is_running) return;
    is_running = true;
    // The thread inherits a mask that blocks everything: no signal of the host's may land on it.
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    std::thread([this] { run(); }).detach();
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
  }

  void run() {
    std::unique_lock lock(mutex);
    for (;;) {
      if (deadlines.empty()) {
        wakes_at = TimePoint::max();
        changed.wait(lock);
        continue;
      }
      const auto [deadline, store] = *deadlines.begin();
      if (std::chrono::steady_clock::now() < deadline) {
        wakes_at = deadline;
        changed.wait_until(lock, deadline);
        continue;
      }
      deadlines.erase(deadlines.begin());
      store->interrupt(TrapKind::DeadlineExceeded);  // under the lock: clear() waits for it
    }
  }
};

// Never destroyed: the thread may run until the process ends, whatever is destroyed before.
Timer& the_timer() {
  static Timer* const timer = new Timer;
  return *timer;
}

}  // namespace

void timer::set(Store& store, TimePoint deadline) {
  Timer& timer = the_timer();
  const std::lock_guard lock(timer.mutex);
  timer.deadlines.emplace(deadline, &store);
  timer.start();
  if (deadline < timer.wakes_at) {
    timer.wakes_at = deadline;
    timer.changed.notify_one();
  }
}

void timer::clear(Store& store, TimePoint deadline) {
  Timer& timer = the_timer();
  const std::lock_guard lock(timer.mutex);
  timer.deadlines.erase({deadline, &store});
}

}  // namespace tfvm
