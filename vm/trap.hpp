// Why a guest ended before its function returned: TrapKind (trap.def), Trap with its backtrace.
// A trap ends the guest's invocation, never the host (WebAssembly 3.0, section 4.2.1, "trap").
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tfvm {

enum class TrapKind : std::uint8_t {
  None,  ///< no trap
#define TRAP(name, text) name,
#include "vm/trap.def"
#undef TRAP
};

/// The suite's text of a trap; "" for None.
std::string_view to_string(TrapKind kind);

/// One frame of a backtrace.
struct BacktraceFrame {
  std::string module_name;    ///< from the name section; empty: unknown
  std::string function_name;  ///< from the name section, or an export, as it stands there (mangled); may be empty
  std::uint32_t function_index = 0;  ///< in the module's function index space
  std::uint64_t offset = 0;          ///< of the instruction in the module's bytes
  bool is_host = false;
};

/// A trap as the host sees it. TrapKind::Exit is no failure: the guest asked to end with `exit_code`.
struct Trap {
  TrapKind kind = TrapKind::None;
  std::string message;  ///< more than the kind says, e.g. what a host function reported; may be empty
  std::int32_t exit_code = 0;
  std::vector<BacktraceFrame> backtrace;  ///< innermost first; long ones keep both ends
  std::uint64_t omitted_frames = 0;       ///< left out of the middle of `backtrace`

  /// "integer divide by zero", or kind and message
  std::string to_string() const;
};

}  // namespace tfvm
