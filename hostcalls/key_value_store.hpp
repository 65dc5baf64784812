// The key-value store of the hostcalls: namespaces of byte strings, atomic per call, in memory, SQLite or Redis.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "decoder/error.hpp"

namespace tfvm::hostcalls {

/// Bounds of one namespace.
struct KeyValueLimits {
  std::uint64_t max_key_bytes = 1u << 10;
  std::uint64_t max_value_bytes = 1u << 20;
  std::uint64_t max_namespace_bytes = 64u << 20;  ///< keys and values together
};

/// Thread-safe; several processes may share one. A write that returned is on stable storage. Error: Host (the store
/// failed, nothing is known to be written) or Limit (nothing is written); the hostcalls answer 0 for both and log. A
/// write that makes nothing larger is never beyond max_namespace_bytes.
class KeyValueStore {
 public:
  virtual ~KeyValueStore() = default;
  virtual Result<std::optional<std::string>> get(std::string_view space, std::string_view key) = 0;
  /// Writes in any case; true if the key was absent. (Terrarium's "insert".)
  virtual Result<bool> put(std::string_view space, std::string_view key, std::string_view value,
                           const KeyValueLimits& limits) = 0;
  /// Writes if the key is absent; true if it wrote. (Terrarium's "upsert", whose name misleads.)
  virtual Result<bool> put_if_absent(std::string_view space, std::string_view key, std::string_view value,
                                     const KeyValueLimits& limits) = 0;
  /// Appends to the value, or writes it if absent; true if the key was absent.
  virtual Result<bool> append(std::string_view space, std::string_view key, std::string_view value,
                              const KeyValueLimits& limits) = 0;
  /// True if the key was there.
  virtual Result<bool> remove(std::string_view space, std::string_view key) = 0;
};

/// In memory, for `tfvm run --hostcalls` and tests.
std::unique_ptr<KeyValueStore> make_memory_store();
/// One SQLite file, made if absent, readable by its owner only. Error: Host.
Result<std::unique_ptr<KeyValueStore>> open_sqlite_store(const std::string& path);
/// "redis://[[user]:password@]host[:port][/database]"; user and password may be percent-encoded. Connects lazily,
/// reconnects. What survives the server's crash is the server's configuration (appendonly yes, appendfsync always).
/// Needs Redis 3.2. Error: Host (malformed URL).
Result<std::unique_ptr<KeyValueStore>> open_redis_store(std::string_view url);

}  // namespace tfvm::hostcalls
