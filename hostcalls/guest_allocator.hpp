// The guest's own allocator, which gives the room for everything that a hostcall returns: where it is, and one call of
// it. What goes into the room is not here.
#pragma once

#include <cstdint>
#include <optional>

#include "hostcalls/abi.hpp"
#include "vm/host_function.hpp"

namespace tfvm::hostcalls {

/// Finds `malloc` anew for each allocation, in this order: the function of table 0 that the guest named in init_mm; its
/// export default_malloc_impl; its export malloc. Each counts only if it is a function (i32) -> (i32).
class GuestAllocator {
 public:
  /// What init_mm said. Nothing is checked until it is used; free is the guest's own affair.
  void name_in_table(TableIndex malloc) { malloc_index_ = malloc; }

  /// A new block of `bytes` (not 0) bytes in memory 0 of the calling instance, at a multiple of `alignment`, at
  /// `address`. Else why there is none: the guest's trap, or what is wrong with the answer. Runs guest code: memory may
  /// move.
  HostOutcome allocate(Caller& caller, std::uint64_t bytes, Size alignment, Pointer& address);

 private:
  FunctionInstance* find(ModuleInstance& instance);

  std::optional<TableIndex> malloc_index_;
  ModuleInstance* instance_ = nullptr;  ///< whose export is remembered
  FunctionInstance* exported_ = nullptr;
};

}  // namespace tfvm::hostcalls
