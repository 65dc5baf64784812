// A CGI program for one request: see cgi_run.hpp.
#include "cli/cgi_run.hpp"

#include <algorithm>

#include "cli/failure.hpp"
#include "cli/module_file.hpp"
#include "cli/parse.hpp"

namespace tfvm::cli {
namespace {

constexpr std::size_t max_output_bytes = 64u << 20;

/// "X-Name" -> "HTTP_X_NAME"
std::string variable_of(std::string_view field) {
  std::string name = "HTTP_";
  for (const char c : field) name += c == '-' ? '_' : c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  return name;
}

std::string_view without_spaces(std::string_view text) {
  const std::size_t begin = std::min(text.find_first_not_of(" \t"), text.size());
  text.remove_prefix(begin);
  return text.substr(0, text.find_last_not_of(" \t") + 1);
}

}  // namespace

wasi::Stream::Outcome CgiStreams::Input::read(std::span<std::uint8_t> buffer) {
  const std::size_t count = std::min(buffer.size(), rest.size());
  std::copy_n(rest.begin(), count, buffer.begin());
  rest.remove_prefix(count);
  return {Status::Moved, count};
}

wasi::Stream::Outcome CgiStreams::Output::write(std::span<const std::uint8_t> bytes) {
  if (bytes.size() > max_output_bytes - text.size()) return {Status::Failed, 0};
  text.append(bytes.begin(), bytes.end());
  return {Status::Moved, bytes.size()};
}

void CgiStreams::prepare(wasi::WasiConfig& config, const hostcalls::HttpRequest& request, const std::string& file) {
  config.stdin_stream = &input_;
  config.stdout_stream = &output_;
  const auto set = [&config](std::string name, std::string_view value) {
    config.environment.push_back(std::move(name) + "=" + std::string(value));
  };
  const std::string_view target = request.target;
  const std::size_t question = target.find('?');
  const std::string_view host = hostcalls::find_field(request.headers, "host").value_or("localhost");
  set("GATEWAY_INTERFACE", "CGI/1.1");
  set("SERVER_PROTOCOL", "HTTP/1.1");
  set("SERVER_SOFTWARE", "tfvm");
  set("SERVER_NAME", host.substr(0, host.find(':')));
  set("SERVER_PORT", "80");
  set("REMOTE_ADDR", "127.0.0.1");
  set("REQUEST_METHOD", request.method);
  set("REQUEST_URI", target);
  set("SCRIPT_NAME", "/" + std::string(file_name(file)));
  set("PATH_INFO", target.substr(0, question));
  set("QUERY_STRING", question == std::string_view::npos ? "" : target.substr(question + 1));
  if (!request.body.empty()) set("CONTENT_LENGTH", std::to_string(request.body.size()));
  if (const auto type = hostcalls::find_field(request.headers, "content-type")) set("CONTENT_TYPE", *type);
  for (const hostcalls::HeaderField& field : request.headers) {
    // Proxy would become HTTP_PROXY, which libraries take for the user's own.
    if (hostcalls::equal_without_case(field.name, "content-length") ||
        hostcalls::equal_without_case(field.name, "content-type") || hostcalls::equal_without_case(field.name, "proxy"))
      continue;
    set(variable_of(field.name), field.value);
  }
}

hostcalls::HttpResponse CgiStreams::response() const {
  hostcalls::HttpResponse response;
  std::string_view rest = output_.text;
  bool has_location = false;
  bool has_status = false;
  for (;;) {
    const std::size_t end = rest.find('\n');
    if (end == std::string_view::npos)
      fail("the program wrote no response", "a CGI program writes fields, an empty line and the body");
    std::string_view line = rest.substr(0, end);
    rest.remove_prefix(end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty()) break;
    const std::size_t colon = line.find(':');
    const std::string_view name = line.substr(0, colon);
    const std::string_view value =
        colon == std::string_view::npos ? std::string_view() : without_spaces(line.substr(colon + 1));
    if (colon == std::string_view::npos || !hostcalls::is_token(name) || !hostcalls::is_field_value(value))
      fail("the program wrote '" + printable(line.substr(0, 80)) + "' where a field of its response should be");
    if (hostcalls::equal_without_case(name, "status")) {
      const auto status = parse_count(value.substr(0, 3));
      if (!status || *status < 200 || *status > 599) fail("the program gave the status '" + printable(value) + "'");
      response.status = static_cast<std::uint16_t>(*status);
      has_status = true;
    } else if (!hostcalls::is_framing_field(name)) {
      has_location = has_location || hostcalls::equal_without_case(name, "location");
      response.headers.push_back({std::string(name), std::string(value)});
    }
  }
  if (has_location && !has_status) response.status = 302;
  response.body = rest;
  return response;
}

}  // namespace tfvm::cli
