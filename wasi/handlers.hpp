// The functions of the tables functions.def and unstable_functions.def as C++ functions. Each returns the errno of its
// call; one that ends the guest says so to its Call. What each does is the specification's; who implements it:
// args_environ.cpp, clock.cpp, fd.cpp, fd_io.cpp, path.cpp, poll.cpp, proc.cpp, sock.cpp.
#pragma once

#include "wasi/abi.hpp"
#include "wasi/call.hpp"

namespace tfvm::wasi {

namespace handlers {
#define WASI_FUNCTION(name, result, ...) result name(Call& call __VA_OPT__(, ) __VA_ARGS__);
#include "wasi/functions.def"
#undef WASI_FUNCTION
}  // namespace handlers

namespace unstable_handlers {
#define WASI_FUNCTION(name, result, ...) result name(Call& call __VA_OPT__(, ) __VA_ARGS__);
#include "wasi/unstable_functions.def"
#undef WASI_FUNCTION
}  // namespace unstable_handlers

/// The attributes of a file in the layout of wasi_unstable.
inline unstable::FileStat to_unstable(const FileStat& stat) {
  unstable::FileStat result;
  result.device = stat.device;
  result.inode = stat.inode;
  result.file_type = stat.file_type;
  result.links = static_cast<std::uint32_t>(stat.links);
  result.size = stat.size;
  result.access_time = stat.access_time;
  result.modification_time = stat.modification_time;
  result.change_time = stat.change_time;
  return result;
}

}  // namespace tfvm::wasi
