// What a config's observers are told about a call: its trace, and why it was refused. Guests without observers do not
// come here.
#pragma once

#include <optional>

#include "wasi/call.hpp"
#include "wasi/parameters.hpp"
#include "wasi/refusal.hpp"

namespace tfvm::wasi {

/// The refusal behind `error`, if giving the guest more would have changed it.
std::optional<Refusal> refusal_of(const State& state, const GuestCall& call, const GuestMemory& memory, Errno error);

/// A call that is being observed: made before it is entered, finished behind it.
class Observation {
 public:
  Observation(State& state, const GuestCall& call, const GuestMemory& memory);
  /// `error` is not looked at if `outcome` ends the guest.
  void finish(const HostOutcome& outcome, Errno error);

 private:
  State& state_;
  const GuestCall& call_;
  const GuestMemory& memory_;
  std::string text_;
};

}  // namespace tfvm::wasi
