// From a file's bytes to what runs: validated private copies, one for each content, however many names it has.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "cli/serve/function.hpp"
#include "decoder/error.hpp"

namespace tfvm::serve {

/// One content. Immutable.
struct ModuleVersion {
  std::string sha256;  ///< of the bytes, in hex
  std::shared_ptr<const LoadedModule> module;
  FunctionKind kind = FunctionKind::Hostcall;
  std::uint64_t bytes = 0;
};

/// How a module is called, if it is a function: an export `run: () -> ()` makes it a hostcall function, else
/// `_start: () -> ()` makes it CGI. All its imports must be hostcalls, with their types, or WASI; a memory, table,
/// global or tag cannot be imported. Error: Unlinkable, naming all that is missing.
Result<FunctionKind> check_function(const Module& module);

/// All contents that are in use. Thread-safe.
class ModuleVersions {
 public:
  /// `engine` is borrowed. `max_total_bytes` bounds the files of all contents together.
  ModuleVersions(const Engine& engine, std::uint64_t max_total_bytes)
      : engine_(engine),
        max_total_bytes_(max_total_bytes),
        total_bytes_(std::make_shared<std::atomic<std::uint64_t>>()) {}

  /// Decodes, validates and checks `bytes`, or gives what the same bytes gave before. Errors: those of Engine::load and
  /// check_function; Limit beyond the total.
  Result<std::shared_ptr<const ModuleVersion>> load(std::vector<std::uint8_t> bytes);

  std::uint64_t total_bytes() const { return *total_bytes_; }

 private:
  void forget_unused();

  const Engine& engine_;
  const std::uint64_t max_total_bytes_;
  std::shared_ptr<std::atomic<std::uint64_t>> total_bytes_;  ///< shared with the versions, which may live longer
  std::mutex mutex_;
  std::map<std::string, std::weak_ptr<const ModuleVersion>> versions_;  ///< by hash
  std::size_t forget_at_ = 64;                                          ///< entries at which the unused are dropped
};

/// In hex.
std::string sha256_of(const void* bytes, std::size_t size);

/// All bytes of an open file, from its start. Errors: Limit beyond `max_bytes`, Host.
Result<std::vector<std::uint8_t>> read_file(int file, std::uint64_t max_bytes);

}  // namespace tfvm::serve
