// hostcall_kvstore_*: the function's namespace of the key-value store.
#include "hostcalls/handlers/handlers.hpp"

namespace tfvm::hostcalls::handlers {

namespace {

/// The store, or null: there is none, or no key is as long as this.
KeyValueStore* store_for(Call& call, std::string_view key) {
  if (call.state.services.key_value == nullptr) {
    call.log_failure("there is no key-value store");
    return nullptr;
  }
  if (key.size() <= call.limits().key_value.max_key_bytes) return call.state.services.key_value;
  call.log_failure("the key is longer than " + std::to_string(call.limits().key_value.max_key_bytes) + " bytes");
  return nullptr;
}

/// What the store said; false, and a line in the log, if it could not.
bool answer(Call& call, const Result<bool>& result) {
  if (!result) call.log_failure(result.error().message);
  return result.ok() && *result;
}

using Write = Result<bool> (KeyValueStore::*)(std::string_view, std::string_view, std::string_view,
                                              const KeyValueLimits&);

bool write(Call& call, Write how, Pointer key, Size key_length, Pointer value, Size value_length) {
  const auto key_bytes = call.bytes(key, key_length);
  if (!key_bytes) return false;
  const auto value_bytes = call.bytes(value, value_length);
  if (!value_bytes) return false;
  KeyValueStore* const store = store_for(call, *key_bytes);
  if (store == nullptr) return false;
  if (value_bytes->size() > call.limits().key_value.max_value_bytes) {
    call.log_failure("the value is longer than " + std::to_string(call.limits().key_value.max_value_bytes) + " bytes");
    return false;
  }
  return answer(call,
                (store->*how)(call.state.services.key_value_space, *key_bytes, *value_bytes, call.limits().key_value));
}

}  // namespace

bool kvstore_get(Call& call, Pointer address, Pointer length, Pointer key, Size key_length) {
  const auto key_bytes = call.bytes(key, key_length);
  if (!key_bytes || !call.can_store(address, length)) return false;
  std::optional<std::string> value;
  if (KeyValueStore* const store = store_for(call, *key_bytes); store != nullptr) {
    Result<std::optional<std::string>> found = store->get(call.state.services.key_value_space, *key_bytes);
    if (found) value = std::move(*found);
    else call.log_failure(found.error().message);
  }
  if (value) call.give_value(address, length, *value);
  else call.give_nothing(address, length);
  return value.has_value();
}

bool kvstore_insert(Call& call, Pointer key, Size key_length, Pointer value, Size value_length) {
  return write(call, &KeyValueStore::put, key, key_length, value, value_length);
}

bool kvstore_upsert(Call& call, Pointer key, Size key_length, Pointer value, Size value_length) {
  return write(call, &KeyValueStore::put_if_absent, key, key_length, value, value_length);
}

bool kvstore_append(Call& call, Pointer key, Size key_length, Pointer value, Size value_length) {
  return write(call, &KeyValueStore::append, key, key_length, value, value_length);
}

bool kvstore_remove(Call& call, Pointer key, Size key_length) {
  const auto key_bytes = call.bytes(key, key_length);
  if (!key_bytes) return false;
  KeyValueStore* const store = store_for(call, *key_bytes);
  return store != nullptr && answer(call, store->remove(call.state.services.key_value_space, *key_bytes));
}

}  // namespace tfvm::hostcalls::handlers
