// The 32 hostcalls of Terrafirma and Terrarium for one guest at a time: what the guest is given (HostcallServices), its
// request and its response (Hostcalls). All else of the folder is behind it.
//
//   hostcalls::Hostcalls calls(services);
//   calls.add_imports_of(linker, module->module());   // once for a store
//   calls.begin(std::move(request));                  // for each request
//   ... the guest's `run` ...
//   HttpResponse response = calls.take_response();
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "hostcalls/http.hpp"
#include "hostcalls/http_client.hpp"
#include "hostcalls/key_value_store.hpp"
#include "hostcalls/outbound_policy.hpp"
#include "hostcalls/resolver.hpp"
#include "vm/runtime.hpp"

namespace tfvm::hostcalls {

struct State;

/// Bounds of one request.
struct HostcallLimits {
  std::uint64_t max_response_bytes = 16u << 20;  ///< body and fields
  std::uint32_t max_headers = 256;               ///< field lines of one message that the guest makes
  std::uint64_t max_header_bytes = 64u << 10;    ///< of these
  std::uint32_t max_outbound_requests = 32;      ///< created ones
  std::uint64_t max_outbound_bytes = 16u << 20;  ///< bodies that are sent, together
  std::uint64_t max_received_bytes = 64u << 20;  ///< of all responses that are received, together
  std::uint32_t max_dns_queries = 32;
  std::uint32_t max_log_lines = 1'000;
  std::uint32_t max_log_line_bytes = 4u << 10;
  OutboundLimits outbound;
  KeyValueLimits key_value;
};

/// What one function is given. Pointers are borrowed and may be null: the calls of that group then answer failure.
struct HostcallServices {
  HttpClient* http = nullptr;
  OutboundPolicy outbound_policy;
  Resolver* resolver = nullptr;
  KeyValueStore* key_value = nullptr;
  std::string key_value_space;  ///< the namespace of this function
  HostcallLimits limits;
  /// Lines of hostcall_debug, the message of a panic, and why a call gave the guest an error (a refused connection, a
  /// limit): one line, control characters as \xx, already bounded.
  enum class LogKind : std::uint8_t { Debug, Panic, Failure };
  std::function<void(LogKind, std::string_view)> log;
  /// Each hostcall as a line "hostcall_req_create(1024, 3, 1027, 19)", what the guest's allocator gives inside of it as
  /// "  malloc(11) = 0x11fff4", its result as "  => 1". Empty: nothing is traced.
  std::function<void(std::string_view)> trace;
  /// Fills a buffer; empty: the host's random source.
  std::function<void(std::span<std::uint8_t>)> random;
  /// Time since 1970; empty: the host's clock.
  std::function<std::chrono::nanoseconds()> clock;
};

/// The hostcalls of one store: one guest, one request at a time. Not thread-safe. Must outlive the store's calls.
class Hostcalls {
 public:
  explicit Hostcalls(HostcallServices services);
  ~Hostcalls();
  Hostcalls(const Hostcalls&) = delete;
  Hostcalls& operator=(const Hostcalls&) = delete;

  /// Defines those hostcalls that `module` imports from "env".
  void add_imports_of(Linker& linker, const Module& module);
  /// True if there is a hostcall of this name.
  static bool provides(std::string_view module, std::string_view name);
  /// Why a module cannot be linked although each name is known: a hostcall imported with another type (the
  /// AssemblyScript variant of Terrarium among them), by name; empty if nothing is wrong.
  static std::string explain_mismatch(const Module& module);

  /// Starts over with `request`: no handle, allocator or panic of an earlier one is left, requests under way are
  /// cancelled. Before instantiation, since a start function may call.
  void begin(HttpRequest request);
  /// What the guest answered; 200 without body if it said nothing. Leaves nothing behind but panic_message().
  HttpResponse take_response();
  /// What the guest's panic hook said, if it was called since begin(): bounded, one line.
  const std::optional<std::string>& panic_message() const;

 private:
  std::unique_ptr<State> state_;
};

}  // namespace tfvm::hostcalls
