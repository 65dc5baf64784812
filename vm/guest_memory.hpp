// The one checked view of guest memory: every (address, length) that a guest hands to the host passes here.
// Views are re-derived after anything that may grow the memory (a callback into the guest).
#pragma once

#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <type_traits>

#include "vm/instance.hpp"

namespace tfvm {

/// A view of one memory instance as it is now. Cheap to make; do not keep across guest code.
class GuestMemory {
 public:
  GuestMemory() = default;
  explicit GuestMemory(const MemoryInstance& memory) : base_(memory.base), size_(memory.size) {}

  std::uint64_t size() const { return size_; }

  /// The bytes [address, address + length), or none if any of them is outside. Length 0 is inside up to size().
  std::optional<std::span<std::uint8_t>> bytes(std::uint64_t address, std::uint64_t length) const {
    if (length > size_ || address > size_ - length) return std::nullopt;
    return std::span<std::uint8_t>(base_ + address, length);
  }
  /// A little-endian T at any alignment, or none.
  template <class T>
  std::optional<T> load(std::uint64_t address) const {
    static_assert(std::is_trivially_copyable_v<T>);
    const auto view = bytes(address, sizeof(T));
    if (!view) return std::nullopt;
    T value;
    std::memcpy(&value, view->data(), sizeof(T));
    return value;
  }
  /// False if it does not fit.
  template <class T>
  [[nodiscard]] bool store(std::uint64_t address, const T& value) const {
    static_assert(std::is_trivially_copyable_v<T>);
    const auto view = bytes(address, sizeof(T));
    if (!view) return false;
    std::memcpy(view->data(), &value, sizeof(T));
    return true;
  }

 private:
  std::uint8_t* base_ = nullptr;
  std::uint64_t size_ = 0;
};

}  // namespace tfvm
