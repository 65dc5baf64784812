// Routing inside of a site: see router.hpp.
#include "cli/serve/router.hpp"

#include <algorithm>
#include <dirent.h>
#include <fcntl.h>
#include <optional>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/serve/answers.hpp"
#include "cli/serve/static_file.hpp"

namespace tfvm::serve {

namespace {

constexpr std::string_view program_suffix = ".wasm";
constexpr std::size_t max_list_items = 10'000;

std::string lower_case(std::string_view text) {
  std::string lower(text);
  for (char& c : lower)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return lower;
}

/// Settings may hold secrets. Whatever the case: some file systems do not tell them apart.
bool is_configuration(std::string_view name) {
  const std::string lower = lower_case(name);
  return lower.ends_with(".toml") || lower == kbp_config_name;
}

void set_function(Route& route, const std::shared_ptr<const Function>& function, std::string_view script_name,
                  std::string_view path_info) {
  route.kind = Route::Kind::Function;
  route.function = function;
  route.script_name = script_name;
  route.path_info = path_info;
}

void add_origin(Route& route, std::string_view allow_origin) {
  if (!allow_origin.empty()) route.headers.push_back({"Access-Control-Allow-Origin", std::string(allow_origin)});
}

/// One request on its way through a site.
class Router {
 public:
  Router(const SiteIndex& site, const hostcalls::HttpRequest& request, const RequestPath& path, bool allow_download)
      : site_(site), request_(request), path_(path), allow_module_download_(allow_download) {}

  Routed route() {
    if (site_.access_is_invalid) {
      answer(error_answer(412, "invalid .kbp_config"));
    } else if (site_.only_program) {
      run(*site_.only_program, "", path_.rest(0));
    } else if (!run_program()) {
      find_file();
    }
    return std::move(routed_);
  }

 private:
  enum class Need : std::uint8_t { Read, List };

  void answer(hostcalls::HttpResponse response) {
    routed_.route.kind = Route::Kind::Answer;
    routed_.route.answer = std::move(response);
  }

  /// How many segments from the start can be names of files.
  std::size_t count_of_names() const {
    std::size_t count = 0;
    while (count < path_.size() && path_.is_file_name(count)) ++count;
    return count;
  }

  /// True if it may go on; else the answer says why not.
  bool may(Need need, std::string_view path) {
    if (!site_.access) {
      if (need == Need::Read) return true;
      answer(error_answer(403, "There is no index.html here."));
      return false;
    }
    const auto has = [&](const KbpConfig::Permissions& permissions) {
      return need == Need::Read ? permissions.read : permissions.list;
    };
    KbpConfig::Access access = site_.access->access(path, std::nullopt);
    if (routed_.route.headers.empty()) add_origin(routed_.route, access.allow_origin);
    if (has(access.allowed)) return true;
    if (!has(access.possible)) {
      answer(error_answer(403));
      return false;
    }
    const auto field = hostcalls::find_field(request_.headers, "authorization");
    const auto credentials = field ? parse_basic_credentials(*field) : std::nullopt;
    if (credentials) {
      const Authentication authentication = site_.access->authenticate(credentials->user, credentials->password);
      if (authentication == Authentication::TryLater) {
        answer(error_answer(429));
        return false;
      }
      if (authentication == Authentication::Yes) {
        access = site_.access->access(path, credentials->user);
        routed_.route.user = credentials->user;
        if (has(access.allowed)) return true;
      }
    }
    answer(password_answer(access.realm));
    return false;
  }

  /// True if some prefix of the path is a program, known or not.
  bool run_program() {
    const std::size_t names = count_of_names();
    for (std::size_t count = 1; count <= names; ++count) {
      if (!path_.segment(count - 1).ends_with(program_suffix)) continue;
      const std::string prefix = path_.joined(count);
      if (site_.programs.contains(prefix)) {
        run(prefix, '/' + prefix, path_.rest(count));
        return true;
      }
      const auto opened = site_.root.open(prefix, O_PATH);
      struct ::stat status;
      if (!opened.ok() || ::fstat(opened.value.number(), &status) != 0) return false;
      if (S_ISREG(status.st_mode)) {
        routed_.unknown_program = prefix;
        answer(error_answer(404));
        return true;
      }
    }
    return false;
  }

  void run(const std::string& program, std::string_view script_name, std::string_view path_info) {
    if (!may(Need::Read, program)) return;
    const SiteIndex::Program* found = site_.programs.find(program);
    if (found == nullptr) return answer(error_answer(404));
    if (found->function) return set_function(routed_.route, found->function, script_name, path_info);
    if (found->is_waiting) return answer(error_answer(503, "The file is still being written."));
    if (allow_module_download_ && path_info.empty() && send_file(program)) return;
    answer(error_answer(500, "This file is no function that can be run."));
  }

