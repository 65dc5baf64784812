// Dates of HTTP (http_date.hpp).
#include "cli/serve/http_date.hpp"

#include <array>
#include <cstring>

namespace tfvm::serve {
namespace {

constexpr std::array<const char*, 7> days = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
constexpr std::array<const char*, 12> months = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

void append_two_digits(std::string& text, int number) {
  text += static_cast<char>('0' + number / 10 % 10);
  text += static_cast<char>('0' + number % 10);
}

}  // namespace

std::string http_date(std::time_t time) {
  std::tm parts{};
  ::gmtime_r(&time, &parts);
  std::string text = days[static_cast<std::size_t>(parts.tm_wday)];
  text += ", ";
  append_two_digits(text, parts.tm_mday);
  text += ' ';
  text += months[static_cast<std::size_t>(parts.tm_mon)];
  text += ' ';
  text += std::to_string(parts.tm_year + 1900);
  text += ' ';
  append_two_digits(text, parts.tm_hour);
  text += ':';
  append_two_digits(text, parts.tm_min);
  text += ':';
  append_two_digits(text, parts.tm_sec);
  return text + " GMT";
}

std::optional<std::time_t> parse_http_date(std::string_view text) {
  const std::string copy(text);
  for (const char* format : {"%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT", "%a %b %e %H:%M:%S %Y"}) {
    std::tm parts{};
    const char* const end = ::strptime(copy.c_str(), format, &parts);
    if (end != nullptr && *end == '\0') return ::timegm(&parts);
  }
  return std::nullopt;
}

std::string_view http_date_now() {
  thread_local std::time_t second = -1;
  thread_local std::string text;
  struct ::timespec now{};
  ::clock_gettime(CLOCK_REALTIME_COARSE, &now);
  if (now.tv_sec != second) {
    second = now.tv_sec;
    text = http_date(second);
  }
  return text;
}

}  // namespace tfvm::serve
