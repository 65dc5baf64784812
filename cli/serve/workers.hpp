// The threads of the server. Loop threads run the io_context; guests run inline on them. A monitor thread watches: it
// puts a spare thread on the loop in the place of one that is held up, and it ends guests at their deadlines. While
// nothing is slow, nothing is woken.
#pragma once

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace tfvm::serve {

using SteadyTime = std::chrono::steady_clock::time_point;

/// What holds up a thread, as the monitor sees it. Both calls come from the monitor's thread, must not block, and may
/// come many times; none comes after the section has ended.
class Watched {
 public:
  virtual void on_deadline() {}
  /// It takes longer than others should wait.
  virtual void on_slow() {}

 protected:
  ~Watched() = default;
};

struct Thread;

class Workers {
 public:
  struct Config {
    unsigned loops = 1;          ///< threads on the loop at any time
    unsigned max_threads = 128;  ///< all together; when as many are held up, the loop waits
    std::chrono::microseconds patience{2'000};
    /// Called by the monitor about four times a second while there is anything to do, else once a second.
    std::function<void(SteadyTime)> housekeeping;
  };

  Workers(boost::asio::io_context& context, Config config);
  ~Workers();
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  /// Starts all threads.
  void start();
  /// Waits until the io_context has nothing to do any more (or was stopped) and all threads have ended.
  void join();

  /// Marks that the calling thread may be held up until the end of the object's life. Does nothing on other threads.
  class Section {
   public:
    Section(Workers& workers, SteadyTime now, SteadyTime deadline, Watched* watched);
    ~Section();
    Section(const Section&) = delete;
    Section& operator=(const Section&) = delete;

   private:
    Thread* thread_;
  };

  /// To be called at the end of every handler: a thread whose place was taken does not come back from it.
  void leave_if_replaced();

  unsigned threads() const { return thread_count_.load(std::memory_order_relaxed); }
  std::uint64_t replacements() const { return replacements_.load(std::memory_order_relaxed); }

 private:
  void run_thread(Thread& thread);
  void run_loop(Thread& thread);
  void monitor();
  bool look_at_threads(SteadyTime now);
  bool replace(Thread& thread);
  void add_thread(bool has_place);
  void wake_monitor();

  boost::asio::io_context& context_;
  Config config_;
  std::mutex mutex_;
  std::condition_variable spare_wanted_;
  std::condition_variable monitor_wanted_;
  std::vector<std::unique_ptr<Thread>> threads_;
  std::thread monitor_;
  unsigned spares_ = 0;        ///< threads that wait for a place
  unsigned free_places_ = 0;   ///< places that a waiting thread should take
  bool is_ending_ = false;     ///< the loop has ended: what still holds up a thread is past its deadline
  bool monitor_ends_ = false;  ///< all other threads have ended
  std::atomic<bool> monitor_sleeps_{false};
  std::atomic<unsigned> thread_count_{0};
  std::atomic<std::uint64_t> replacements_{0};
};

}  // namespace tfvm::serve
