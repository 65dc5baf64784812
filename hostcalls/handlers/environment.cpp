// hostcall_init_mm, hostcall_panic_hook, hostcall_debug, hostcall_rng_next_u64, hostcall_time_now: the guest's
// allocator and log, chance and time.
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <sys/random.h>

#include "hostcalls/handlers/handlers.hpp"

namespace tfvm::hostcalls::handlers {

namespace {

/// Fills all of `buffer` from the host, or ends the call.
void host_random(Call& call, std::span<std::uint8_t> buffer) {
  while (!buffer.empty()) {
    const ssize_t count = ::getrandom(buffer.data(), buffer.size(), 0);
    if (count < 0 && errno != EINTR) return call.fail(std::string("no random numbers: ") + std::strerror(errno));
    if (count > 0) buffer = buffer.subspan(static_cast<std::size_t>(count));
  }
}

/// A message whose length may be -1: then NUL or the end of memory ends it.
std::optional<std::string_view> message_at(Call& call, Pointer address, Size length) {
  if (length != UINT32_MAX) return call.bytes(address, length);
  const std::uint64_t size = call.memory().size();
  if (address >= size) return call.bytes(address, 1);  // out of bounds
  const auto most = std::min<std::uint64_t>(size - address, call.limits().max_log_line_bytes);
  const auto text = call.bytes(address, static_cast<Size>(most));
  return text ? std::optional(text->substr(0, text->find('\0'))) : std::nullopt;
}

}  // namespace

void init_mm(Call& call, TableIndex malloc, TableIndex) { call.state.allocator.name_in_table(malloc); }

void panic_hook(Call& call, Pointer address, Size length) {
  if (const auto message = call.bytes(address, length))
    call.state.panic_message = call.state.log(HostcallServices::LogKind::Panic, *message);
}

void debug(Call& call, Pointer address, Size length) {
  auto message = message_at(call, address, length);
  if (!message) return;
  if (message->ends_with('\n')) message->remove_suffix(1);
  call.state.log(HostcallServices::LogKind::Debug, *message);
}

std::uint64_t rng_next_u64(Call& call) {
  std::array<std::uint8_t, 8> bytes{};
  if (call.state.services.random) call.state.services.random(bytes);
  else host_random(call, bytes);
  std::uint64_t number = 0;
  std::memcpy(&number, bytes.data(), sizeof(number));
  return number;
}

std::uint64_t time_now(Call& call, Pointer nanoseconds) {
  constexpr std::int64_t second = 1'000'000'000;
  std::int64_t now = 0;
  if (call.state.services.clock) {
    now = call.state.services.clock().count();
  } else {
    struct ::timespec time;
    ::clock_gettime(CLOCK_REALTIME, &time);
    now = time.tv_sec * second + time.tv_nsec;
  }
  now = std::max<std::int64_t>(now, 0);  // a host that lives before 1970
  if (nanoseconds != 0 && call.can_store(nanoseconds, nanoseconds))
    if (!call.memory().store(nanoseconds, static_cast<std::uint32_t>(now % second))) call.fail("no place for the time");
  return static_cast<std::uint64_t>(now / second);
}

}  // namespace tfvm::hostcalls::handlers
