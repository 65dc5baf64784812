// For tests: a guest that does nothing but call the WASI function that the test names, on one page of memory that the
// test reads and writes. Its module has, for each function, an import and an export that passes its arguments on.
#pragma once

#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "vm/runtime.hpp"
#include "wasi/abi.hpp"
#include "wasi/wasi.hpp"

namespace tfvm::wasi {

/// GoogleTest prints what it compares with this.
inline void PrintTo(Errno error, std::ostream* stream) {
  static constexpr const char* names[] = {
#define WASI_ERRNO(name, host) #name,
#include "wasi/errno.def"
#undef WASI_ERRNO
  };
  *stream << names[static_cast<std::size_t>(error)];
}

class TestGuest {
 public:
  static constexpr std::uint32_t memory_bytes = 1 << 16;

  explicit TestGuest(WasiConfig config, StoreLimits limits = {}, std::string module_name = "wasi_snapshot_preview1");

  /// Calls a WASI function. The trap, if the guest ended, is in trap().
  template <class... Args>
  Errno call(std::string_view name, Args... arguments) {
    return call_with(name, {static_cast<std::uint64_t>(arguments)...});
  }
  Errno call_with(std::string_view name, const std::vector<std::uint64_t>& arguments);
  const std::optional<Trap>& trap() const { return trap_; }
  std::size_t parameter_count(std::string_view name) const {
    return instance_->find_function(name)->type->function().params.size();
  }

  Store& store() { return store_; }
  GuestMemory memory() const { return GuestMemory(*memory_); }
  template <class T>
  T load(std::uint32_t address) const {
    return *memory().load<T>(address);
  }
  template <class T>
  void put(std::uint32_t address, const T& value) {
    if (!memory().store(address, value)) std::abort();
  }
  void put_text(std::uint32_t address, std::string_view text) {
    std::memcpy(memory().bytes(address, text.size())->data(), text.data(), text.size());
  }
  std::string text(std::uint32_t address, std::size_t length) const {
    return std::string(reinterpret_cast<const char*>(memory().bytes(address, length)->data()), length);
  }
  void fill(std::uint8_t byte) { std::memset(memory().bytes(0, memory_bytes)->data(), byte, memory_bytes); }

  // The commonest calls; paths and results pass through scratch memory at 60000 and above.
  static constexpr std::uint32_t scratch = 60'000;
  Errno open(Fd directory, std::string_view path, OpenFlags flags, Rights base, Rights inheriting, Fd* opened,
             FdFlags fdflags = 0, LookupFlags lookup = lookup_symlink_follow);
  /// Opens with all rights that the directory gives, or -1.
  Fd open(Fd directory, std::string_view path, OpenFlags flags = 0);
  Errno write(Fd fd, std::string_view text, Size* written = nullptr);
  /// The bytes read, at most 1000.
  std::string read(Fd fd);
  /// A call whose arguments are a directory and a path.
  Errno call_path(std::string_view name, Fd directory, std::string_view path);

 private:
  Engine engine_;
  Store store_;
  std::unique_ptr<Wasi> wasi_;
  Linker linker_;
  std::shared_ptr<const LoadedModule> module_;
  std::optional<Instance> instance_;
  MemoryInstance* memory_ = nullptr;
  std::optional<Trap> trap_;
};

}  // namespace tfvm::wasi
