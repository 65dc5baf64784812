// Following folders and answering requests: see live_sites.hpp.
#include "cli/serve/live_sites.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <dirent.h>
#include <fcntl.h>
#include <filesystem>
#include <new>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/serve/answers.hpp"
#include "cli/serve/host_name.hpp"

namespace tfvm::serve {

namespace {

constexpr std::size_t max_record_sites = 1024;
constexpr int max_rounds = 8;
constexpr std::chrono::milliseconds min_poll_interval{10};
constexpr unsigned polls_between_host_lists = 30;  // where the kernel tells of new ones

std::atomic<std::uint64_t> next_id{1};

std::string absolute(const std::string& path) { return std::filesystem::absolute(path).lexically_normal().string(); }

struct CloseDirectory {
  void operator()(::DIR* directory) const { ::closedir(directory); }
};

}  // namespace

Result<std::unique_ptr<Sites>> open_sites(const Engine& engine, SitesConfig config) {
  Result<std::unique_ptr<LiveSites>> sites = LiveSites::open(engine, std::move(config));
  if (!sites.ok()) return sites.error();
  return std::unique_ptr<Sites>(std::move(*sites));
}

Result<std::unique_ptr<LiveSites>> LiveSites::open(const Engine& engine, SitesConfig config, LiveSitesOptions options) {
  std::unique_ptr<LiveSites> sites(new LiveSites(engine, std::move(config), std::move(options)));
  const Result<Done> started = sites->start();
  if (!started.ok()) return started.error();
  return sites;
}

LiveSites::LiveSites(const Engine& engine, SitesConfig config, LiveSitesOptions options)
    : config_(std::move(config)),
      options_(std::move(options)),
      versions_(engine, config_.max_modules_bytes),
      snapshot_(std::make_shared<const Snapshot>()),
      id_(next_id++) {
  if (config_.by_domain && !config_.share_root.empty() && config_.resolver != nullptr)
    records_ = std::make_unique<DomainRecords>(*config_.resolver, options_.now);
  shared_.versions = &versions_;
  shared_.settings = {config_.defaults, config_.ceilings};
  shared_.poll_interval = config_.poll_interval;
  shared_.max_module_bytes = config_.max_module_bytes;
  shared_.uses_leases = options_.uses_leases;
  shared_.now = options_.now;
  if (config_.log) shared_.log = config_.log;
}

LiveSites::~LiveSites() {
  if (!thread_.joinable()) return;
  {
    const std::scoped_lock lock(mutex_);
    is_stopping_ = true;
  }
  ::eventfd_write(wake_.number(), 1);
  thread_.join();
}

void LiveSites::log(std::string_view line) const { shared_.log(line); }

Result<Done> LiveSites::start() {
  const auto fail = [&](const std::string& path, const char* why) {
    return Error{ErrorKind::Host, "cannot serve '" + printable(path) + "': " + why};
  };
  if (config_.use_inotify) {
    Result<std::unique_ptr<Watcher>> watcher = Watcher::open(options_.max_watched_folders);
    if (watcher.ok()) shared_.watcher = std::move(*watcher);
    else log(watcher.error().message + "; folders are polled instead");
  }
  const std::scoped_lock lock(mutex_);
  if (!config_.root.empty() || !config_.by_domain) {
    const std::string root = absolute(config_.root);
    struct ::stat status;
    if (::stat(root.c_str(), &status) != 0) return fail(config_.root, std::strerror(errno));
    if (config_.by_domain) {
      if (!S_ISDIR(status.st_mode)) return fail(config_.root, "not a folder");
      host_root_.emplace(root);
      sync_hosts();
    } else if (S_ISDIR(status.st_mode)) {
      sites_[""].files = std::make_unique<SiteFiles>(shared_, SiteRoot(root), "");
    } else if (S_ISREG(status.st_mode)) {
      // The operator's own link may lead anywhere.
      std::filesystem::path file = root;
      if (std::filesystem::is_symlink(file)) file = std::filesystem::canonical(file);
      sites_[""].files = std::make_unique<SiteFiles>(shared_, SiteRoot(file.parent_path()), "", file.filename());
    } else {
      return fail(config_.root, "neither a folder nor a file");
    }
    if (!config_.by_domain) sites_[""].files->look_at_everything(Cause::Found);
  }
  do {
    settle();
  } while (is_settling());
  publish();
  if (options_.has_thread) {
    wake_ = wasi::HostFile::own(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    thread_ = std::thread([this] { run(); });
  }
  return Done{};
}

// ---- The watching thread --------------------------------------------------------------------------------------------

void LiveSites::run() {
  // Signals are for the threads that expect them.
  ::sigset_t all;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_BLOCK, &all, nullptr);
  const auto poll_interval = std::max(config_.poll_interval, min_poll_interval);
  Time next_poll = options_.now() + poll_interval;
  for (;;) {
    Time wake_at = next_poll;
    {
      const std::scoped_lock lock(mutex_);
      if (is_stopping_) return;
      if (const auto deadline = next_deadline()) wake_at = std::min(wake_at, *deadline);
      if (is_settling()) wake_at = options_.now();
    }
    struct ::pollfd files[2] = {{wake_.number(), POLLIN, 0}, {-1, POLLIN, 0}};
    if (shared_.watcher) files[1].fd = shared_.watcher->fd();
    const auto wait = std::chrono::ceil<std::chrono::milliseconds>(wake_at - options_.now()).count();
    ::poll(files, 2, static_cast<int>(std::clamp<std::int64_t>(wait, 0, 60'000)));
    const bool is_poll = options_.now() >= next_poll;
    try {
      is_poll ? poll_now() : look_now();
    } catch (const std::bad_alloc&) {
      log("out of memory while looking at files; the next poll tries again");
    }
    if (is_poll) next_poll = options_.now() + poll_interval;
  }
}

void LiveSites::look_now() {
  const std::scoped_lock lock(mutex_);
  take_events();
  settle();
  publish();
}

void LiveSites::poll_now() {
  const std::scoped_lock lock(mutex_);
  take_events();
  if (host_root_ && (!host_watch_ || ++polls_ % polls_between_host_lists == 0)) sync_hosts();
  for (auto& [host, site] : sites_) site.files->poll();
  settle();
  publish();
}

void LiveSites::take_events() {
  if (!shared_.watcher) return;
  shared_.watcher->read();
  while (const std::optional<WatchEvent> event = shared_.watcher->next()) dispatch(*event);
  const bool is_host_due = std::any_of(sites_.begin(), sites_.end(), [&](const auto& item) {
    return item.second.gone_since && options_.now() >= *item.second.gone_since + gone_grace;
  });
  if (std::exchange(hosts_changed_, false) || is_host_due) sync_hosts();
}

void LiveSites::dispatch(const WatchEvent& event) {
  if (event.kind == WatchEvent::Kind::Overflow) {
    log("more changes than the system can tell of: looking at everything");
    hosts_changed_ = host_root_.has_value();
    look_at_everything(Cause::Found);
    return;
  }
  if (host_watch_ == event.watch) {
    hosts_changed_ = true;
    return;
  }
  const auto watched = shared_.watches.find(event.watch);
  if (watched == shared_.watches.end()) return;
  const auto listeners = watched->second;  // which the handlers may change
  for (const auto& [files, directory] : listeners) files->handle(directory, event);
  if (event.kind == WatchEvent::Kind::Forgotten) shared_.watches.erase(event.watch);
}

void LiveSites::settle() {
  // Reading files takes in further events, which may say that what was read is old already.
  for (int round = 0; round < max_rounds; ++round) {
    for (auto& [host, site] : sites_) site.files->settle();
    if (!shared_.watcher || !shared_.watcher->has_next()) return;
    take_events();
  }
}

bool LiveSites::is_settling() const {
  if (shared_.watcher && shared_.watcher->has_next()) return true;
  return std::any_of(sites_.begin(), sites_.end(), [](const auto& item) { return item.second.files->is_settling(); });
}

void LiveSites::look_at_everything(Cause cause) {
  for (auto& [host, site] : sites_) site.files->look_at_everything(cause);
}

std::optional<LiveSites::Time> LiveSites::next_deadline() {
  std::optional<Time> first;
  const auto take = [&](const std::optional<Time>& deadline) {
    if (deadline && (!first || *deadline < *first)) first = deadline;
  };
  for (auto& [host, site] : sites_) {
    take(site.files->next_deadline());
    if (site.gone_since) take(*site.gone_since + gone_grace);
  }
  return first;
}

/// The folders of hosts that are there now become sites, and only they.
void LiveSites::sync_hosts() {
  std::map<std::string, bool> there;
  auto root = host_root_->open(".", O_RDONLY | O_DIRECTORY);
  if (root.ok()) {
    if (shared_.watcher && !is_on_remote_file_system(root.value.number()))
      if (const Result<WatchId> watch = shared_.watcher->watch(root.value.number()); watch.ok()) host_watch_ = *watch;
    const std::unique_ptr<::DIR, CloseDirectory> directory(
        ::fdopendir(::fcntl(root.value.number(), F_DUPFD_CLOEXEC, 0)));
    while (const ::dirent* item = directory ? ::readdir(directory.get()) : nullptr)
      if (is_normal_host(item->d_name) && SiteRoot(host_root_->base(), {item->d_name}).open().ok())
        there[item->d_name] = true;
  }
  for (auto site = sites_.begin(); site != sites_.end();) {
    std::optional<Time>& gone_since = site->second.gone_since;
    if (site->second.valid_until || there.erase(site->first) != 0) {
      gone_since.reset();
      ++site;
      continue;
    }
    if (!gone_since) gone_since = options_.now();
    if (options_.now() < *gone_since + gone_grace) {
      ++site;
      continue;
    }
    log(printable(site->first) + ": the folder is gone");
    site = sites_.erase(site);
  }
  for (const auto& [host, is_there] : there) add_host(host);
}

void LiveSites::add_host(const std::string& host) {
  if (const auto old = sites_.find(host); old != sites_.end()) {  // of a record: a folder of ours comes first
    recent_records_.erase(old->second.use);
    sites_.erase(old);
  }
  Site& site = sites_[host];
  site.files = std::make_unique<SiteFiles>(shared_, SiteRoot(host_root_->base(), {host}), host);
  site.files->look_at_everything(Cause::Found);
}

// ---- What requests see ----------------------------------------------------------------------------------------------

void LiveSites::publish() {
  auto next = std::make_shared<Snapshot>();
  bool is_changed = false;
  for (auto& [host, site] : sites_) {
    std::shared_ptr<const SiteIndex> index = site.files->index();
    if (host.empty()) {
      is_changed = is_changed || snapshot_->only != index;
      next->only = std::move(index);
      continue;
    }
    const auto old = snapshot_->hosts.find(host);
    is_changed = is_changed || old == snapshot_->hosts.end() || old->second.index != index ||
                 old->second.valid_until != site.valid_until;
    next->hosts.emplace(host, Snapshot::Host{std::move(index), site.valid_until});
  }
  if (!is_changed && next->hosts.size() == snapshot_->hosts.size()) return;
  const std::scoped_lock lock(snapshot_mutex_);
  snapshot_ = std::move(next);
  generation_.fetch_add(1, std::memory_order_release);
}

const LiveSites::Snapshot& LiveSites::snapshot() const {
  struct Remembered {
    std::uint64_t id = 0;
    std::uint64_t generation = 0;
    std::shared_ptr<const Snapshot> snapshot;
  };
  thread_local Remembered remembered;
  if (remembered.id != id_ || remembered.generation != generation_.load(std::memory_order_acquire)) {
    const std::scoped_lock lock(snapshot_mutex_);
    remembered = {id_, generation_.load(std::memory_order_relaxed), snapshot_};
  }
  return *remembered.snapshot;
}

bool LiveSites::route_quickly(const hostcalls::HttpRequest& head, std::string_view host, Route& route) {
  const std::optional<PlainPath> path = PlainPath::parse(head.target);
  if (!path) return false;
  const Snapshot& now = snapshot();
  if (!config_.by_domain) return now.only && route_to_program(*now.only, *path, route);
  auto found = now.hosts.find(host);
  if (found == now.hosts.end()) {
    const std::optional<std::string> normal = normalise_host(host);
    if (!normal) return false;
    found = now.hosts.find(*normal);
    if (found == now.hosts.end()) return false;
  }
  if (found->second.valid_until && options_.now() >= *found->second.valid_until) return false;
  return route_to_program(*found->second.index, *path, route);
}

Route LiveSites::route_slowly(const hostcalls::HttpRequest& head, std::string_view host) {
  const std::optional<RequestPath> path = RequestPath::parse(head.target);
  if (!path) return answer_route(error_answer(400));
  Found site = find_site(host);
  if (!site.index) return std::move(site.route);
  Routed routed = route_in_site(*site.index, head, *path, config_.allow_module_download);
  if (routed.unknown_program.empty()) return std::move(routed.route);
  site.index = ask_for(site.host, routed.unknown_program);
  if (!site.index) return answer_route(error_answer(404));
  return route_in_site(*site.index, head, *path, config_.allow_module_download).route;
}

std::shared_ptr<const SiteIndex> LiveSites::ask_for(const std::string& host, const std::string& program) {
  const std::scoped_lock lock(mutex_);
  take_events();
  settle();
  const auto site = sites_.find(host);
  if (site == sites_.end()) return nullptr;
  site->second.files->ask_for(program);
  settle();
  publish();
  const auto still = sites_.find(host);
  return still == sites_.end() ? nullptr : still->second.files->index();
}

LiveSites::Found LiveSites::find_site(std::string_view host) {
  Found found;
  if (!config_.by_domain) {
    found.index = snapshot().only;
    return found;
  }
  const std::optional<std::string> name = normalise_host(host);
  if (!name) {
    found.route = answer_route(error_answer(421));
    return found;
  }
  found.host = *name;
  const Snapshot& now = snapshot();
  if (const auto known = now.hosts.find(*name);
      known != now.hosts.end() && (!known->second.valid_until || options_.now() < *known->second.valid_until)) {
    found.index = known->second.index;
    return found;
  }
  if (host_root_ && SiteRoot(host_root_->base(), {*name}).open().ok()) {
    const std::scoped_lock lock(mutex_);
    take_events();
    const auto site = sites_.find(*name);
    if (site == sites_.end() || site->second.valid_until) add_host(*name);
    settle();
    publish();
    if (const auto added = sites_.find(*name); added != sites_.end()) {
      found.index = added->second.files->index();
      return found;
    }
  }
  if (records_) return find_record_site(*name);
  found.route = answer_route(error_answer(421));
  return found;
}

LiveSites::Found LiveSites::find_record_site(const std::string& host) {
  Found found;
  found.host = host;
  const DomainRecords::Answer answer = records_->find(host);
  hostcalls::HttpResponse silent;
  silent.status = 500;
  switch (answer.record.status) {
    case DomainRecord::Status::Found: return open_record_site(host, answer);
    case DomainRecord::Status::None:
      found.route = answer_route(error_answer(503, "no TXT record is found for kbp="));
      break;
    case DomainRecord::Status::Invalid: found.route = answer_route(error_answer(412, "invalid TXT record")); break;
    case DomainRecord::Status::Failed: found.route = answer_route(std::move(silent)); break;
    case DomainRecord::Status::Busy: found.route = answer_route(error_answer(503)); break;
  }
  return found;
}

LiveSites::Found LiveSites::open_record_site(const std::string& host, const DomainRecords::Answer& answer) {
  const DomainRecord& record = answer.record;
  std::vector<std::string> steps{record.folder};
  if (!record.path.empty()) steps.push_back(record.path);
  const SiteRoot root(config_.share_root, std::move(steps));
  Found found;
  found.host = host;
  if (!root.open().ok()) found.route = answer_route(error_answer(503, "the folder of this domain is not here"));
  else if (!is_allowed_root(record)) found.route = answer_route(error_answer(412, "the folder has rules above it"));
  const bool is_legal = found.route.answer.status == hostcalls::HttpResponse().status;

  const std::scoped_lock lock(mutex_);
  auto site = sites_.find(host);
  if (site != sites_.end() && site->second.valid_until && (!is_legal || !(site->second.files->root() == root))) {
    recent_records_.erase(site->second.use);
    sites_.erase(site);
    site = sites_.end();
  }
  if (is_legal && site == sites_.end()) {
    if (recent_records_.size() >= max_record_sites) {
      sites_.erase(recent_records_.front());
      recent_records_.pop_front();
    }
    site = sites_.emplace(host, Site()).first;
    site->second.valid_until = answer.valid_until;
    site->second.use = recent_records_.insert(recent_records_.end(), host);
    site->second.files = std::make_unique<SiteFiles>(shared_, root, host);
    site->second.files->look_at_everything(Cause::Found);
  } else if (is_legal && site->second.valid_until) {  // else a folder of ours has come in between
    site->second.valid_until = answer.valid_until;
    recent_records_.splice(recent_records_.end(), recent_records_, site->second.use);
  }
  take_events();
  settle();
  publish();
  if (const auto opened = sites_.find(host); is_legal && opened != sites_.end())
    found.index = opened->second.files->index();
  return found;
}

/// Anybody can point a record at a folder within somebody's; the access rules of a folder above would not be asked.
bool LiveSites::is_allowed_root(const DomainRecord& record) const {
  const SiteRoot folder(config_.share_root, {record.folder});
  for (std::string_view parent = record.path; !parent.empty();) {
    const std::size_t slash = parent.rfind('/');
    parent = parent.substr(0, slash == std::string_view::npos ? 0 : slash);
    const std::string rules = (parent.empty() ? "" : std::string(parent) + '/') + std::string(kbp_config_name);
    const auto opened = folder.open(rules, O_PATH);
    if (opened.ok() || opened.error != wasi::Errno::Noent) return false;
  }
  return true;
}

bool LiveSites::serves_host(std::string_view host) { return !config_.by_domain || find_site(host).index != nullptr; }

std::vector<FunctionStatus> LiveSites::status() const {
  const std::scoped_lock lock(mutex_);
  std::vector<FunctionStatus> all;
  for (const auto& [host, site] : sites_) site.files->add_status(all);
  return all;
}

void LiveSites::reload(FunctionSettings defaults, FunctionSettings ceilings) {
  const std::scoped_lock lock(mutex_);
  shared_.settings = {std::move(defaults), std::move(ceilings)};
  for (auto& [host, site] : sites_) site.files->apply_settings();
  settle();
  publish();
}

}  // namespace tfvm::serve
