// The request parser on any bytes: it ends, and pieces of any size give what the whole gives.
#include "cli/serve/request_parser.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

namespace tfvm::serve {
namespace {

struct Parsed {
  RequestParser::Progress progress = RequestParser::Progress::NeedMore;
  std::uint16_t status = 0;
  std::string text;
  std::size_t used = 0;
};

Parsed parse(std::string_view bytes, std::size_t piece) {
  RequestParser parser(RequestLimits{300, 1000, 20});
  parser.set_body_limit(2000);
  Parsed parsed;
  std::string waiting;
  while (parsed.progress != RequestParser::Progress::Done && parsed.progress != RequestParser::Progress::Bad) {
    const std::size_t size = std::min(piece, bytes.size());
    if (size == 0 && parsed.progress == RequestParser::Progress::NeedMore) break;
    waiting += bytes.substr(0, size);
    bytes.remove_prefix(size);
    std::size_t used = 0;
    parsed.progress = parser.parse(waiting, used);
    if (used > waiting.size()) std::abort();
    waiting.erase(0, used);
    parsed.used += used;
  }
  parsed.status = parser.status();
  const hostcalls::HttpRequest& request = parser.request();
  parsed.text = request.method + ' ' + request.target + ' ' + parser.host() + '\n';
  for (const auto& field : request.headers) parsed.text += field.name + ": " + field.value + '\n';
  parsed.text += request.body;
  return parsed;
}

}  // namespace
}  // namespace tfvm::serve

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tfvm::serve;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const Parsed whole = parse(bytes, size == 0 ? 1 : size);
  for (const std::size_t piece : {1, 7}) {
    const Parsed pieces = parse(bytes, piece);
    const bool both_done =
        whole.progress == RequestParser::Progress::Done && pieces.progress == RequestParser::Progress::Done;
    // Limits may be met earlier or later; what is accepted must be the same.
    if (both_done && (whole.text != pieces.text || whole.used != pieces.used)) std::abort();
  }
  return 0;
}
