// Fields of messages between a guest and the host (handlers.hpp).
#include <string>
#include <unordered_set>

#include "hostcalls/handlers/handlers.hpp"

namespace tfvm::hostcalls {

namespace {

bool is_visible(const HeaderField& field) { return is_token(field.name) && is_field_value(field.value); }

std::uint64_t field_bytes(std::string_view name, std::string_view value) {
  return std::uint64_t{name.size()} + value.size();
}

}  // namespace

void give_field_names(Call& call, Pointer list, Pointer count, const Headers& headers) {
  std::unordered_set<std::string> distinct;
  std::vector<std::string_view> names;
  for (const HeaderField& field : headers) {
    if (!is_visible(field)) continue;
    const auto [name, is_new] = distinct.insert(lower_case(field.name));
    if (is_new) names.push_back(*name);
  }
  if (call.charge(headers.size())) call.give_list(list, count, names);
}

void give_field_values(Call& call, Pointer list, Pointer count, const Headers& headers, std::string_view name) {
  std::vector<std::string_view> values;
  for (const HeaderField& field : headers)
    if (equal_without_case(field.name, name) && is_visible(field)) values.push_back(field.value);
  if (call.charge(headers.size())) call.give_list(list, count, values);
}

std::optional<GuestField> read_field(Call& call, Pointer name, Size name_length, Pointer values, Size count) {
  GuestField field;
  const auto field_name = call.bytes(name, name_length);
  if (!field_name) return std::nullopt;
  field.name = *field_name;
  field.is_too_long = count > call.limits().max_headers;
  const std::uint64_t list_bytes = std::uint64_t{count} * sizeof(GuestSlice);
  if (count != 0 && !call.memory().bytes(values, list_bytes)) {
    call.end(HostOutcome::trap(TrapKind::OutOfBoundsMemoryAccess, "a list of values"));
    return std::nullopt;
  }
  if (field.is_too_long) return field;
  for (Size i = 0; i < count; ++i) {
    const auto slice = call.memory().load<GuestSlice>(std::uint64_t{values} + i * sizeof(GuestSlice));
    const auto value = call.bytes(slice->address, slice->length);
    if (!value) return std::nullopt;
    field.values.push_back(*value);
  }
  return field;
}

Status set_guest_field(Call& call, Headers& headers, const GuestField& field) {
  const auto refuse = [&call](std::string_view reason) {
    call.log_failure(reason);
    return Status::Invalid;
  };
  if (!is_token(field.name)) return refuse("the name is not one of a field");
  const HostcallLimits& limits = call.limits();
  std::uint64_t count = field.values.size();
  std::uint64_t bytes = 0;
  for (const std::string_view value : field.values) {
    if (!is_field_value(value)) return refuse("a value with control characters");
    bytes += field_bytes(field.name, value);
  }
  if (is_framing_field(field.name)) return Status::Ok;
  for (const HeaderField& other : headers) {
    if (equal_without_case(other.name, field.name)) continue;
    ++count;
    bytes += field_bytes(other.name, other.value);
  }
  if (field.is_too_long || count > limits.max_headers) return refuse("too many fields");
  if (bytes > limits.max_header_bytes) return refuse("the fields are too long together");
  if (!call.charge(headers.size())) return Status::Invalid;
  set_field(headers, field.name, field.values);
  return Status::Ok;
}

}  // namespace tfvm::hostcalls
