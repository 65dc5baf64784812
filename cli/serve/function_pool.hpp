// Which requests may run now, with which sandbox: bounds on what runs at once, in all and of each function, a bounded
// queue behind them, and the sandboxes that wait for their next request.
#pragma once

#include <cstdint>
#include <deque>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "cli/serve/function.hpp"
#include "cli/serve/metrics.hpp"
#include "cli/serve/sandbox.hpp"

namespace tfvm::serve {

/// What is known of a function by its name, whichever version runs. Lives as long as the pool.
struct FunctionState {
  std::string name;
  FunctionMetrics metrics;
  std::uint32_t running = 0;                   ///< guarded by the pool
  std::vector<std::unique_ptr<Sandbox>> idle;  ///< guarded by the pool
  std::mutex error_mutex;
  std::string last_error;  ///< guarded by error_mutex
  std::chrono::system_clock::time_point last_error_time{};

  void set_error(std::string text);
};

/// A request that waits for its turn.
class Waiter {
 public:
  /// `is_admitted`: it holds a place now and must leave() it. Else it waited too long. Called from any thread; must
  /// not block.
  virtual void resume(bool is_admitted) = 0;

 protected:
  ~Waiter() = default;
};

struct PoolLimits {
  std::uint32_t max_running = 64;
  std::uint32_t max_waiting = 256;
  std::chrono::milliseconds max_wait{10'000};
  std::size_t max_idle = 128;                 ///< sandboxes
  std::uint64_t max_idle_bytes = 256u << 20;  ///< of their linear memories together
  std::chrono::seconds max_idle_time{60};
};

/// Thread-safe.
class FunctionPool {
 public:
  explicit FunctionPool(PoolLimits limits) : limits_(limits) {}
  ~FunctionPool();

  enum class Verdict : std::uint8_t { Run, Wait, Refused };
  /// A place to run `function`. Run: `state` holds it, until leave(). Wait: `waiter` will be resumed.
  Verdict enter(const std::shared_ptr<const Function>& function, const std::shared_ptr<Waiter>& waiter,
                FunctionState*& state, std::unique_ptr<Sandbox>& sandbox);
  /// An idle sandbox of this version; null if there is none. For those that waited.
  std::unique_ptr<Sandbox> take(const std::shared_ptr<const Function>& function);
  /// Gives the place back, and the sandbox, which may be null; resumes who may run now.
  void leave(FunctionState& state, std::unique_ptr<Sandbox> sandbox);
  /// Resumes those that waited too long; drops sandboxes that nobody used.
  void housekeeping(SteadyTime now);
  /// Resumes all that wait, as refused.
  void refuse_waiting();

  FunctionState& state_of(std::string_view name);
  std::vector<FunctionState*> states();
  struct Counts {
    std::size_t running = 0;
    std::size_t waiting = 0;
    std::size_t idle = 0;
  };
  Counts counts();

 private:
  struct Waiting {
    std::shared_ptr<Waiter> waiter;
    std::shared_ptr<const Function> function;
    FunctionState* state;
    SteadyTime since;
  };
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
  };
  using Garbage = std::vector<std::unique_ptr<Sandbox>>;

  FunctionState& find_state(std::string_view name);
  std::unique_ptr<Sandbox> take_idle(FunctionState& state, const Function* version, Garbage& garbage);
  std::unique_ptr<Sandbox> remove_idle(FunctionState& state, std::size_t index);
  void drop_oldest(Garbage& garbage);
  std::shared_ptr<Waiter> next_to_run();

  PoolLimits limits_;
  std::mutex mutex_;
  std::unordered_map<std::string, std::unique_ptr<FunctionState>, Hash, std::equal_to<>> states_;
  std::deque<Waiting> waiting_;
  std::list<Sandbox*> idle_;  ///< the one used last in front
  std::uint64_t idle_bytes_ = 0;
  std::uint32_t running_ = 0;
};

}  // namespace tfvm::serve
