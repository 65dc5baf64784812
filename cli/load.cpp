// Loading with errors that name the file (load.hpp).
#include "cli/load.hpp"

#include <algorithm>
#include <array>
#include <chrono>

#include "cli/module_file.hpp"
#include "cli/module_text.hpp"
#include "cli/text.hpp"
#include "decoder/error.hpp"

namespace tfvm::cli {
namespace {

// Enough of a file to guess what it is if it is no module: the engine takes the bytes themselves.
constexpr std::size_t guess_size = 64;

}  // namespace

std::shared_ptr<const LoadedModule> load_module_file(const Engine& engine, const std::string& path,
                                                     const Report& report) {
  const auto start = std::chrono::steady_clock::now();
  std::vector<std::uint8_t> bytes = read_module(path);
  const std::size_t size = bytes.size();
  std::array<std::uint8_t, guess_size> head = {};
  const std::size_t head_size = std::min(size, guess_size);
  std::copy_n(bytes.begin(), head_size, head.begin());

  Result<std::shared_ptr<const LoadedModule>> loaded = engine.load(std::move(bytes));
  if (!loaded) {
    const Error& error = loaded.error();
    const bool is_no_module = error.kind == ErrorKind::Malformed && error.offset != no_offset && error.offset < 8;
    throw Failure{exit_failure, printable(path) + ": " + error.to_string(),
                  is_no_module ? hint_for_non_module(std::span(head.data(), head_size)) : std::string()};
  }
  if (report.logs(LogLevel::Info)) {
    const std::chrono::duration<double, std::milli> time = std::chrono::steady_clock::now() - start;
    const Module& module = (*loaded)->module();
    report.log(LogLevel::Info, printable(path) + ": " + counted(size, "byte") + ", " +
                                   counted(module.functions.size() - module.imported_functions, "function") +
                                   ", loaded and validated in " + std::to_string(time.count()) + " ms");
  }
  return std::move(*loaded);
}

}  // namespace tfvm::cli
