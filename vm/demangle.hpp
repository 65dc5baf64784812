// Function names as people write them: C++ and Rust symbols demangled by the compilers' library.
#pragma once

#include <string>
#include <string_view>

namespace tfvm {

/// "std::vector<int>::push_back(int&&)" for "_ZNSt6vectorIi..."; Rust's symbols (old and v0) likewise. A name that is
/// no such symbol, or whose readable form would be unreasonably long, comes back as it is. Bounded time, for any input.
std::string demangle(std::string_view name);

}  // namespace tfvm
