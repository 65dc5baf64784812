// Answers that the server gives by itself: errors, redirections, lists of folders.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "hostcalls/http.hpp"

namespace tfvm::serve {

/// "404 Not Found" as text, with one more line if `detail` says anything. No detail of the inside belongs there.
hostcalls::HttpResponse error_answer(std::uint16_t status, std::string_view detail = {});
/// 301 to a path of this host, which must be encoded, and a query with its '?'.
hostcalls::HttpResponse redirect_answer(std::string_view path, std::string_view query);
/// 401 that asks for a password.
hostcalls::HttpResponse password_answer(std::string_view realm);

struct ListItem {
  std::string name;
  bool is_directory = false;
};
/// An HTML page; `path` as decoded, ending in a slash.
hostcalls::HttpResponse list_answer(std::string_view path, std::vector<ListItem> items);

}  // namespace tfvm::serve
