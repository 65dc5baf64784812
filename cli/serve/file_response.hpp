// Which part of a file answers a request (RFC 9110, chapters 13 and 14): conditions, one range.
#pragma once

#include <cstdint>
#include <ctime>
#include <string_view>

#include "cli/serve/static_file.hpp"
#include "hostcalls/http.hpp"

namespace tfvm::serve {

struct FilePart {
  std::uint16_t status = 200;  ///< 200, 206, 304, 405, 412 or 416
  hostcalls::Headers headers;
  std::uint64_t offset = 0;  ///< of the bytes to send
  std::uint64_t bytes = 0;   ///< how many; 0 with 304, 405, 412, 416
};

/// A list of several ranges is answered by the whole file, which the RFC permits.
FilePart select_file_part(const hostcalls::HttpRequest& request, const StaticFile& file);

}  // namespace tfvm::serve
