// The internal code of a module: made function by function at the first call, shared by all instances on all threads.
// Code holds no address of an instance. What differs between instances of one module is in the key of a variant.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "decoder/module.hpp"
#include "vm/handlers/machine.hpp"

namespace tfvm {

class CodeCache;

/// What code depends on besides the module.
struct CodeKey {
  bool counts_fuel = false;
  bool guards_memory = false;  ///< memory 0 has 32-bit addresses and is Guarded: accesses need no check
  constexpr unsigned index() const { return (counts_fuel ? 1u : 0u) | (guards_memory ? 2u : 0u); }
};
inline constexpr unsigned code_variants = 4;

struct CodeVariant;

/// The code of one function in one variant. `entry` is always callable: until the function is translated it points to
/// `lazy_code`, one internal instruction that translates it.
struct FunctionCode {
  std::atomic<const std::uint8_t*> entry{nullptr};
  std::uint32_t frame_bytes = 0;  ///< valid once entry (read first) has left lazy_code
  std::uint32_t function_index = 0;
  CodeVariant* variant = nullptr;
  interpreter::Handler lazy_code[1] = {};
  const std::uint8_t* code = nullptr;
  std::uint32_t code_bytes = 0;

  bool contains(const std::uint8_t* pc) const { return code != nullptr && pc >= code && pc < code + code_bytes; }
};

struct CodeVariant {
  CodeKey key;
  CodeCache* cache = nullptr;
  std::vector<FunctionCode> functions;  ///< those with a body, by function index less the imported ones
};

class CodeCache {
 public:
  explicit CodeCache(std::shared_ptr<const Module> module);
  ~CodeCache();
  CodeCache(const CodeCache&) = delete;
  CodeCache& operator=(const CodeCache&) = delete;

  const Module& module() const { return *module_; }

  /// The variant for `key`, made at its first use. Thread-safe; lives as long as the cache.
  CodeVariant& variant(CodeKey key);

  /// Translates a function unless it is done. Thread-safe. False: the host has no memory for the code.
  bool translate(FunctionCode& function) noexcept;

  /// The function whose code `pc` lies in, or null.
  const FunctionCode* find(const std::uint8_t* pc) const;

  struct Statistics {
    std::size_t functions = 0;
    std::size_t wasm_bytes = 0;
    std::size_t code_bytes = 0;
  };
  Statistics statistics() const;

 private:
  std::uint8_t* allocate(std::size_t bytes);

  std::shared_ptr<const Module> module_;
  mutable std::mutex mutex_;
  std::atomic<CodeVariant*> variants_[code_variants] = {};
  std::vector<std::unique_ptr<std::uint8_t[]>> chunks_;
  std::size_t chunk_left_ = 0;
  std::uint8_t* chunk_next_ = nullptr;
  Statistics statistics_;
};

}  // namespace tfvm
