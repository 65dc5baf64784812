// hostcall_req_send, hostcall_req_send_async, hostcall_pending_req_*: sending the guest's requests and waiting for what
// comes back.
#include "hostcalls/handlers/handlers.hpp"

namespace tfvm::hostcalls::handlers {

namespace {

using Pending = std::unique_ptr<PendingResponse>;

/// Starts the request of a handle, which it uses up. Null: it cannot be sent.
Pending start(Call& call, RequestHandle handle) {
  State& state = call.state;
  const auto refuse = [&call](std::string_view reason) -> Pending {
    call.log_failure(reason);
    return nullptr;
  };
  if (handle <= incoming_request || static_cast<std::size_t>(handle) >= state.requests.size())
    return refuse("no request to send under handle " + std::to_string(handle));
  Shared<HttpRequest> request = std::move(state.requests[static_cast<std::size_t>(handle)]);
  if (request == nullptr) return refuse("the request was sent before");
  if (state.services.http == nullptr) return refuse("requests to others are off");
  if (request->body.size() > call.limits().max_outbound_bytes - state.sent_bytes)
    return refuse("the bodies are larger than " + std::to_string(call.limits().max_outbound_bytes) + " bytes together");
  state.sent_bytes += request->body.size();
  if (!call.charge_bytes(request->body.size())) return nullptr;
  return state.services.http->start(std::move(writable(request)), state.services.outbound_policy,
                                    call.limits().outbound);
}

/// A handle for what `pending` has to give. REQUIRES: it is ready.
ResponseHandle receive(Call& call, PendingResponse& pending) {
  State& state = call.state;
  Result<HttpResponse> response = pending.take();
  if (!response) {
    call.log_failure(response.error().message);
    return no_handle;
  }
  std::uint64_t bytes = response->body.size();
  for (const HeaderField& field : response->headers) bytes += field.name.size() + field.value.size();
  if (bytes > call.limits().max_received_bytes - state.received_bytes) {
    call.log_failure("the responses are larger than " + std::to_string(call.limits().max_received_bytes) +
                     " bytes together");
    return no_handle;
  }
  state.received_bytes += bytes;
  state.responses.push_back(std::make_shared<HttpResponse>(std::move(*response)));
  return static_cast<ResponseHandle>(state.responses.size() - 1);
}

ResponseHandle wait_for(Call& call, PendingResponse& pending) {
  while (!pending.is_ready()) {
    struct ::pollfd file = {pending.ready_fd(), POLLIN, 0};
    if (!call.wait({&file, 1})) return no_handle;
  }
  return receive(call, pending);
}

/// The place of a handle that was not answered yet, or null.
Pending* find_pending(Call& call, PendingHandle handle) {
  auto& all = call.state.pending;
  if (handle > 0 && static_cast<std::size_t>(handle) < all.size())
    if (Pending& pending = all[static_cast<std::size_t>(handle)]; pending != nullptr) return &pending;
  call.log_failure("unknown pending handle " + std::to_string(handle));
  return nullptr;
}

}  // namespace

ResponseHandle req_send(Call& call, RequestHandle handle) {
  const Pending pending = start(call, handle);
  return pending == nullptr ? no_handle : wait_for(call, *pending);
}

PendingHandle req_send_async(Call& call, RequestHandle handle) {
  Pending pending = start(call, handle);
  if (pending == nullptr) return no_handle;
  call.state.pending.push_back(std::move(pending));
  return static_cast<PendingHandle>(call.state.pending.size() - 1);
}

ResponseHandle pending_req_wait(Call& call, PendingHandle handle) {
  Pending* const place = find_pending(call, handle);
  if (place == nullptr) return no_handle;
  const Pending pending = std::move(*place);
  return wait_for(call, *pending);
}

ResponseHandle pending_req_poll(Call& call, PendingHandle handle) {
  Pending* const place = find_pending(call, handle);
  if (place == nullptr) return no_handle;
  if (!(*place)->is_ready()) return not_ready;
  const Pending pending = std::move(*place);
  return receive(call, *pending);
}

ResponseHandle pending_req_select(Call& call, Pointer handles, Size count, Pointer selected) {
  const std::uint64_t list_bytes = std::uint64_t{count} * sizeof(PendingHandle);
  if (!call.can_store(selected, selected)) return no_handle;
  if (count != 0 && !call.memory().bytes(handles, list_bytes)) {
    call.end(HostOutcome::trap(TrapKind::OutOfBoundsMemoryAccess, "hostcall_pending_req_select"));
    return no_handle;
  }
  if (count == 0 || !call.charge(count)) return no_handle;
  const auto handle_at = [&](Size i) {
    return *call.memory().load<PendingHandle>(std::uint64_t{handles} + i * sizeof(PendingHandle));
  };
  const auto select = [&](PendingHandle handle) {
    if (!call.memory().store(selected, handle)) call.fail("the selected handle has no place");
  };
  // A request is waited for once, however often the list names it: what is waited for is bounded as requests are.
  std::vector<struct ::pollfd> files;
  std::vector<PendingHandle> waited(call.state.pending.size());
  for (Size i = 0; i < count; ++i) {
    const PendingHandle handle = handle_at(i);
    Pending* const place = find_pending(call, handle);
    if (place == nullptr || (*place)->is_ready()) {
      select(handle);
      return place == nullptr ? no_handle : pending_req_poll(call, handle);
    }
    auto& is_waited = waited[static_cast<std::size_t>(handle)];
    if (is_waited == 0) files.push_back({(*place)->ready_fd(), POLLIN, 0});
    is_waited = handle;
  }
  while (call.wait(files)) {
    for (const PendingHandle handle : waited) {
      if (handle == 0 || !call.state.pending[static_cast<std::size_t>(handle)]->is_ready()) continue;
      select(handle);
      return pending_req_poll(call, handle);
    }
  }
  return no_handle;
}

}  // namespace tfvm::hostcalls::handlers
