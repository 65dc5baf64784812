// hostcall_dns_query_ip, hostcall_dns_query_raw: questions to the host's resolver.
#include "hostcalls/handlers/handlers.hpp"

namespace tfvm::hostcalls::handlers {

namespace {

constexpr std::size_t max_query_bytes = 4096;  ///< no resolver takes more in a datagram
constexpr std::size_t max_name_bytes = 255;    ///< RFC 1035, 2.3.4, with some room for a final dot

/// The resolver; null: there is none, or the guest has asked enough.
Resolver* resolver_of(Call& call) {
  State& state = call.state;
  if (state.services.resolver == nullptr) {
    call.log_failure("there is no resolver");
    return nullptr;
  }
  if (state.dns_queries < call.limits().max_dns_queries) {
    ++state.dns_queries;
    return state.services.resolver;
  }
  call.log_failure("more than " + std::to_string(call.limits().max_dns_queries) + " questions");
  return nullptr;
}

Resolver::IsCancelled is_cancelled(const Call& call) {
  return [&caller = call.caller()] { return caller.pending_interrupt() != TrapKind::None; };
}

const char* text_of(LookupStatus status) {
  switch (status) {
    case LookupStatus::Found: return "found";
    case LookupStatus::NoSuchName: return "no such name";
    case LookupStatus::NoData: return "no such record";
    case LookupStatus::ServerFailed: return "the server failed";
    case LookupStatus::TimedOut: return "no answer in time";
    case LookupStatus::Cancelled: return "cancelled";
    case LookupStatus::BadName: return "not a name";
  }
  return "failed";
}

}  // namespace

bool dns_query_raw(Call& call, Pointer address, Pointer length, Pointer query, Size query_length) {
  const auto message = call.bytes(query, query_length);
  if (!message || !call.can_store(address, length)) return false;
  Resolver::Message answer;
  if (message->size() > max_query_bytes) call.log_failure("the query is too long");
  else if (Resolver* const resolver = resolver_of(call); resolver != nullptr) {
    answer = resolver->query(*message, is_cancelled(call));
    if (call.is_interrupted()) return false;
    if (answer.status != LookupStatus::Found) call.log_failure(text_of(answer.status));
  }
  const bool has_answer = answer.status == LookupStatus::Found && !answer.bytes.empty();
  if (has_answer) call.give_value(address, length, answer.bytes);
  else call.give_nothing(address, length);
  return has_answer;
}

bool dns_query_ip(Call& call, Pointer list, Pointer count, Pointer name, Size name_length, std::uint32_t is_v6) {
  const auto name_bytes = call.bytes(name, name_length);
  if (!name_bytes || !call.can_store(list, count)) return false;
  Resolver::Addresses answer;
  if (name_bytes->size() > max_name_bytes) call.log_failure("the name is too long");
  else if (Resolver* const resolver = resolver_of(call); resolver != nullptr) {
    answer = resolver->addresses(*name_bytes, is_v6 != 0, is_cancelled(call));
    if (call.is_interrupted()) return false;
    if (answer.status != LookupStatus::Found) call.log_failure(text_of(answer.status));
  }
  std::vector<std::string_view> elements;
  for (const Address& address : answer.addresses) {
    if (answer.status != LookupStatus::Found || address.is_v6 != (is_v6 != 0)) continue;  // guests know one length only
    elements.emplace_back(reinterpret_cast<const char*>(address.bytes.data()), address.is_v6 ? 16u : 4u);
  }
  call.give_list(list, count, elements);
  return !elements.empty();
}

}  // namespace tfvm::hostcalls::handlers
