// Any bytes as a request-target: what is taken names something below a folder, and both parsers agree.
#include "cli/serve/request_path.hpp"

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "cli/serve/host_name.hpp"

namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tfvm::serve;
  const std::string_view target(reinterpret_cast<const char*>(data), size);
  const auto path = RequestPath::parse(target);
  if (path) {
    for (std::size_t i = 0; i < path->size(); ++i) {
      const std::string_view segment = path->segment(i);
      require(!segment.empty() && segment != "." && segment != "..");
      require(segment.find('\0') == std::string_view::npos && segment.find('\\') == std::string_view::npos);
      if (path->is_file_name(i)) require(segment.find('/') == std::string_view::npos);
      require(path->rest(i + 1).empty() || path->rest(i + 1).front() == '/');
    }
  }
  if (const auto plain = PlainPath::parse(target)) {
    require(path.has_value());
    require(plain->path() == path->rest(0));
    for (std::size_t position = 0;;) {
      const std::string_view program = plain->next_program(position);
      if (program.empty()) break;
      require(path->rest(0).substr(1).starts_with(program));
    }
  }
  if (const auto host = normalise_host(target)) {
    require(is_normal_host(*host));
    require(normalise_host(*host) == host);
  }
  return 0;
}
