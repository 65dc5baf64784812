// Observers of calls: see observe.hpp.
#include "wasi/observe.hpp"

#include <algorithm>

#include "wasi/trace.hpp"

namespace tfvm::wasi {

namespace {

/// The descriptor and the path that starts there, of a function that takes paths.
struct PathArgument {
  const Descriptor* directory = nullptr;
  std::string path;
};

std::vector<PathArgument> path_arguments(const State& state, const GuestCall& call, const GuestMemory& memory) {
  std::vector<PathArgument> found;
  const Descriptor* directory = nullptr;
  for (std::size_t i = 0; i < call.kinds.size(); ++i) {
    const std::uint64_t value = call.arguments[i];
    if (call.kinds[i] == ParameterKind::Fd) directory = state.fds.find(static_cast<Fd>(value));
    if (call.kinds[i] != ParameterKind::PathAt) continue;
    const auto bytes = memory.bytes(value, call.arguments[i + 1]);
    const auto text = bytes ? std::string(reinterpret_cast<const char*>(bytes->data()), bytes->size()) : std::string();
    found.push_back({directory, text});
  }
  return found;
}

Refusal refusal(Refusal::Reason reason, const GuestCall& call, const PathArgument& at = {}) {
  const bool is_named = at.directory != nullptr && at.directory->preopen_name.has_value();
  return {reason, std::string(call.function), at.path, is_named ? *at.directory->preopen_name : std::string()};
}

std::optional<Refusal> read_only_refusal(const State& state, const GuestCall& call,
                                         const std::vector<PathArgument>& paths) {
  for (const PathArgument& each : paths)
    if (each.directory != nullptr && each.directory->is_read_only)
      return refusal(Refusal::Reason::ReadOnly, call, each);
  for (std::size_t i = 0; i < call.kinds.size(); ++i) {
    if (call.kinds[i] != ParameterKind::Fd) continue;
    const Descriptor* const descriptor = state.fds.find(static_cast<Fd>(call.arguments[i]));
    if (descriptor != nullptr && descriptor->is_read_only)
      return refusal(Refusal::Reason::ReadOnly, call, {descriptor, {}});
  }
  return std::nullopt;
}

/// A directory that the guest has not taken rights from refuses a path only because it leads out.
bool has_all_its_rights(const Descriptor& directory) {
  const Rights granted = directory.is_read_only ? ~rights::changing : rights::all;
  return directory.base == (rights::of_directory & granted);
}

}  // namespace

std::optional<Refusal> refusal_of(const State& state, const GuestCall& call, const GuestMemory& memory, Errno error) {
  if (error == Errno::Badf && call.function == "fd_prestat_get" && state.config.preopens.empty())
    return refusal(Refusal::Reason::NoDirectories, call);
  if ((error == Errno::Badf || error == Errno::Notsock) && call.function == "sock_accept" &&
      state.config.listeners.empty())
    return refusal(Refusal::Reason::NoSockets, call);
  if (error == Errno::Mfile && state.fds.is_full()) return refusal(Refusal::Reason::TooManyOpen, call);
  if (error != Errno::Rofs && error != Errno::Notcapable) return std::nullopt;
  const std::vector<PathArgument> paths = path_arguments(state, call, memory);
  if (error == Errno::Rofs) return read_only_refusal(state, call, paths);
  for (const PathArgument& each : paths)
    if (each.directory != nullptr && has_all_its_rights(*each.directory))
      return refusal(Refusal::Reason::Outside, call, each);
  return std::nullopt;
}

Observation::Observation(State& state, const GuestCall& call, const GuestMemory& memory)
    : state_(state), call_(call), memory_(memory) {
  if (state.config.trace) text_ = decode_arguments(call, memory);
}

void Observation::finish(const HostOutcome& outcome, Errno error) {
  const bool has_ended = outcome.kind != TrapKind::None;
  if (state_.config.trace) {
    const std::string end = outcome.kind == TrapKind::Exit ? "exit" : std::string(to_string(outcome.kind));
    state_.config.trace(text_ + (has_ended ? ": ends the program: " + end : decode_results(call_, memory_, error)));
  }
  if (has_ended || !state_.config.on_refusal || error == Errno::Success) return;
  if (const auto refused = refusal_of(state_, call_, memory_, error)) state_.config.on_refusal(*refused);
}

}  // namespace tfvm::wasi
