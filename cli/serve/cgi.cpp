// CGI/1.1 (cgi.hpp).
#include "cli/serve/cgi.hpp"

#include <algorithm>
#include <map>

#include "decoder/error.hpp"

namespace tfvm::serve {
namespace {

using hostcalls::equal_without_case;

// "Accept-Language" -> "HTTP_ACCEPT_LANGUAGE"; empty for a field that programs do not get.
std::string variable_of(std::string_view field) {
  for (const std::string_view hidden : {"Content-Type", "Content-Length", "Proxy", "Connection", "Keep-Alive", "TE",
                                        "Trailer", "Transfer-Encoding", "Upgrade", "Expect", "Proxy-Connection"})
    if (equal_without_case(field, hidden)) return {};
  std::string name = "HTTP_";
  for (const char c : field) {
    if (c == '-') name += '_';
    else if (c >= 'a' && c <= 'z') name += static_cast<char>(c - 'a' + 'A');
    else if ((c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')) name += c;
    else return {};
  }
  return name;
}

std::string_view without_port(std::string_view host) {
  const std::size_t colon = host.rfind(':');
  if (colon == std::string_view::npos || host.find(']', colon) != std::string_view::npos) return host;
  return host.substr(0, colon);
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t' || text.back() == '\r')) text.remove_suffix(1);
  return text;
}

class Environment {
 public:
  void add(std::string_view name, std::string_view value) {
    std::string& text = variables_.emplace_back(name);
    text.append("=").append(value);
  }
  void add_fields(const hostcalls::Headers& headers, bool hides_authorization) {
    std::map<std::string, std::string> values;
    for (const hostcalls::HeaderField& field : headers) {
      if (hides_authorization && equal_without_case(field.name, "Authorization")) continue;
      std::string name = variable_of(field.name);
      if (name.empty()) continue;
      const auto [entry, is_new] = values.try_emplace(std::move(name), field.value);
      if (!is_new) entry->second.append(entry->first == "HTTP_COOKIE" ? "; " : ", ").append(field.value);
    }
    for (const auto& [name, value] : values) add(name, value);
  }
  void add_configured(const std::vector<std::string>& configured) {
    for (const std::string& variable : configured) {
      const std::string_view name = std::string_view(variable).substr(0, variable.find('=') + 1);
      const bool is_taken = std::any_of(variables_.begin(), variables_.end(),
                                        [&](const std::string& each) { return each.starts_with(name); });
      if (!is_taken && !name.starts_with("HTTP_")) variables_.push_back(variable);
    }
  }
  std::vector<std::string> take() { return std::move(variables_); }

 private:
  std::vector<std::string> variables_;
};

}  // namespace

std::vector<std::string> cgi_environment(const CgiRequest& given, const std::vector<std::string>& configured) {
  const std::string_view target = given.request.target;
  const std::size_t question = target.find('?');
  Environment environment;
  environment.add("GATEWAY_INTERFACE", "CGI/1.1");
  environment.add("SERVER_SOFTWARE", "tfvm");
  environment.add("SERVER_PROTOCOL", given.is_http_1_0 ? "HTTP/1.0" : "HTTP/1.1");
  environment.add("SERVER_NAME", without_port(given.host));
  environment.add("SERVER_PORT", std::to_string(given.server_port));
  environment.add("REQUEST_METHOD", given.request.method);
  environment.add("REQUEST_URI", target);
  environment.add("SCRIPT_NAME", given.script_name);
  environment.add("PATH_INFO", given.path_info);
  environment.add("QUERY_STRING", question == std::string_view::npos ? "" : target.substr(question + 1));
  environment.add("REMOTE_ADDR", given.client_address);
  environment.add("REMOTE_HOST", given.client_address);
  environment.add("REMOTE_PORT", std::to_string(given.client_port));
  environment.add("REQUEST_ID", given.request_id);
  if (given.is_tls) environment.add("HTTPS", "on");
  if (!given.user.empty()) {
    environment.add("AUTH_TYPE", "Basic");
    environment.add("REMOTE_USER", given.user);
  }
  if (given.content_length) environment.add("CONTENT_LENGTH", std::to_string(*given.content_length));
  if (const auto type = hostcalls::find_field(given.request.headers, "Content-Type"))
    environment.add("CONTENT_TYPE", *type);
  environment.add_fields(given.request.headers, !given.user.empty());
  environment.add_configured(configured);
  return environment.take();
}

wasi::Stream::Outcome CgiOutput::write(std::span<const std::uint8_t> bytes) {
  if (!problem_.empty()) return {Status::Failed};
  if (has_head_) return sink_.body(bytes);
  const std::size_t before = head_.size();
  head_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  // The end is an empty line; its newlines may come one by one, so look a little further back.
  std::size_t end = 0;
  std::size_t next = 0;
  for (std::size_t at = before > 3 ? before - 3 : 0; at < head_.size() && next == 0; ++at) {
    const std::string_view rest = std::string_view(head_).substr(at);
    const bool is_at_start = at == 0 && (rest.starts_with('\n') || rest.starts_with("\r\n"));
    const std::size_t length = rest.starts_with("\n\n")     ? 2
                               : rest.starts_with("\n\r\n") ? 3
                               : is_at_start                ? rest.find('\n') + 1
                                                            : 0;
    if (length == 0) continue;
    end = at;
    next = at + length;
  }
  if (next == 0) {
    // What has no fields is told so at once, not when there is too much of it.
    if (const std::size_t line = head_.find('\n');
        line != std::string::npos && before <= line && head_.find(':') > line)
      take_line(trimmed(std::string_view(head_).substr(0, line)));
    if (head_.size() > max_head_bytes_) problem_ = "the program's header is too large, or it wrote none";
    return {problem_.empty() ? Status::Moved : Status::Failed, bytes.size()};
  }
  if (next > max_head_bytes_) problem_ = "the program's header is too large";
  if (!problem_.empty() || !take_head(std::string_view(head_).substr(0, end))) return {Status::Failed};
  has_head_ = true;
  sink_.begin(status_, std::move(headers_));
  const std::size_t used = next - before;
  head_ = {};
  // The rest comes again: the guest writes until all is taken.
  return {Status::Moved, used};
}

bool CgiOutput::take_head(std::string_view head) {
  while (!head.empty()) {
    const std::size_t end = std::min(head.find('\n'), head.size());
    if (!take_line(trimmed(head.substr(0, end)))) return false;
    head.remove_prefix(std::min(end + 1, head.size()));
  }
  const bool has_type = hostcalls::find_field(headers_, "Content-Type").has_value();
  const bool has_location = hostcalls::find_field(headers_, "Location").has_value();
  if (!has_type && !has_location && status_ == 0) {
    problem_ = "the program's header has none of Content-Type, Location and Status";
    return false;
  }
  if (status_ == 0) status_ = has_location ? 302 : 200;
  return true;
}

bool CgiOutput::take_line(std::string_view line) {
  if (line.empty()) return true;
  const std::size_t colon = line.find(':');
  const std::string_view name = line.substr(0, colon);
  if (colon == std::string_view::npos || !hostcalls::is_token(name)) {
    problem_ =
        "the program must write header fields and an empty line first, not '" + printable(line.substr(0, 80)) + "'";
    return false;
  }
  const std::string_view value = trimmed(line.substr(colon + 1));
  if (equal_without_case(name, "Status")) {
    const bool is_number =
        value.size() >= 3 && std::all_of(value.begin(), value.begin() + 3, [](char c) { return c >= '0' && c <= '9'; });
    status_ =
        is_number ? static_cast<std::uint16_t>((value[0] - '0') * 100 + (value[1] - '0') * 10 + value[2] - '0') : 0;
    if (status_ < 200 || status_ > 599 || (value.size() > 3 && value[3] != ' ')) {
      problem_ = "the program's Status is '" + printable(value.substr(0, 80)) + "'";
      return false;
    }
    return true;
  }
  if (!hostcalls::is_field_value(value) || headers_.size() >= max_fields_) {
    problem_ = "the program's header has a field that is none, or too many";
    return false;
  }
  headers_.push_back({std::string(name), std::string(value)});
  return true;
}

}  // namespace tfvm::serve
