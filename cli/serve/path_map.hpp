// A map by path whose copies share what did not change: thousands of entries, one of them replaced now and then,
// readers that keep older copies.
#pragma once

#include <algorithm>
#include <array>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tfvm::serve {

/// A copy costs a pointer per shard, a change copies one shard of its entries. Copies may be read by other threads
/// while this one changes.
template <class T>
class PathMap {
 public:
  /// Null if there is none. Lives until this map changes.
  const T* find(std::string_view path) const {
    const std::shared_ptr<const Shard>& shard = shards_[index_of(path)];
    if (!shard) return nullptr;
    const auto found = place_of(*shard, path);
    return found != shard->end() && found->first == path ? &found->second : nullptr;
  }
  bool contains(std::string_view path) const { return find(path) != nullptr; }

  void set(std::string_view path, T value) {
    std::shared_ptr<const Shard>& shard = shards_[index_of(path)];
    auto changed = shard ? std::make_shared<Shard>(*shard) : std::make_shared<Shard>();
    const auto place = changed->begin() + (place_of(*changed, path) - changed->cbegin());
    if (place != changed->end() && place->first == path) place->second = std::move(value);
    else changed->emplace(place, std::string(path), std::move(value));
    shard = std::move(changed);
  }
  void erase(std::string_view path) {
    if (!contains(path)) return;
    std::shared_ptr<const Shard>& shard = shards_[index_of(path)];
    auto changed = std::make_shared<Shard>(*shard);
    changed->erase(changed->begin() + (place_of(*changed, path) - changed->cbegin()));
    shard = std::move(changed);
  }

 private:
  static constexpr std::size_t shard_count = 256;
  using Shard = std::vector<std::pair<std::string, T>>;  ///< in order of paths

  static std::size_t index_of(std::string_view path) { return std::hash<std::string_view>()(path) % shard_count; }
  static typename Shard::const_iterator place_of(const Shard& shard, std::string_view path) {
    return std::lower_bound(shard.begin(), shard.end(), path,
                            [](const auto& item, std::string_view wanted) { return item.first < wanted; });
  }

  std::array<std::shared_ptr<const Shard>, shard_count> shards_;
};

}  // namespace tfvm::serve
