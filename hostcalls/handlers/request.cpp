// hostcall_req_*: the incoming request (handle 0), and requests that the guest makes.
#include "hostcalls/handlers/handlers.hpp"
#include "hostcalls/outbound_url.hpp"

namespace tfvm::hostcalls::handlers {

namespace {

/// The request of a handle, or null: the call has ended, since reading an unknown handle is a mistake of the program.
Shared<HttpRequest> readable(Call& call, RequestHandle handle) {
  const auto& requests = call.state.requests;
  if (handle >= 0 && static_cast<std::size_t>(handle) < requests.size())
    if (const auto& request = requests[static_cast<std::size_t>(handle)]; request != nullptr) return request;
  call.fail("unknown request handle " + std::to_string(handle));
  return nullptr;
}

/// The request that the guest made under this handle and has not sent, or null.
Shared<HttpRequest>* settable(Call& call, RequestHandle handle) {
  auto& requests = call.state.requests;
  if (handle != incoming_request && handle > 0 && static_cast<std::size_t>(handle) < requests.size())
    if (auto& request = requests[static_cast<std::size_t>(handle)]; request != nullptr) return &request;
  call.log_failure("no request to set under handle " + std::to_string(handle));
  return nullptr;
}

void give_text(Call& call, Pointer address, Pointer length, RequestHandle handle, std::string HttpRequest::* text) {
  const Shared<HttpRequest> request = readable(call, handle);
  if (request != nullptr && call.can_store(address, length)) call.give_scalar(address, length, (*request).*text);
}

}  // namespace

void req_get_method(Call& call, Pointer address, Pointer length, RequestHandle handle) {
  give_text(call, address, length, handle, &HttpRequest::method);
}

void req_get_path(Call& call, Pointer address, Pointer length, RequestHandle handle) {
  give_text(call, address, length, handle, &HttpRequest::target);
}

void req_get_body(Call& call, Pointer address, Pointer length, RequestHandle handle) {
  give_text(call, address, length, handle, &HttpRequest::body);
}

void req_get_headers(Call& call, Pointer list, Pointer count, RequestHandle handle) {
  const Shared<HttpRequest> request = readable(call, handle);
  if (request != nullptr && call.can_store(list, count)) give_field_names(call, list, count, request->headers);
}

void req_get_header(Call& call, Pointer list, Pointer count, RequestHandle handle, Pointer name, Size name_length) {
  const Shared<HttpRequest> request = readable(call, handle);
  if (request == nullptr || !call.can_store(list, count)) return;
  if (const auto wanted = call.bytes(name, name_length))
    give_field_values(call, list, count, request->headers, *wanted);
}

RequestHandle req_create(Call& call, Pointer method, Size method_length, Pointer url, Size url_length) {
  const auto method_text = call.bytes(method, method_length);
  if (!method_text) return no_handle;
  const auto url_text = call.bytes(url, url_length);
  if (!url_text) return no_handle;
  const auto refuse = [&call](std::string_view reason) {
    call.log_failure(reason);
    return no_handle;
  };
  if (method_text->size() + url_text->size() > call.limits().max_header_bytes) return refuse("the URL is too long");
  if (!is_token(*method_text)) return refuse("the method is not one");
  if (const Result<OutboundUrl> parsed = OutboundUrl::parse(*url_text); !parsed) return refuse(parsed.error().message);
  auto& requests = call.state.requests;
  if (requests.size() > call.limits().max_outbound_requests) return refuse("too many requests");
  auto request = std::make_shared<HttpRequest>();
  request->method = *method_text;
  request->target = url_text->substr(0, url_text->find('#'));  // a fragment is the client's own
  requests.push_back(std::move(request));
  return static_cast<RequestHandle>(requests.size() - 1);
}

Status req_set_header(Call& call, RequestHandle handle, Pointer name, Size name_length, Pointer values, Size count) {
  const auto field = read_field(call, name, name_length, values, count);
  if (!field) return Status::Invalid;
  Shared<HttpRequest>* const request = settable(call, handle);
  return request == nullptr ? Status::Invalid : set_guest_field(call, writable(*request).headers, *field);
}

Status req_set_body(Call& call, RequestHandle handle, Pointer address, Size length) {
  const auto body = call.bytes(address, length);
  if (!body) return Status::Invalid;
  Shared<HttpRequest>* const request = settable(call, handle);
  if (request == nullptr) return Status::Invalid;
  if (body->size() > call.limits().max_outbound_bytes) {
    call.log_failure("the body is larger than " + std::to_string(call.limits().max_outbound_bytes) + " bytes");
    return Status::Invalid;
  }
  writable(*request).body = *body;
  return Status::Ok;
}

}  // namespace tfvm::hostcalls::handlers
