// hostcall_resp_*: the response that the guest gives (handle 0), and those that it received.
#include "hostcalls/handlers/handlers.hpp"

namespace tfvm::hostcalls::handlers {

namespace {

/// The response of a handle, or null: the call has ended, since reading an unknown handle is a mistake of the program.
Shared<HttpResponse> readable(Call& call, ResponseHandle handle) {
  const auto& responses = call.state.responses;
  if (handle >= 0 && static_cast<std::size_t>(handle) < responses.size())
    return responses[static_cast<std::size_t>(handle)];
  call.fail("unknown response handle " + std::to_string(handle));
  return nullptr;
}

/// True for the handle that may be set.
bool is_settable(Call& call, ResponseHandle handle) {
  if (handle == outgoing_response) return true;
  call.log_failure("no response to set under handle " + std::to_string(handle));
  return false;
}

std::uint64_t field_bytes(const Headers& headers) {
  std::uint64_t bytes = 0;
  for (const HeaderField& field : headers) bytes += field.name.size() + field.value.size();
  return bytes;
}

}  // namespace

void resp_get_body(Call& call, Pointer address, Pointer length, ResponseHandle handle) {
  const Shared<HttpResponse> response = readable(call, handle);
  if (response != nullptr && call.can_store(address, length)) call.give_scalar(address, length, response->body);
}

void resp_get_headers(Call& call, Pointer list, Pointer count, ResponseHandle handle) {
  const Shared<HttpResponse> response = readable(call, handle);
  if (response != nullptr && call.can_store(list, count)) give_field_names(call, list, count, response->headers);
}

void resp_get_header(Call& call, Pointer list, Pointer count, ResponseHandle handle, Pointer name, Size name_length) {
  const Shared<HttpResponse> response = readable(call, handle);
  if (response == nullptr || !call.can_store(list, count)) return;
  if (const auto wanted = call.bytes(name, name_length))
    give_field_values(call, list, count, response->headers, *wanted);
}

std::uint32_t resp_get_response_code(Call& call, ResponseHandle handle) {
  const Shared<HttpResponse> response = readable(call, handle);
  return response == nullptr ? 0 : response->status;
}

Status resp_set_header(Call& call, ResponseHandle handle, Pointer name, Size name_length, Pointer values, Size count) {
  const auto field = read_field(call, name, name_length, values, count);
  if (!field || !is_settable(call, handle)) return Status::Invalid;
  return set_guest_field(call, writable(call.state.responses.front()).headers, *field);
}

Status resp_set_response_code(Call& call, ResponseHandle handle, std::uint32_t code) {
  constexpr std::uint16_t least = 200;  // 1xx has no meaning for a final response
  constexpr std::uint16_t most = 599;
  if (!is_settable(call, handle)) return Status::Invalid;
  const auto status = static_cast<std::uint16_t>(code);  // the upper bits are undefined
  if (status < least || status > most) {
    call.log_failure(std::to_string(status) + " is no status of a response");
    return Status::Invalid;
  }
  writable(call.state.responses.front()).status = status;
  return Status::Ok;
}

Status resp_set_body(Call& call, ResponseHandle handle, Pointer address, Size length) {
  const auto body = call.bytes(address, length);
  if (!body || !is_settable(call, handle)) return Status::Invalid;
  Shared<HttpResponse>& response = call.state.responses.front();
  if (body->size() + field_bytes(response->headers) > call.limits().max_response_bytes) {
    call.log_failure("the response is larger than " + std::to_string(call.limits().max_response_bytes) + " bytes");
    return Status::Invalid;
  }
  writable(response).body = *body;
  return Status::Ok;
}

}  // namespace tfvm::hostcalls::handlers