  void find_file() {
    if (path_.size() != 0 && is_configuration(path_.segment(path_.size() - 1))) return answer(error_answer(403));
    if (request_.method != "GET" && request_.method != "HEAD") {
      // What is not there has no methods at all.
      const bool is_there =
          count_of_names() == path_.size() && site_.root.open(path_.joined(path_.size()), O_PATH).ok();
      return answer(error_answer(is_there ? 405 : 404));
    }
    if (count_of_names() != path_.size()) return answer(error_answer(404));
    const std::string path = path_.joined(path_.size());
    auto opened = site_.root.open(path, O_RDONLY);
    struct ::stat status;
    if (!opened.ok() || ::fstat(opened.value.number(), &status) != 0) {
      if (may(Need::Read, path)) answer(error_answer(404));
    } else if (S_ISDIR(status.st_mode)) {
      open_directory(path, opened.value.number());
    } else if (path_.is_directory() || !S_ISREG(status.st_mode)) {
      if (may(Need::Read, path)) answer(error_answer(404));
    } else if (may(Need::Read, path) && !send_file(path)) {
      answer(error_answer(403));
    }
  }

  void open_directory(const std::string& path, int directory) {
    const std::string prefix = path.empty() ? "" : path + '/';
    const std::string page = prefix + "index.html";
    const std::string program = prefix + "index.wasm";
    const bool has_page = site_.root.open(page, O_PATH).ok();
    const bool has_program = !has_page && (site_.programs.contains(program) || site_.root.open(program, O_PATH).ok());
    if (!may(has_page || has_program ? Need::Read : Need::List, path)) return;
    if (!path_.is_directory()) return answer(redirect_answer('/' + encode_path(path) + '/', path_.query()));
    if (has_page && send_file(page)) return;
    if (!has_program) return has_page ? answer(error_answer(403)) : list(path, directory);
    if (!site_.programs.contains(program)) {
      routed_.unknown_program = program;
      return answer(error_answer(404));
    }
    run(program, '/' + program, "");
  }

  /// False if the file must not be sent.
  bool send_file(const std::string& path) {
    auto opened = site_.root.open(path, O_RDONLY);
    if (!opened.ok()) return false;
    auto file = StaticFile::adopt(::fcntl(opened.value.number(), F_DUPFD_CLOEXEC, 0), path);
    if (!file || (!allow_module_download_ && file->holds_module())) return false;
    routed_.route.kind = Route::Kind::File;
    routed_.route.file = std::move(file);
    return true;
  }

  void list(const std::string& path, int directory) {
    struct Close {
      void operator()(::DIR* open) const { ::closedir(open); }
    };
    const std::unique_ptr<::DIR, Close> open(::fdopendir(::fcntl(directory, F_DUPFD_CLOEXEC, 0)));
    if (!open) return answer(error_answer(500));
    std::vector<ListItem> items;
    while (const ::dirent* item = ::readdir(open.get())) {
      const std::string name = item->d_name;
      if (name.starts_with('.') || is_configuration(name)) continue;
      struct ::stat status;
      if (::fstatat(directory, item->d_name, &status, 0) != 0) continue;
      items.push_back({name, S_ISDIR(status.st_mode)});
      if (items.size() == max_list_items) break;
    }
    answer(list_answer(path.empty() ? "/" : '/' + path + '/', std::move(items)));
  }

  const SiteIndex& site_;
  const hostcalls::HttpRequest& request_;
  const RequestPath& path_;
  const bool allow_module_download_;
  Routed routed_;
};

}  // namespace

bool route_to_program(const SiteIndex& site, const PlainPath& path, Route& route) {
  if (site.access_is_invalid || site.only_program) {
    if (site.access_is_invalid) return false;
    const SiteIndex::Program* found = site.programs.find(*site.only_program);
    if (found == nullptr || !found->function) return false;
    set_function(route, found->function, "", path.path());
    return true;
  }
  for (std::size_t position = 0;;) {
    const std::string_view prefix = path.next_program(position);
    if (prefix.empty()) return false;
    const SiteIndex::Program* found = site.programs.find(prefix);
    if (found == nullptr) continue;
    if (!found->function) return false;
    if (site.access) {
      const KbpConfig::Access access = site.access->access(prefix, std::nullopt);
      if (!access.allowed.read) return false;
      add_origin(route, access.allow_origin);
    }
    set_function(route, found->function, path.path().substr(0, position), path.path().substr(position));
    return true;
  }
}

Routed route_in_site(const SiteIndex& site, const hostcalls::HttpRequest& request, const RequestPath& path,
                     bool allow_module_download) {
  return Router(site, request, path, allow_module_download).route();
}

Route answer_route(hostcalls::HttpResponse answer) {
  Route route;
  route.answer = std::move(answer);
  return route;
}

}  // namespace tfvm::serve
