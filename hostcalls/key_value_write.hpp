// What the key-value stores share: the three kinds of writes as one, and their bounds.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "hostcalls/key_value_store.hpp"

namespace tfvm::hostcalls {

enum class WriteMode : std::uint8_t { Put, PutIfAbsent, Append };

/// What there is before a write.
struct EntrySizes {
  std::optional<std::uint64_t> value_bytes;  ///< of the entry; none: absent
  std::uint64_t namespace_bytes = 0;         ///< keys and values
};

/// The bounds that need no look into the store. Error: Limit.
Result<Done> check_sizes(std::string_view key, std::string_view value, const KeyValueLimits& limits);
/// The namespace's size after a write that is made. Error: Limit.
Result<std::uint64_t> namespace_bytes_after(WriteMode mode, const EntrySizes& before, std::string_view key,
                                            std::string_view value, const KeyValueLimits& limits);
/// The account of a namespace after something is removed: never below 0, whatever a damaged file says.
std::uint64_t bytes_without(std::uint64_t namespace_bytes, std::uint64_t removed);
Error value_too_large();
Error namespace_full();

/// A store with one function for all writes.
class WriteByModeStore : public KeyValueStore {
 public:
  Result<bool> put(std::string_view space, std::string_view key, std::string_view value,
                   const KeyValueLimits& limits) final {
    return write(WriteMode::Put, space, key, value, limits);
  }
  Result<bool> put_if_absent(std::string_view space, std::string_view key, std::string_view value,
                             const KeyValueLimits& limits) final {
    return write(WriteMode::PutIfAbsent, space, key, value, limits);
  }
  Result<bool> append(std::string_view space, std::string_view key, std::string_view value,
                      const KeyValueLimits& limits) final {
    return write(WriteMode::Append, space, key, value, limits);
  }

 private:
  /// True if the key was absent.
  virtual Result<bool> write(WriteMode mode, std::string_view space, std::string_view key, std::string_view value,
                             const KeyValueLimits& limits) = 0;
};

}  // namespace tfvm::hostcalls
