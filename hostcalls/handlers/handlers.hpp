// The hostcalls of the table functions.def as C++ functions, and what several of them share. What a handler returns
// does not matter when its Call has ended. Who implements which: request.cpp, response.cpp, outbound.cpp,
// key_value.cpp, dns.cpp, environment.cpp.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "hostcalls/abi.hpp"
#include "hostcalls/call.hpp"

namespace tfvm::hostcalls {

namespace handlers {
#define HOSTCALL(name, fuel, result, ...) result name(Call& call __VA_OPT__(, ) __VA_ARGS__);
#include "hostcalls/functions.def"
#undef HOSTCALL
}  // namespace handlers

/// Answers a getter with the distinct names of fields, each once, in lower case, in order of arrival. Fields that no
/// guest could take (a pseudo-header, control characters) are not shown. `headers` must not change meanwhile.
void give_field_names(Call& call, Pointer list, Pointer count, const Headers& headers);
/// Answers a getter with all values of a field.
void give_field_values(Call& call, Pointer list, Pointer count, const Headers& headers, std::string_view name);

/// A field as a guest sets it; views of its memory.
struct GuestField {
  std::string_view name;
  std::vector<std::string_view> values;
  bool is_too_long = false;  ///< more values than a message may have fields: none is given
};
/// None: the call has ended.
std::optional<GuestField> read_field(Call& call, Pointer name, Size name_length, Pointer values, Size count);
/// Replaces the field by its values, or removes it if there are none. Invalid, and nothing changed, if the name or a
/// value is not legal or a limit would be passed. Framing fields are accepted and left out.
Status set_guest_field(Call& call, Headers& headers, const GuestField& field);

}  // namespace tfvm::hostcalls
