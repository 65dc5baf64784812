// For tests: a resolver whose answers are set beforehand, and that can be made to wait.
#pragma once

#include <condition_variable>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "hostcalls/resolver.hpp"

namespace tfvm::serve {

class TestResolver : public hostcalls::Resolver {
 public:
  void set(const std::string& name, std::vector<std::string> texts) {
    const std::scoped_lock lock(mutex_);
    answers_[name] = {hostcalls::LookupStatus::Found, std::move(texts)};
  }
  void fail(const std::string& name, hostcalls::LookupStatus status) {
    const std::scoped_lock lock(mutex_);
    answers_[name] = {status, {}};
  }
  unsigned lookups() const {
    const std::scoped_lock lock(mutex_);
    return lookups_;
  }
  /// From now on lookups wait.
  void hold() {
    const std::scoped_lock lock(mutex_);
    is_held_ = true;
  }
  void release() {
    const std::scoped_lock lock(mutex_);
    is_held_ = false;
    changed_.notify_all();
  }
  void wait_until_asked(unsigned count = 1) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return lookups_ >= count; });
  }

  Texts texts(std::string_view name, const IsCancelled&) override {
    std::unique_lock lock(mutex_);
    ++lookups_;
    changed_.notify_all();
    changed_.wait(lock, [&] { return !is_held_; });
    const auto found = answers_.find(std::string(name));
    return found == answers_.end() ? Texts{hostcalls::LookupStatus::NoSuchName, {}} : found->second;
  }
  Addresses addresses(std::string_view, bool, const IsCancelled&) override { return {}; }
  Message query(std::string_view, const IsCancelled&) override { return {}; }

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::string, Texts> answers_;
  unsigned lookups_ = 0;
  bool is_held_ = false;
};

}  // namespace tfvm::serve
