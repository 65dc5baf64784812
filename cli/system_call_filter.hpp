// The filter of system calls that a process gives itself (seccomp): what the engine and WASI need is let through, the
// rest fails with EPERM. The programs are made at compile time; nothing is computed at start.
#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace tfvm::cli {

/// How much the process still does by itself.
enum class FilterKind : std::uint8_t {
  Guest,    ///< runs a guest: files, clocks, waiting, accepted connections, threads
  Network,  ///< and makes TCP and UDP connections
  Server,   ///< and listens, watches files, starts nothing
};

/// True if the filter of `kind` lets the system call through, whatever its arguments; for tests.
bool lets_through(FilterKind kind, long system_call);

/// Installs the filter for the calling thread and all that it starts later. Empty: it holds; else why it does not.
/// REQUIRES: no new privileges is set.
std::string install_filter(FilterKind kind);

}  // namespace tfvm::cli
