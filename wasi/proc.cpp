// proc_exit, proc_raise, sched_yield.
#include <sched.h>

#include "wasi/handlers.hpp"

namespace tfvm::wasi::handlers {

namespace {

/// What the default action of a signal, by its WASI number, does to a process.
enum class DefaultAction : std::uint8_t { None, End, Stop, NoSignal };

DefaultAction default_action(std::uint32_t signal) {
  constexpr std::uint32_t child = 16, proceed = 17, stop = 18, output_stop = 21, urgent = 22, window = 27, last = 30;
  if (signal > last) return DefaultAction::NoSignal;
  if (signal == 0 || signal == child || signal == proceed || signal == urgent || signal == window)
    return DefaultAction::None;
  return signal >= stop && signal <= output_stop ? DefaultAction::Stop : DefaultAction::End;
}

}  // namespace

void proc_exit(Call& call, std::uint32_t code) { call.end(HostOutcome::exit(static_cast<std::int32_t>(code))); }

Errno proc_raise(Call& call, std::uint32_t signal) {
  switch (default_action(signal)) {
    case DefaultAction::None: return Errno::Success;
    case DefaultAction::Stop: return Errno::Notsup;
    case DefaultAction::NoSignal: return Errno::Inval;
    case DefaultAction::End: break;
  }
  call.end(HostOutcome::exit(static_cast<std::int32_t>(128 + signal)));  // as a shell reports it
  return Errno::Success;
}

Errno sched_yield(Call&) { return outcome_of(::sched_yield()); }

}  // namespace tfvm::wasi::handlers
