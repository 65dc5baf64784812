// The status page of the admin listener: functions, versions, errors, latency, as one HTML document without scripts.
#pragma once

#include <string>
#include <vector>

#include "cli/serve/function_pool.hpp"
#include "cli/serve/metrics.hpp"
#include "cli/serve/sites.hpp"

namespace tfvm::serve {

struct StatusPage {
  const ServerMetrics* server = nullptr;
  std::vector<Gauge> gauges;
  std::vector<FunctionStatus> files;
  std::vector<FunctionState*> functions;
  std::string version;
  bool is_draining = false;
};

std::string status_page(const StatusPage& page);

}  // namespace tfvm::serve
