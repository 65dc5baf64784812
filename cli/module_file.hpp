// Brings a module's bytes into memory of our own: what was validated is then what runs, whatever becomes of the file.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tfvm::cli {

/// All bytes of the file, device or pipe `path`; "-" is standard input.
/// Throws Failure: it cannot be read, is a directory, or is larger than a module may be (limits::module_size_bytes).
std::vector<std::uint8_t> read_module_file(const std::string& path);

/// What bytes that are no module seem to be, and what to do then; empty if there is nothing to say.
std::string hint_for_non_module(std::span<const std::uint8_t> bytes);

/// "dir/prog.wasm" -> "prog.wasm"; "-" stays.
std::string_view file_name(std::string_view path);

/// "dir/prog.wasm" -> "prog"; "-" -> "stdin". Stands for the module's name where the module has none.
std::string_view file_stem(std::string_view path);

}  // namespace tfvm::cli
