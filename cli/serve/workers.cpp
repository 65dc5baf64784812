// The threads of the server (workers.hpp).
#include "cli/serve/workers.hpp"

#include <pthread.h>
#include <signal.h>
#include <system_error>

namespace tfvm::serve {

/// One thread that is or was on the loop.
struct Thread {
  std::thread thread;
  std::atomic<bool> has_place{false};
  std::atomic<std::int64_t> held_up_since{0};  ///< steady nanoseconds; 0: not in a section
  std::atomic<std::uint64_t> sections{0};
  std::mutex mutex;  ///< guards the two below
  Watched* watched = nullptr;
  SteadyTime deadline = SteadyTime::max();
};

namespace {

/// Thrown out of io_context::run() by a thread whose place was taken; only run_loop() catches it.
struct LeaveLoop {};

thread_local Thread* this_thread = nullptr;

constexpr auto tick = std::chrono::milliseconds(2);
constexpr auto housekeeping_interval = std::chrono::milliseconds(250);
constexpr auto idle_interval = std::chrono::seconds(1);
constexpr unsigned ticks_until_sleep = 20;

std::int64_t nanoseconds(SteadyTime time) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(time.time_since_epoch()).count();
}

}  // namespace

Workers::Workers(boost::asio::io_context& context, Config config) : context_(context), config_(std::move(config)) {}

Workers::~Workers() { join(); }

void Workers::start() {
  const std::lock_guard lock(mutex_);
  for (unsigned i = 0; i < config_.loops; ++i) add_thread(true);
  monitor_ = std::thread([this] { monitor(); });
}

// REQUIRES: mutex_ is held.
void Workers::add_thread(bool has_place) {
  Thread& thread = *threads_.emplace_back(std::make_unique<Thread>());
  thread.has_place = has_place;
  thread_count_.fetch_add(1, std::memory_order_relaxed);
  thread.thread = std::thread([this, &thread] { run_thread(thread); });
}

void Workers::run_thread(Thread& thread) {
  this_thread = &thread;
  while (true) {
    if (thread.has_place) {
      run_loop(thread);
      if (thread.has_place) break;  // the loop itself has ended
    }
    std::unique_lock lock(mutex_);
    ++spares_;
    spare_wanted_.wait(lock, [this] { return free_places_ > 0 || is_ending_; });
    --spares_;
    if (free_places_ == 0) break;
    --free_places_;
    thread.has_place = true;
  }
  const std::lock_guard lock(mutex_);
  is_ending_ = true;
  spare_wanted_.notify_all();
  monitor_wanted_.notify_all();
}

void Workers::run_loop(Thread&) {
  try {
    context_.run();
  } catch (const LeaveLoop&) {
  }
}

void Workers::leave_if_replaced() {
  if (this_thread != nullptr && !this_thread->has_place.load(std::memory_order_relaxed)) throw LeaveLoop();
}

void Workers::join() {
  std::unique_lock lock(mutex_);
  for (std::size_t i = 0; i < threads_.size(); ++i) {  // the monitor may still add some
    Thread& thread = *threads_[i];
    lock.unlock();
    if (thread.thread.joinable()) thread.thread.join();
    lock.lock();
  }
  monitor_ends_ = true;
  monitor_wanted_.notify_all();
  lock.unlock();
  if (monitor_.joinable()) monitor_.join();
}

void Workers::wake_monitor() {
  const std::lock_guard lock(mutex_);
  monitor_sleeps_ = false;
  monitor_wanted_.notify_one();
}

void Workers::monitor() {
  std::unique_lock lock(mutex_);
  SteadyTime housekept{};
  unsigned idle_ticks = 0;
  std::uint64_t known_sections = 0;
  while (!monitor_ends_) {
    const SteadyTime now = std::chrono::steady_clock::now();
    bool is_busy = look_at_threads(now);
    std::uint64_t sections = 0;
    for (const auto& thread : threads_) sections += thread->sections.load(std::memory_order_relaxed);
    is_busy = is_busy || sections != known_sections;
    known_sections = sections;
    idle_ticks = is_busy ? 0 : idle_ticks + 1;
    if (now - housekept >= housekeeping_interval) {
      housekept = now;
      lock.unlock();
      if (config_.housekeeping) config_.housekeeping(now);
      lock.lock();
    }
    if (idle_ticks < ticks_until_sleep) {
      monitor_wanted_.wait_for(lock, tick);
      continue;
    }
    monitor_sleeps_.store(true);
    if (look_at_threads(now)) {  // one began before it could know that it must wake us
      monitor_sleeps_.store(false);
      idle_ticks = 0;
      continue;
    }
    monitor_wanted_.wait_for(lock, idle_interval);
    if (!monitor_sleeps_.exchange(false)) idle_ticks = 0;
  }
}

// True if a thread is in a section. REQUIRES: mutex_ is held.
bool Workers::look_at_threads(SteadyTime now) {
  bool is_busy = false;
  for (std::size_t i = 0; i < threads_.size(); ++i) {
    Thread& thread = *threads_[i];
    const std::int64_t since = thread.held_up_since.load();
    if (since == 0) continue;
    is_busy = true;
    const bool is_slow =
        nanoseconds(now) - since > std::chrono::duration_cast<std::chrono::nanoseconds>(config_.patience).count();
    if (is_slow && thread.has_place.load()) replace(thread);
    const std::lock_guard lock(thread.mutex);
    if (thread.watched == nullptr) continue;
    if (is_slow) thread.watched->on_slow();
    if (is_ending_ || now >= thread.deadline) thread.watched->on_deadline();
  }
  return is_busy;
}

// REQUIRES: mutex_ is held.
bool Workers::replace(Thread& thread) {
  const bool has_spare = spares_ > free_places_;
  if (!has_spare && threads_.size() >= config_.max_threads) return false;
  thread.has_place.store(false);
  replacements_.fetch_add(1, std::memory_order_relaxed);
  try {
    if (!has_spare) add_thread(true);
  } catch (const std::system_error&) {  // the host gives no more threads: the loop waits
    threads_.pop_back();
    thread_count_.fetch_sub(1, std::memory_order_relaxed);
    thread.has_place.store(true);
    return false;
  }
  if (has_spare) {
    ++free_places_;
    spare_wanted_.notify_one();
  }
  return true;
}

Workers::Section::Section(Workers& workers, SteadyTime now, SteadyTime deadline, Watched* watched)
    : thread_(this_thread) {
  if (thread_ == nullptr) return;
  {
    const std::lock_guard lock(thread_->mutex);
    thread_->watched = watched;
    thread_->deadline = deadline;
  }
  thread_->sections.store(thread_->sections.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  thread_->held_up_since.store(nanoseconds(now));
  if (workers.monitor_sleeps_.load()) workers.wake_monitor();
}

Workers::Section::~Section() {
  if (thread_ == nullptr) return;
  const std::lock_guard lock(thread_->mutex);
  thread_->watched = nullptr;
  thread_->held_up_since.store(0, std::memory_order_relaxed);
}

}  // namespace tfvm::serve
