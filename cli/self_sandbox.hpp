// What the process takes away from itself once all that its guests may use is open: a second wall behind the checks of
// wasi/ and hostcalls/, should one of them, or the engine, have a hole. Landlock (files, TCP, signals), no new
// privileges, and a filter of system calls (system_call_filter.hpp), each where the kernel has it.
#pragma once

#include <span>
#include <string>
#include <vector>

namespace tfvm::cli {

/// What the process still needs. Nothing by default but descriptors that are open.
struct SandboxPlan {
  struct Directory {
    int file = -1;  ///< open on the directory (O_PATH is enough); borrowed for the call
    bool is_read_only = false;
  };
  std::vector<Directory> directories;   ///< with all that is below them
  std::vector<std::string> read_paths;  ///< files and directories that tfvm itself reads later; may be missing
  bool makes_connections = false;       ///< outbound TCP and UDP
  bool is_server = false;               ///< accepts on many sockets, watches files; implies makes_connections
};

/// What holds from now on. Empty strings: does not; then `missing` says why.
struct SandboxReport {
  std::string landlock;
  std::string filter;
  std::string missing;
  /// One line for people: "Landlock ABI 7 (files, TCP, signals), no new privileges, system call filter".
  std::string text() const;
};

/// Restricts the calling thread and all that it starts later, for ever. Call it before threads are started, and before
/// guests run. Never fails: what the kernel lacks is reported. Does nothing in sanitizer builds, whose runtimes open
/// files on their own.
SandboxReport restrict_process(const SandboxPlan& plan);

}  // namespace tfvm::cli
