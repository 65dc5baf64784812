// One hostcall: see call.hpp.
#include "hostcalls/call.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "vm/fuel.hpp"
#include "vm/interrupt.hpp"

namespace tfvm::hostcalls {

void State::begin(HttpRequest request) {
  pending.clear();  // cancels
  allocator = {};
  requests.clear();
  requests.push_back(std::make_shared<HttpRequest>(std::move(request)));
  responses.clear();
  responses.push_back(std::make_shared<HttpResponse>());
  pending.emplace_back();
  sent_bytes = received_bytes = 0;
  dns_queries = log_lines = 0;
  panic_message.reset();
}

std::string State::log(HostcallServices::LogKind kind, std::string_view text) {
  const std::size_t limit = services.limits.max_log_line_bytes;
  std::string line = printable(text.substr(0, limit));
  if (line.size() > limit) line.resize(limit);
  if (services.log && log_lines < services.limits.max_log_lines) {
    ++log_lines;
    services.log(kind, line);
  }
  return line;
}

GuestMemory Call::memory() const {
  const ModuleInstance* const instance = caller_.instance();
  if (instance == nullptr || instance->memories.empty()) return {};
  return GuestMemory(*instance->memories.front());
}

void Call::fail(std::string_view reason) {
  end(HostOutcome::trap(TrapKind::HostFunctionFailed, "hostcall_" + std::string(name_) + ": " + std::string(reason)));
}

void Call::log_failure(std::string_view reason) {
  state.log(HostcallServices::LogKind::Failure, "hostcall_" + std::string(name_) + ": " + std::string(reason));
}

bool Call::charge(std::uint64_t units) {
  if (caller_.consume_fuel(units)) return true;
  end(HostOutcome::trap(TrapKind::OutOfFuel));
  return false;
}

bool Call::charge_bytes(std::uint64_t bytes) { return charge(bytes / bulk_bytes_per_fuel); }

bool Call::is_interrupted() {
  const TrapKind reason = caller_.pending_interrupt();
  if (reason == TrapKind::None) return false;
  end(HostOutcome::trap(reason));
  return true;
}

std::optional<std::string_view> Call::bytes(Pointer address, Size length) {
  if (length == 0) return std::string_view();
  const auto view = memory().bytes(address, length);
  if (!view) {
    end(HostOutcome::trap(TrapKind::OutOfBoundsMemoryAccess, "hostcall_" + std::string(name_)));
    return std::nullopt;
  }
  if (!charge_bytes(length)) return std::nullopt;
  return std::string_view(reinterpret_cast<const char*>(view->data()), view->size());
}

bool Call::can_store(Pointer first, Pointer second) {
  const GuestMemory view = memory();
  if (view.bytes(first, sizeof(std::uint32_t)) && view.bytes(second, sizeof(std::uint32_t))) return true;
  end(HostOutcome::trap(TrapKind::OutOfBoundsMemoryAccess, "hostcall_" + std::string(name_)));
  return false;
}

void Call::store_results(Pointer address, Pointer length, std::uint32_t first, std::uint32_t second) {
  const GuestMemory view = memory();
  if (!view.store(address, first) || !view.store(length, second)) fail("a result has no place");
}

void Call::give_nothing(Pointer address, Pointer length) { store_results(address, length, 0, 0); }

void Call::give_scalar(Pointer address, Pointer length, std::string_view value) {
  if (value.empty()) give_nothing(address, length);
  else give_value(address, length, value);
}

void Call::give_value(Pointer address, Pointer length, std::string_view value) {
  const Pointer copy = allocate_copy(value);
  if (copy != 0) store_results(address, length, copy, static_cast<Size>(value.size()));
}

void Call::give_list(Pointer address, Pointer count, std::span<const std::string_view> elements) {
  if (elements.empty()) return give_nothing(address, count);
  std::vector<GuestSlice> slices;
  slices.reserve(elements.size());
  for (const std::string_view element : elements) {
    const Pointer copy = allocate_copy(element);
    if (copy == 0) return;
    slices.push_back({copy, static_cast<Size>(element.size())});
  }
  const std::uint64_t size = std::uint64_t{slices.size()} * sizeof(GuestSlice);
  Pointer list = 0;
  if (!allocate(size, alignof(GuestSlice), list) || !charge_bytes(size)) return;
  std::memcpy(memory().bytes(list, size)->data(), slices.data(), size);
  store_results(address, count, list, static_cast<Size>(slices.size()));
}

bool Call::allocate(std::uint64_t size, Size alignment, Pointer& address) {
  end(state.allocator.allocate(caller_, size, alignment, address));
  if (has_ended()) return false;
  if (const auto& trace = state.services.trace) {
    char line[64];
    std::snprintf(line, sizeof line, "  malloc(%llu) = 0x%x", static_cast<unsigned long long>(size), address);
    trace(line);
  }
  return true;
}

Pointer Call::allocate_copy(std::string_view value) {
  Pointer copy = 0;
  if (!allocate(std::uint64_t{value.size()} + 1, 1, copy) || !charge_bytes(value.size())) return 0;
  const auto view = memory().bytes(copy, std::uint64_t{value.size()} + 1);
  *std::copy(value.begin(), value.end(), view->begin()) = 0;
  return copy;
}

bool Call::wait(std::span<struct ::pollfd> files) {
  const InterruptGuard guard;
  while (!is_interrupted()) {
    if (::ppoll(files.data(), files.size(), nullptr, &guard.open_mask()) >= 0) return true;
    if (errno != EINTR) {
      fail(std::string("cannot wait: ") + std::strerror(errno));
      return false;
    }
  }
  return false;
}

}  // namespace tfvm::hostcalls
