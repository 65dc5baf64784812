// The texts of traps (trap.def) and how a Trap is printed in one line. Backtraces are made in backtrace.cpp.
#include "vm/trap.hpp"

namespace tfvm {

std::string_view to_string(TrapKind kind) {
  switch (kind) {
    case TrapKind::None: return "";
#define TRAP(name, text) \
  case TrapKind::name: return text;
#include "vm/trap.def"
#undef TRAP
  }
  return "";
}

std::string Trap::to_string() const {
  std::string text(tfvm::to_string(kind));
  if (kind == TrapKind::Exit) text += " with code " + std::to_string(exit_code);
  if (!message.empty()) text += ": " + message;
  return text;
}

}  // namespace tfvm
