// The key-value store in memory: gone with the process.
#include <functional>
#include <map>
#include <mutex>

#include "hostcalls/key_value_write.hpp"

namespace tfvm::hostcalls {
namespace {

class MemoryStore final : public WriteByModeStore {
 public:
  Result<std::optional<std::string>> get(std::string_view space, std::string_view key) override {
    const std::lock_guard lock(mutex_);
    const auto found_space = spaces_.find(space);
    if (found_space == spaces_.end()) return std::optional<std::string>();
    const auto found = found_space->second.entries.find(key);
    if (found == found_space->second.entries.end()) return std::optional<std::string>();
    return std::optional<std::string>(found->second);
  }

  Result<bool> remove(std::string_view space, std::string_view key) override {
    const std::lock_guard lock(mutex_);
    const auto found_space = spaces_.find(space);
    if (found_space == spaces_.end()) return false;
    Space& inside = found_space->second;
    const auto found = inside.entries.find(key);
    if (found == inside.entries.end()) return false;
    inside.bytes -= found->first.size() + found->second.size();
    inside.entries.erase(found);
    if (inside.entries.empty()) spaces_.erase(found_space);
    return true;
  }

 private:
  struct Space {
    std::map<std::string, std::string, std::less<>> entries;
    std::uint64_t bytes = 0;
  };

  Result<bool> write(WriteMode mode, std::string_view space, std::string_view key, std::string_view value,
                     const KeyValueLimits& limits) override {
    if (const Result<Done> fits = check_sizes(key, value, limits); !fits) return fits.error();
    const std::lock_guard lock(mutex_);
    const auto found_space = spaces_.find(space);
    EntrySizes before;
    std::string* old_value = nullptr;
    if (found_space != spaces_.end()) {
      before.namespace_bytes = found_space->second.bytes;
      if (const auto found = found_space->second.entries.find(key); found != found_space->second.entries.end()) {
        old_value = &found->second;
        before.value_bytes = old_value->size();
      }
    }
    if (old_value != nullptr && mode == WriteMode::PutIfAbsent) return false;
    const Result<std::uint64_t> after = namespace_bytes_after(mode, before, key, value, limits);
    if (!after) return after.error();
    if (old_value == nullptr) {
      Space& inside = spaces_[std::string(space)];
      inside.entries.emplace(key, value);
      inside.bytes = *after;
      return true;
    }
    if (mode == WriteMode::Put) old_value->clear();
    old_value->append(value);
    found_space->second.bytes = *after;
    return false;
  }

  std::mutex mutex_;
  std::map<std::string, Space, std::less<>> spaces_;
};

}  // namespace

std::unique_ptr<KeyValueStore> make_memory_store() { return std::make_unique<MemoryStore>(); }

}  // namespace tfvm::hostcalls
