// One line of text for a call of a WASI function: name, decoded arguments, errno, decoded results. What each parameter
// is comes from the tables of functions (parameters.hpp), so that a function has nothing of its own here.
//   path_open(3, follow, "data/x", creat|trunc, fd_read|fd_write, 0, append) = success, fd 5
#pragma once

#include <string>

#include "vm/guest_memory.hpp"
#include "wasi/abi.hpp"
#include "wasi/parameters.hpp"

namespace tfvm::wasi {

/// "path_open(3, ..., append)": before the call, while memory is as the guest prepared it. Texts and lists are cut.
std::string decode_arguments(const GuestCall& call, const GuestMemory& memory);

/// " = success, fd 5" or " = noent": after the call.
std::string decode_results(const GuestCall& call, const GuestMemory& memory, Errno error);

/// The specification's name, such as "noent".
std::string errno_name(Errno error);

}  // namespace tfvm::wasi
