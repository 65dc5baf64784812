// From the path of a request to what answers it, in one site: programs, files, folders, access rules. Looks at the
// site's index and, where that does not know, at the folder; changes nothing.
#pragma once

#include <string>
#include <string_view>

#include "cli/serve/request_path.hpp"
#include "cli/serve/site_files.hpp"
#include "cli/serve/sites.hpp"

namespace tfvm::serve {

/// True with `route` if the path leads to a program of the index that anybody may run: no memory but for the route's
/// own, no system call.
bool route_to_program(const SiteIndex& site, const PlainPath& path, Route& route);

/// What route_in_site finds out.
struct Routed {
  Route route;
  /// A program that is there but that the index does not know: it is to be asked for, and the request routed again.
  std::string unknown_program;
};

/// May block: opens files, checks passwords.
Routed route_in_site(const SiteIndex& site, const hostcalls::HttpRequest& request, const RequestPath& path,
                     bool allow_module_download);

/// A Route with an answer.
Route answer_route(hostcalls::HttpResponse answer);

}  // namespace tfvm::serve
