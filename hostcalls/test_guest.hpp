// For tests: guests that do what a test says, and everything that a guest needs around it. Modules are written in the
// text format; wabt's wat2wasm turns them into bytes while the test runs.
#pragma once

#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "hostcalls/abi.hpp"
#include "hostcalls/hostcalls.hpp"
#include "vm/runtime.hpp"

namespace tfvm::hostcalls {

using Bytes = std::vector<std::uint8_t>;

/// The module that a text in the text format stands for. Fails the test if it is not one.
Bytes wat(const std::string& text);
/// The bytes of a file; fails the test if it cannot be read.
Bytes read_file(const std::string& path);

/// "(import ...)" of every hostcall, as functions $req_create and so on.
std::string all_imports();
/// An allocator in the text format: functions $malloc and $free, exported as default_malloc_impl and default_free_impl
/// and in table 0 at 1 and 2; grows memory page by page up to its maximum; $free traps if it is given anything but a
/// block in use. The exported global "mallocs" counts calls. Blocks start at 8192.
std::string checking_allocator();
/// A module of all imports, a memory of `pages` to 64 pages exported as "memory", checking_allocator(), and `more`.
Bytes program(const std::string& more, unsigned pages = 1);
/// The same with an export of each hostcall under its own name without "hostcall_", which passes its arguments on.
Bytes puppet(const std::string& allocator = checking_allocator(), const std::string& more = {});

/// A module with its store and its hostcalls.
class TestGuest {
 public:
  struct World {
    HttpRequest request = {};
    HostcallServices services = {};
    StoreLimits limits = {};
  };
  /// Instantiates for `setup.request`. What the log gets is kept in log().
  explicit TestGuest(Bytes module, World setup);
  explicit TestGuest(Bytes module) : TestGuest(std::move(module), World{}) {}

  /// Why the module could not be loaded or linked; empty if it could.
  const std::string& error() const { return error_; }
  /// How the last call, or the instantiation, ended.
  const std::optional<Trap>& trap() const { return trap_; }
  /// TrapKind::None if it did not.
  TrapKind trap_kind() const { return trap_ ? trap_->kind : TrapKind::None; }

  /// Calls an export; 0 if there is no result or it trapped.
  template <class... Args>
  std::uint64_t call(std::string_view name, Args... arguments) {
    return call_with(name, {static_cast<std::uint64_t>(arguments)...});
  }
  std::uint64_t call_with(std::string_view name, const std::vector<std::uint64_t>& arguments);
  /// The same, as a signed 32-bit number.
  template <class... Args>
  std::int32_t call_i32(std::string_view name, Args... arguments) {
    return static_cast<std::int32_t>(static_cast<std::uint32_t>(call(name, arguments...)));
  }
  /// Calls `run` for the request of the setup.
  HttpResponse run();

  struct LogLine {
    HostcallServices::LogKind kind;
    std::string text;
    bool operator==(const LogLine&) const = default;
    friend void PrintTo(const LogLine& line, std::ostream* stream) {
      *stream << static_cast<int>(line.kind) << ' ' << line.text;
    }
  };
  const std::vector<LogLine>& log() const { return log_; }
  const std::vector<std::string>& traced() const { return traced_; }

  Store& store() { return store_; }
  Hostcalls& hostcalls() { return hostcalls_; }
  GuestMemory memory() const { return GuestMemory(*memory_); }
  std::uint32_t load(std::uint32_t address) const { return memory().load<std::uint32_t>(address).value(); }
  std::string text(std::uint32_t address, std::size_t length) const {
    return std::string(reinterpret_cast<const char*>(memory().bytes(address, length)->data()), length);
  }
  void put(std::uint32_t address, std::string_view text) {
    std::memcpy(memory().bytes(address, text.size())->data(), text.data(), text.size());
  }
  void put_u32(std::uint32_t address, std::uint32_t value) {
    if (!memory().store(address, value)) std::abort();
  }
  std::uint32_t mallocs() const;

  // Calls whose results go to out and out + 4 and whose texts lie at scratch and above.
  static constexpr std::uint32_t out = 16;
  static constexpr std::uint32_t scratch = 1024;
  /// What a getter of a scalar gives: none for pointer 0.
  template <class... Args>
  std::optional<std::string> get(std::string_view name, Args... arguments) {
    call(name, out, out + 4, arguments...);
    return result();
  }
  std::optional<std::string> result() const;
  /// What a getter of a list gives; checks that elements end with NUL.
  std::vector<std::string> list() const;
  std::vector<std::string> fields(std::string_view getter, std::int32_t handle, std::string_view name);
  std::vector<std::string> names(std::string_view getter, std::int32_t handle);
  /// resp_set_header and req_set_header.
  std::uint32_t set_field(std::string_view setter, std::int32_t handle, std::string_view name,
                          const std::vector<std::string>& values);
  std::uint32_t set_body(std::string_view setter, std::int32_t handle, std::string_view body);
  std::int32_t create(std::string_view method, std::string_view url);

 private:
  HostcallServices with_log(HostcallServices services);

  std::vector<LogLine> log_;
  std::vector<std::string> traced_;
  Engine engine_;
  Store store_;
  Hostcalls hostcalls_;
  Linker linker_;
  std::shared_ptr<const LoadedModule> module_;
  ModuleInstance* instance_ = nullptr;
  MemoryInstance* memory_ = nullptr;
  std::string error_;
  std::optional<Trap> trap_;
};

}  // namespace tfvm::hostcalls
