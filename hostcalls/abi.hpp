// The types of the hostcalls as they stand in signatures and in guest memory: little endian, pointers of 32 bits.
// What the calls mean is in README.md; which there are, in functions.def.
#pragma once

#include <cstdint>

namespace tfvm::hostcalls {

using Pointer = std::uint32_t;  ///< an address in memory 0
using Size = std::uint32_t;     ///< bytes, or elements of a list
using TableIndex = std::uint32_t;

using RequestHandle = std::int32_t;
using ResponseHandle = std::int32_t;
using PendingHandle = std::int32_t;
inline constexpr RequestHandle incoming_request = 0;
inline constexpr ResponseHandle outgoing_response = 0;
inline constexpr std::int32_t no_handle = -1;  ///< a call that should give a handle failed
inline constexpr std::int32_t not_ready = -2;  ///< of pending_req_poll

/// Result of the calls that set something.
enum class Status : std::uint32_t { Ok = 0, Invalid = 1 };

/// An element of a list; a list is an array of these, aligned to 4 bytes, each with an allocation of its own.
struct GuestSlice {
  Pointer address = 0;
  Size length = 0;  ///< bytes
};
static_assert(sizeof(GuestSlice) == 8 && alignof(GuestSlice) == 4);

}  // namespace tfvm::hostcalls
