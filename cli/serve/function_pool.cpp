// Places and sandboxes (function_pool.hpp). Sandboxes are destroyed outside of the lock: that unmaps memory.
#include "cli/serve/function_pool.hpp"

#include <algorithm>
#include <utility>

namespace tfvm::serve {

void FunctionState::set_error(std::string text) {
  const std::lock_guard lock(error_mutex);
  last_error = std::move(text);
  last_error_time = std::chrono::system_clock::now();
}

FunctionPool::~FunctionPool() {
  idle_.clear();
  for (auto& [name, state] : states_) state->idle.clear();
}

FunctionState& FunctionPool::find_state(std::string_view name) {
  const auto found = states_.find(name);
  if (found != states_.end()) return *found->second;
  auto state = std::make_unique<FunctionState>();
  state->name = name;
  return *states_.emplace(std::string(name), std::move(state)).first->second;
}

std::unique_ptr<Sandbox> FunctionPool::remove_idle(FunctionState& state, std::size_t index) {
  std::unique_ptr<Sandbox> sandbox = std::move(state.idle[index]);
  state.idle.erase(state.idle.begin() + static_cast<std::ptrdiff_t>(index));
  sandbox->place.splice(sandbox->place.begin(), idle_, *sandbox->position);
  sandbox->position.reset();
  idle_bytes_ -= sandbox->memory_bytes();
  return sandbox;
}

std::unique_ptr<Sandbox> FunctionPool::take_idle(FunctionState& state, const Function* version, Garbage& garbage) {
  while (!state.idle.empty()) {
    std::unique_ptr<Sandbox> sandbox = remove_idle(state, state.idle.size() - 1);
    if (sandbox->function().get() == version) return sandbox;
    garbage.push_back(std::move(sandbox));
  }
  return nullptr;
}

FunctionPool::Verdict FunctionPool::enter(const std::shared_ptr<const Function>& function,
                                          const std::shared_ptr<Waiter>& waiter, FunctionState*& state,
                                          std::unique_ptr<Sandbox>& sandbox) {
  Garbage garbage;
  const std::lock_guard lock(mutex_);
  state = &find_state(function->name);
  if (running_ < limits_.max_running && state->running < function->settings->max_concurrent) {
    ++running_;
    ++state->running;
    sandbox = take_idle(*state, function.get(), garbage);
    return Verdict::Run;
  }
  if (waiting_.size() >= limits_.max_waiting) return Verdict::Refused;
  waiting_.push_back({waiter, function, state, std::chrono::steady_clock::now()});
  return Verdict::Wait;
}

std::unique_ptr<Sandbox> FunctionPool::take(const std::shared_ptr<const Function>& function) {
  Garbage garbage;
  const std::lock_guard lock(mutex_);
  return take_idle(find_state(function->name), function.get(), garbage);
}

// REQUIRES: mutex_ is held.
std::shared_ptr<Waiter> FunctionPool::next_to_run() {
  if (waiting_.empty() || running_ >= limits_.max_running) return nullptr;
  const auto next = std::find_if(waiting_.begin(), waiting_.end(), [](const Waiting& each) {
    return each.state->running < each.function->settings->max_concurrent;
  });
  if (next == waiting_.end()) return nullptr;
  ++running_;
  ++next->state->running;
  std::shared_ptr<Waiter> waiter = std::move(next->waiter);
  waiting_.erase(next);
  return waiter;
}

void FunctionPool::drop_oldest(Garbage& garbage) {
  Sandbox* const oldest = idle_.back();
  FunctionState& state = find_state(oldest->function()->name);
  const auto found = std::find_if(state.idle.begin(), state.idle.end(),
                                  [&](const std::unique_ptr<Sandbox>& each) { return each.get() == oldest; });
  garbage.push_back(remove_idle(state, static_cast<std::size_t>(found - state.idle.begin())));
}

void FunctionPool::leave(FunctionState& state, std::unique_ptr<Sandbox> sandbox) {
  Garbage garbage;
  std::shared_ptr<Waiter> next;
  if (sandbox && !sandbox->is_reusable()) sandbox.reset();
  {
    const std::lock_guard lock(mutex_);
    --running_;
    --state.running;
    if (sandbox && limits_.max_idle > 0) {
      if (sandbox->place.empty()) sandbox->place.push_front(sandbox.get());
      idle_.splice(idle_.begin(), sandbox->place);
      sandbox->position = idle_.begin();
      sandbox->idle_since = std::chrono::steady_clock::now();
      state.idle.push_back(std::move(sandbox));
      idle_bytes_ += idle_.front()->memory_bytes();
      while (idle_.size() > limits_.max_idle || idle_bytes_ > limits_.max_idle_bytes) drop_oldest(garbage);
    }
    next = next_to_run();
  }
  if (next) next->resume(true);
}

void FunctionPool::housekeeping(SteadyTime now) {
  Garbage garbage;
  std::vector<std::shared_ptr<Waiter>> late;
  {
    const std::lock_guard lock(mutex_);
    while (!waiting_.empty() && now - waiting_.front().since > limits_.max_wait) {
      late.push_back(std::move(waiting_.front().waiter));
      waiting_.pop_front();
    }
    constexpr std::size_t most_at_once = 16;  // the monitor has other things to do
    while (!idle_.empty() && garbage.size() < most_at_once && now - idle_.back()->idle_since > limits_.max_idle_time)
      drop_oldest(garbage);
  }
  for (const auto& waiter : late) waiter->resume(false);
}

void FunctionPool::refuse_waiting() {
  std::deque<Waiting> all;
  {
    const std::lock_guard lock(mutex_);
    all.swap(waiting_);
  }
  for (const Waiting& each : all) each.waiter->resume(false);
}

FunctionState& FunctionPool::state_of(std::string_view name) {
  const std::lock_guard lock(mutex_);
  return find_state(name);
}

std::vector<FunctionState*> FunctionPool::states() {
  std::vector<FunctionState*> all;
  const std::lock_guard lock(mutex_);
  all.reserve(states_.size());
  for (const auto& [name, state] : states_) all.push_back(state.get());
  std::sort(all.begin(), all.end(), [](const auto* a, const auto* b) { return a->name < b->name; });
  return all;
}

FunctionPool::Counts FunctionPool::counts() {
  const std::lock_guard lock(mutex_);
  return {running_, waiting_.size(), idle_.size()};
}

}  // namespace tfvm::serve
