// Reports of refusals: which call of a guest failed for lack of a capability that the host could have given it. What
// the host's user may do about it is the host's to say (the command line names its flags).
#pragma once

#include <cstdint>
#include <string>

namespace tfvm::wasi {

struct Refusal {
  enum class Reason : std::uint8_t {
    NoDirectories,  ///< the guest asked for its directories and has none
    Outside,        ///< the path leads out of the directory that it starts from
    ReadOnly,       ///< the directory was given for reading only
    NoSockets,      ///< the guest wanted to accept connections and has no listening socket
    TooManyOpen,    ///< WasiConfig::max_open_fds
  };
  Reason reason;
  std::string function;
  std::string path;       ///< of the call; empty: it has none
  std::string directory;  ///< the guest's name of the directory; empty: unknown
};

}  // namespace tfvm::wasi
