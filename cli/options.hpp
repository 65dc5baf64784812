// What the command line says: one struct per command, and the only parser that fills them.
// Boost.Program_options holds the descriptions, types and help texts; the split of the arguments is ours, since options
// of `run` end at FILE and all behind it is the guest's.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace tfvm::cli {

/// Options that every command has.
struct CommonOptions {
  int verbosity = 0;
  bool quiet = false;
};

/// A directory of the host that the guest sees: --dir HOST[::GUEST][::ro].
struct DirectoryOption {
  std::string host_path;
  std::string guest_path;
  bool read_only = false;
  bool operator==(const DirectoryOption&) const = default;
};

/// tfvm run [OPTIONS] FILE [ARGUMENTS...]
struct RunOptions {
  CommonOptions common;
  std::string file;
  std::vector<std::string> arguments;
  std::vector<DirectoryOption> directories;
  std::vector<std::string> environment;  ///< "NAME=VALUE"
  std::optional<std::string> argv0;
  std::optional<std::string> invoke;
  std::optional<std::uint64_t> fuel;
  std::optional<std::chrono::nanoseconds> timeout;
  std::optional<std::uint64_t> max_memory_bytes;
  std::optional<std::uint64_t> max_stack_bytes;
  std::optional<std::uint64_t> max_table_elements;
  bool trap_on_grow_failure = false;
};

/// tfvm validate FILE...
struct ValidateOptions {
  CommonOptions common;
  std::vector<std::string> files;
};

/// tfvm inspect FILE [--json] [--disassemble [FUNCTION]]
struct InspectOptions {
  CommonOptions common;
  std::string file;
  bool json = false;
  bool disassemble = false;
  std::string function;  ///< index or name; empty: all
};

/// Text for standard output instead of a command: --help, help COMMAND, --version.
struct ShowText {
  std::string text;
};

using Command = std::variant<RunOptions, ValidateOptions, InspectOptions, ShowText>;

/// `arguments` without the program's name. Throws Failure (usage) for what cannot be understood.
/// `run` with no option of ours is recognised without touching Boost.
Command parse_command_line(std::span<const std::string_view> arguments);

/// "HOST", "HOST::GUEST", "HOST::ro", "HOST::GUEST::ro"; without GUEST the guest sees it as HOST. None if a part is
/// empty or there are too many.
std::optional<DirectoryOption> parse_directory(std::string_view text);

}  // namespace tfvm::cli
