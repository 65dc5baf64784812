// Bounds of writes to key-value stores.
#include "hostcalls/key_value_write.hpp"

namespace tfvm::hostcalls {

Error value_too_large() { return Error{ErrorKind::Limit, "the value is too large for the key-value store"}; }
Error namespace_full() { return Error{ErrorKind::Limit, "the function's part of the key-value store is full"}; }

std::uint64_t bytes_without(std::uint64_t namespace_bytes, std::uint64_t removed) {
  return namespace_bytes < removed ? 0 : namespace_bytes - removed;
}

Result<Done> check_sizes(std::string_view key, std::string_view value, const KeyValueLimits& limits) {
  if (key.size() > limits.max_key_bytes) {
    return Error{ErrorKind::Limit, "the key is too long for the key-value store"};
  }
  if (value.size() > limits.max_value_bytes) return value_too_large();
  return Done{};
}

Result<std::uint64_t> namespace_bytes_after(WriteMode mode, const EntrySizes& before, std::string_view key,
                                            std::string_view value, const KeyValueLimits& limits) {
  const std::uint64_t old_bytes = before.value_bytes.value_or(0);
  const std::uint64_t new_bytes = value.size() + (mode == WriteMode::Append ? old_bytes : 0);
  if (new_bytes > limits.max_value_bytes) return value_too_large();
  const std::uint64_t key_bytes = before.value_bytes ? 0 : key.size();
  const std::uint64_t after = bytes_without(before.namespace_bytes, old_bytes) + new_bytes + key_bytes;
  // A lowered limit must not keep a function from making its data smaller.
  if (after > limits.max_namespace_bytes && after > before.namespace_bytes) return namespace_full();
  return after;
}

}  // namespace tfvm::hostcalls
