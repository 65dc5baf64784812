// The server's own answers: see answers.hpp.
#include "cli/serve/answers.hpp"

#include <algorithm>

#include "cli/serve/request_path.hpp"
#include "decoder/error.hpp"

namespace tfvm::serve {

namespace {

struct Reason {
  std::uint16_t status;
  std::string_view text;
};
constexpr Reason reasons[] = {
    {301, "Moved Permanently"},   {400, "Bad Request"},
    {401, "Unauthorized"},        {403, "Forbidden"},
    {404, "Not Found"},           {405, "Method Not Allowed"},
    {412, "Precondition Failed"}, {421, "Misdirected Request"},
    {429, "Too Many Requests"},   {500, "Internal Server Error"},
    {503, "Service Unavailable"},
};

std::string_view reason_of(std::uint16_t status) {
  for (const Reason& reason : reasons)
    if (reason.status == status) return reason.text;
  return "Error";
}

std::string escape_html(std::string_view text) {
  std::string escaped;
  for (const char c : printable(text)) {
    switch (c) {
      case '&': escaped += "&amp;"; break;
      case '<': escaped += "&lt;"; break;
      case '>': escaped += "&gt;"; break;
      case '"': escaped += "&quot;"; break;
      case '\'': escaped += "&#39;"; break;
      default: escaped += c;
    }
  }
  return escaped;
}

}  // namespace

hostcalls::HttpResponse error_answer(std::uint16_t status, std::string_view detail) {
  hostcalls::HttpResponse answer;
  answer.status = status;
  answer.headers.push_back({"Content-Type", "text/plain; charset=utf-8"});
  answer.body = std::to_string(status) + ' ' + std::string(reason_of(status)) + '\n';
  if (!detail.empty()) answer.body += printable(detail) + '\n';
  if (status == 503 || status == 429) answer.headers.push_back({"Retry-After", "1"});
  if (status == 405) answer.headers.push_back({"Allow", "GET, HEAD"});
  return answer;
}

hostcalls::HttpResponse redirect_answer(std::string_view path, std::string_view query) {
  hostcalls::HttpResponse answer = error_answer(301);
  answer.headers.push_back({"Location", std::string(path) + std::string(query)});
  return answer;
}

hostcalls::HttpResponse password_answer(std::string_view realm) {
  hostcalls::HttpResponse answer = error_answer(401);
  std::string quoted;
  for (const char c : printable(realm)) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  answer.headers.push_back({"WWW-Authenticate", "Basic realm=\"" + quoted + "\", charset=\"UTF-8\""});
  return answer;
}

hostcalls::HttpResponse list_answer(std::string_view path, std::vector<ListItem> items) {
  std::sort(items.begin(), items.end(), [](const ListItem& a, const ListItem& b) {
    return a.is_directory != b.is_directory ? a.is_directory : a.name < b.name;
  });
  const std::string title = escape_html(path);
  std::string page =
      "<!DOCTYPE html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width\">\n<title>" +
      title + "</title>\n<h1>" + title + "</h1>\n<ul>\n";
  if (path != "/") page += "<li><a href=\"../\">../</a>\n";
  for (const ListItem& item : items) {
    const std::string slash = item.is_directory ? "/" : "";
    // "./": a name may hold a colon, which would make it a scheme
    page += "<li><a href=\"./" + encode_path(item.name) + slash + "\">" + escape_html(item.name) + slash + "</a>\n";
  }
  hostcalls::HttpResponse answer;
  answer.headers.push_back({"Content-Type", "text/html; charset=utf-8"});
  answer.headers.push_back({"Content-Security-Policy", "default-src 'none'"});
  answer.body = page + "</ul>\n";
  return answer;
}

}  // namespace tfvm::serve
