// Sites as they are: folders that are followed while requests are answered. All changes happen under one mutex, on the
// watching thread or on that of a request that names something new; the usual request sees an immutable snapshot and
// takes no lock.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "cli/serve/domain_records.hpp"
#include "cli/serve/module_versions.hpp"
#include "cli/serve/router.hpp"
#include "cli/serve/site_files.hpp"
#include "cli/serve/sites.hpp"

namespace tfvm::serve {

/// What only tests change.
struct LiveSitesOptions {
  bool has_thread = true;   ///< false: look_now() and poll_now() are called instead
  bool uses_leases = true;  ///< to find out whether a file is open for writing
  std::size_t max_watched_folders = SIZE_MAX;
  std::function<std::chrono::steady_clock::time_point()> now = std::chrono::steady_clock::now;
};

class LiveSites : public Sites {
 public:
  static Result<std::unique_ptr<LiveSites>> open(const Engine& engine, SitesConfig config,
                                                 LiveSitesOptions options = {});
  ~LiveSites() override;

  bool route_quickly(const hostcalls::HttpRequest& head, std::string_view host, Route& route) override;
  Route route_slowly(const hostcalls::HttpRequest& head, std::string_view host) override;
  bool serves_host(std::string_view host) override;
  std::vector<FunctionStatus> status() const override;
  void reload(FunctionSettings defaults, FunctionSettings ceilings) override;

  /// Takes in what the kernel has told, and makes it visible.
  void look_now();
  /// The same, after a look at what the kernel does not tell of.
  void poll_now();

 private:
  using Time = std::chrono::steady_clock::time_point;

  struct Site {
    std::unique_ptr<SiteFiles> files;
    std::optional<Time> valid_until;       ///< of a TXT record; none: a folder of ours
    std::optional<Time> gone_since;        ///< the folder is not there
    std::list<std::string>::iterator use;  ///< in recent_records_, of a record's site
  };
  /// What requests see.
  struct Snapshot {
    struct Host {
      std::shared_ptr<const SiteIndex> index;
      std::optional<Time> valid_until;
    };
    std::shared_ptr<const SiteIndex> only;
    StringMap<Host> hosts;
  };
  /// A site, or the answer if there is none.
  struct Found {
    std::shared_ptr<const SiteIndex> index;
    std::string host;
    Route route;
  };

  LiveSites(const Engine& engine, SitesConfig config, LiveSitesOptions options);
  Result<Done> start();
  void run();

  // REQUIRES: mutex_ is held.
  void take_events();
  void dispatch(const WatchEvent& event);
  void settle();
  bool is_settling() const;
  void publish();
  void sync_hosts();
  void add_host(const std::string& host);
  void look_at_everything(Cause cause);
  std::optional<Time> next_deadline();
  void log(std::string_view line) const;

  const Snapshot& snapshot() const;
  Found find_site(std::string_view host);
  Found find_record_site(const std::string& host);
  Found open_record_site(const std::string& host, const DomainRecords::Answer& answer);
  bool is_allowed_root(const DomainRecord& record) const;
  std::shared_ptr<const SiteIndex> ask_for(const std::string& host, const std::string& program);

  const SitesConfig config_;
  const LiveSitesOptions options_;
  ModuleVersions versions_;
  std::unique_ptr<DomainRecords> records_;  ///< null: no TXT records

  mutable std::mutex mutex_;
  SharedByFiles shared_;
  std::map<std::string, Site> sites_;      ///< by host; "" is the one for all hosts
  std::list<std::string> recent_records_;  ///< hosts of TXT records, the longest unused first
  std::optional<SiteRoot> host_root_;      ///< holds a folder for each host
  std::optional<WatchId> host_watch_;
  bool hosts_changed_ = false;
  unsigned polls_ = 0;
  bool is_stopping_ = false;

  mutable std::mutex snapshot_mutex_;
  std::shared_ptr<const Snapshot> snapshot_;
  std::atomic<std::uint64_t> generation_{1};
  const std::uint64_t id_;  ///< of this object, for what threads remember

  wasi::HostFile wake_;  ///< an eventfd: the thread is to stop
  std::thread thread_;
};

}  // namespace tfvm::serve
