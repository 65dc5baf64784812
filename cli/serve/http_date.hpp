// Dates of HTTP (RFC 9110, section 5.6.7): IMF-fixdate out, all three forms that must be understood in.
#pragma once

#include <ctime>
#include <optional>
#include <string>
#include <string_view>

namespace tfvm::serve {

/// "Sun, 06 Nov 1994 08:49:37 GMT"
std::string http_date(std::time_t time);
/// None for what is no date.
std::optional<std::time_t> parse_http_date(std::string_view text);
/// http_date() of now, made once a second in each thread; valid until the thread's next call.
std::string_view http_date_now();

}  // namespace tfvm::serve
