// args_get, args_sizes_get, environ_get, environ_sizes_get: lists of NUL-terminated strings in the guest's memory.
#include <algorithm>
#include <string>
#include <vector>

#include "wasi/handlers.hpp"

namespace tfvm::wasi::handlers {

namespace {

using Strings = std::vector<std::string>;

std::uint64_t buffer_bytes(const Strings& strings) {
  std::uint64_t bytes = 0;
  for (const std::string& string : strings) bytes += string.size() + 1;
  return bytes;
}

Errno store_sizes(Call& call, const Strings& strings, Pointer count, Pointer bytes) {
  const std::uint64_t total = buffer_bytes(strings);
  if (total > UINT32_MAX || strings.size() > UINT32_MAX / sizeof(Pointer)) return Errno::Overflow;
  if (const Errno error = call.store(count, static_cast<Size>(strings.size())); error != Errno::Success) return error;
  return call.store(bytes, static_cast<Size>(total));
}

//  pointers: | p0 | p1 | ...     buffer: | "a0\0" | "a1\0" | ...
Errno store_strings(Call& call, const Strings& strings, Pointer pointers, Pointer buffer) {
  const std::uint64_t total = buffer_bytes(strings);
  if (!call.memory.bytes(pointers, strings.size() * sizeof(Pointer))) return Errno::Fault;
  const auto bytes = call.memory.bytes(buffer, total);
  if (!bytes) return Errno::Fault;
  if (!call.charge_bytes(total + strings.size() * sizeof(Pointer))) return Errno::Canceled;
  std::size_t used = 0;
  for (std::size_t i = 0; i < strings.size(); ++i) {
    const std::string& string = strings[i];
    std::copy_n(string.c_str(), string.size() + 1, bytes->data() + used);
    const auto entry = static_cast<Pointer>(pointers + i * sizeof(Pointer));
    if (const Errno error = call.store(entry, static_cast<Pointer>(buffer + used)); error != Errno::Success)
      return error;
    used += string.size() + 1;
  }
  return Errno::Success;
}

}  // namespace

Errno args_get(Call& call, Pointer pointers, Pointer buffer) {
  return store_strings(call, call.state.config.arguments, pointers, buffer);
}

Errno args_sizes_get(Call& call, Pointer count, Pointer bytes) {
  return store_sizes(call, call.state.config.arguments, count, bytes);
}

Errno environ_get(Call& call, Pointer pointers, Pointer buffer) {
  return store_strings(call, call.state.config.environment, pointers, buffer);
}

Errno environ_sizes_get(Call& call, Pointer count, Pointer bytes) {
  return store_sizes(call, call.state.config.environment, count, bytes);
}

}  // namespace tfvm::wasi::handlers
