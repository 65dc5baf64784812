// ExecutionContext: what bounds and holds one running guest: its stack, fuel, deadline and what a trap leaves behind.
// One per store. Plain data that handlers reach through InstanceBlock::context.
#pragma once

#include <atomic>
#include <csetjmp>
#include <cstdint>
#include <string>
#include <vector>

#include "vm/trap.hpp"
#include "vm/value.hpp"

namespace tfvm {

class Store;

struct ModuleInstance;
struct FunctionInstance;

/// A frame of a trap as the executor knows it; names come later, if anybody asks. A host function has no instance.
struct RawFrame {
  const ModuleInstance* instance = nullptr;
  const FunctionInstance* host_function = nullptr;
  std::uint32_t function_index = 0;
  std::uint32_t offset = 0;  ///< of the instruction in the module's bytes
};

/// Backtraces keep this many frames at each end.
inline constexpr std::size_t backtrace_end_frames = 32;

struct ExecutionContext {
  /// Frames grow up from stack_begin; records of calls grow down from stack_end. They must not meet.
  std::uint8_t* stack_begin = nullptr;
  std::uint8_t* stack_end = nullptr;

  /// Where a nested invocation (host function calling back) may start: first free byte above the frames in use, and
  /// the lowest call record in use. Set whenever control leaves the handlers.
  std::uint8_t* frame_top = nullptr;
  std::uint8_t* record_top = nullptr;

  /// Fuel left. Meaningful if `fuel_enabled`; below zero: overdrawn.
  std::int64_t fuel = 0;
  bool fuel_enabled = false;

  /// True while a handler of the interpreter runs, false in all code that handlers call. Read by signal handlers.
  volatile bool in_handlers = false;
  /// A reason to stop that came while in_handlers was false (TrapKind). Tested after every call out of the handlers.
  std::atomic<std::uint8_t> pending_interrupt{0};

  std::jmp_buf* trap_exit = nullptr;  ///< of the innermost invocation
  std::uint32_t nesting = 0;          ///< invocations inside of each other

  /// What the last trap was, and the frames that it ended: filled by the executor before it returns the trap.
  TrapKind trap_kind = TrapKind::None;
  const std::uint8_t* trap_pc = nullptr;
  std::uint8_t* trap_records = nullptr;
  std::vector<RawFrame> backtrace;
  std::uint64_t omitted_frames = 0;
  std::string host_message;  ///< of a host function that trapped
  std::int32_t exit_code = 0;

  Store* store = nullptr;
};

}  // namespace tfvm
