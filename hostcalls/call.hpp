// What a handler works with: State, one guest's request and what became of it, and Call, one hostcall, with the guest's
// memory, its allocator, fuel, and waiting that a deadline can end.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <poll.h>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "hostcalls/abi.hpp"
#include "hostcalls/guest_allocator.hpp"
#include "hostcalls/hostcalls.hpp"
#include "vm/host_function.hpp"

namespace tfvm::hostcalls {

/// A message that handlers change only through writable(): a getter that is inside of the guest's allocator keeps the
/// one that it reads, whatever the guest sets meanwhile.
template <class T>
using Shared = std::shared_ptr<T>;

/// The message as this request's own.
template <class T>
T& writable(Shared<T>& message) {
  if (message.use_count() > 1) message = std::make_shared<T>(*message);
  return *message;
}

struct State {
  HostcallServices services;
  GuestAllocator allocator;
  std::vector<Shared<HttpRequest>> requests;              ///< by handle; null: sent
  std::vector<Shared<HttpResponse>> responses;            ///< by handle
  std::vector<std::unique_ptr<PendingResponse>> pending;  ///< by handle, the first is none; null: answered
  std::uint64_t sent_bytes = 0;
  std::uint64_t received_bytes = 0;
  std::uint32_t dns_queries = 0;
  std::uint32_t log_lines = 0;
  std::optional<std::string> panic_message;

  void begin(HttpRequest request);
  /// Hands a line to the log: one line, escaped, cut; nothing beyond the limit of lines. What was handed on.
  std::string log(HostcallServices::LogKind kind, std::string_view text);
};

class Call {
 public:
  Call(State& call_state, Caller& caller, std::string_view name) : state(call_state), caller_(caller), name_(name) {}

  State& state;

  const HostcallLimits& limits() const { return state.services.limits; }
  Caller& caller() const { return caller_; }
  /// Memory 0 as it is now; empty if there is none.
  GuestMemory memory() const;

  /// Ends the guest with this call.
  void end(HostOutcome outcome) { outcome_ = std::move(outcome); }
  /// The same, with the name of the call in front of `reason`.
  void fail(std::string_view reason);
  HostOutcome take_outcome() { return std::move(outcome_); }
  bool has_ended() const { return outcome_.kind != TrapKind::None; }

  /// Says in the log why the guest gets an error.
  void log_failure(std::string_view reason);

  /// Pays for work of the host. False: the guest has ended.
  bool charge(std::uint64_t units);
  bool charge_bytes(std::uint64_t bytes);
  /// True if a deadline or the host wants the guest to end: it has, then.
  bool is_interrupted();

  /// The bytes that the guest passes, paid for; valid until the guest runs. No byte at any address is an empty view.
  /// None: they are outside of memory, and the guest has ended.
  std::optional<std::string_view> bytes(Pointer address, Size length);
  /// True if a u32 can be stored at each; else the guest has ended.
  bool can_store(Pointer first, Pointer second);

  // Answers of getters: where the two results go, and what they are. The guest's allocator runs in between; views must
  // not look into guest memory. REQUIRES: can_store. The guest may have ended.

  /// Pointer 0, length 0.
  void give_nothing(Pointer address, Pointer length);
  /// Nothing if there is no byte.
  void give_scalar(Pointer address, Pointer length, std::string_view value);
  /// An allocation even if there is no byte.
  void give_value(Pointer address, Pointer length, std::string_view value);
  /// A list; nothing if it is empty.
  void give_list(Pointer address, Pointer count, std::span<const std::string_view> elements);

  /// Waits until one of `files` can be read or has failed. False: the guest has ended.
  bool wait(std::span<struct ::pollfd> files);

 private:
  /// False: the guest has ended. The guest's allocator runs.
  bool allocate(std::uint64_t size, Size alignment, Pointer& address);
  /// A copy of `value` with NUL behind it in an allocation of its own; 0: the guest has ended.
  Pointer allocate_copy(std::string_view value);
  void store_results(Pointer address, Pointer length, std::uint32_t first, std::uint32_t second);

  Caller& caller_;
  std::string_view name_;
  HostOutcome outcome_;
};

}  // namespace tfvm::hostcalls
