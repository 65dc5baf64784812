// Following a site's files: what is there, what has changed, what is whole. What is done with their content is in
// site_content.cpp.
#include "cli/serve/site_files.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "wasi/path_resolve.hpp"

namespace tfvm::serve {

namespace {

constexpr std::string_view module_suffix = ".wasm";
constexpr std::string_view settings_suffix = ".toml";
constexpr std::size_t max_depth = 32;
constexpr std::size_t max_folders = 20'000;  // of a site: each may cost a watch
constexpr std::size_t max_programs = 100'000;

/// Hidden names are no names of a site, but for the ones that have a meaning in its root.
bool is_hidden(std::string_view directory, std::string_view name) {
  if (!name.starts_with('.')) return false;
  return !directory.empty() || (name != ".well-known" && name != kbp_config_name);
}

std::string join(const std::string& directory, std::string_view name) {
  return directory.empty() ? std::string(name) : directory + '/' + std::string(name);
}

bool is_below(std::string_view path, std::string_view directory) {
  return directory.empty() ||
         (path.size() > directory.size() && path.starts_with(directory) && path[directory.size()] == '/');
}

std::int64_t wall_now_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

struct CloseDirectory {
  void operator()(::DIR* directory) const { ::closedir(directory); }
};

}  // namespace

/// A folder that walk() has to visit.
struct SiteFiles::Folder {
  std::string path;
  bool is_linked = false;
  std::vector<std::pair<std::uint64_t, std::uint64_t>> ancestors;  ///< device and inode, itself last once visited
};

void SharedByFiles::forget_watches(const SiteFiles& site, std::string_view directory) {
  for (auto watched = watches.begin(); watched != watches.end();) {
    std::erase_if(watched->second, [&](const auto& listener) {
      return listener.first == &site && (listener.second == directory || is_below(listener.second, directory));
    });
    if (!watched->second.empty()) {
      ++watched;
      continue;
    }
    if (watcher) watcher->forget(watched->first);
    watched = watches.erase(watched);
  }
}

SiteFiles::SiteFiles(SharedByFiles& shared, SiteRoot root, std::string name, std::optional<std::string> only_file)
    : shared_(shared), root_(std::move(root)), name_(std::move(name)), only_file_(std::move(only_file)) {
  polls_ = shared_.watcher == nullptr;
}

SiteFiles::~SiteFiles() {
  if (!folders_.empty()) shared_.forget_watches(*this, "");
}

// ---- What is where --------------------------------------------------------------------------------------------------

bool SiteFiles::is_relevant(std::string_view path) const {
  if (path == kbp_config_name) return !only_file_;
  if (only_file_) {
    const std::string_view stem = std::string_view(*only_file_).substr(0, only_file_->rfind('.'));
    return path == *only_file_ || (path.ends_with(settings_suffix) && path.substr(0, path.size() - 5) == stem);
  }
  return path.ends_with(module_suffix) || path.ends_with(settings_suffix);
}

/// The path of a program's settings.
static std::string settings_path(const std::string& path) {
  return path.substr(0, path.rfind('.')) + std::string(settings_suffix);
}

SiteFiles::File* SiteFiles::find(const std::string& path) {
  if (path == kbp_config_name) return &access_file_;
  const auto found = programs_.find(program_path(path));
  if (found == programs_.end()) return nullptr;
  return path.ends_with(settings_suffix) ? &found->second.settings_file : &found->second.file;
}

SiteFiles::File& SiteFiles::file_of(const std::string& path) {
  if (File* file = find(path)) return *file;
  Program& program = programs_[program_path(path)];
  return path.ends_with(settings_suffix) ? program.settings_file : program.file;
}

std::vector<std::pair<std::string, SiteFiles::File*>> SiteFiles::files_below(const std::string& directory) {
  std::vector<std::pair<std::string, File*>> files;
  const std::string prefix = directory.empty() ? "" : directory + '/';
  for (auto item = programs_.lower_bound(prefix); item != programs_.end() && item->first.starts_with(prefix); ++item) {
    files.emplace_back(item->first, &item->second.file);
    files.emplace_back(settings_path(item->first), &item->second.settings_file);
  }
  if (directory.empty()) files.emplace_back(kbp_config_name, &access_file_);
  return files;
}

// ---- Looking --------------------------------------------------------------------------------------------------------

void SiteFiles::look_at_everything(Cause cause) {
  ++pass_;
  folders_in_pass_ = 0;
  if (const wasi::HostResult<wasi::HostFile> root = root_.open(); root.ok()) {
    struct ::stat status;
    if (::fstat(root.value.number(), &status) == 0) {
      FileStamp stamp;
      stamp.device = status.st_dev;
      stamp.inode = status.st_ino;
      if (root_stamp_ != stamp) {  // another folder: nothing that is watched is in it
        shared_.forget_watches(*this, "");
        folders_.clear();
        root_stamp_ = stamp;
      }
    }
    if (is_on_remote_file_system(root.value.number())) polls_ = is_remote_ = true;
    walk(root.value.number(), "", cause, false);
  } else {
    root_stamp_.reset();
  }
  for (auto& [path, file] : files_below(""))
    if (file->pass != pass_ && file->exists()) vanish(path, *file);
}

void SiteFiles::walk(int root, std::string directory, Cause cause, bool is_linked) {
  std::vector<Folder> pending;
  pending.push_back({std::move(directory), is_linked, {}});
  while (!pending.empty()) {
    const Folder folder = std::move(pending.back());
    pending.pop_back();
    if (++folders_in_pass_ > max_folders) {
      if (folders_in_pass_ == max_folders + 1) log(folder.path, "not looked at: the site has too many folders");
      continue;
    }
    visit(root, folder, cause, pending);
  }
}

void SiteFiles::visit(int root, const Folder& folder, Cause cause, std::vector<Folder>& pending) {
  wasi::HostResult<wasi::HostFile> opened = SiteRoot::open_below(root, folder.path, O_RDONLY | O_DIRECTORY);
  struct ::stat status;
  if (!opened.ok() || ::fstat(opened.value.number(), &status) != 0) return;
  const std::pair<std::uint64_t, std::uint64_t> identity(status.st_dev, status.st_ino);
  const auto& ancestors = folder.ancestors;
  if (std::find(ancestors.begin(), ancestors.end(), identity) != ancestors.end()) return;  // links in a circle
  Folder below{{}, folder.is_linked, ancestors};
  below.ancestors.push_back(identity);

  // First the watch, then the names: none that comes in between is missed.
  watch(opened.value.number(), folder.path);
  const int copy = ::fcntl(opened.value.number(), F_DUPFD_CLOEXEC, 0);
  const std::unique_ptr<::DIR, CloseDirectory> directory(::fdopendir(copy));
  if (!directory) return;
  while (const ::dirent* item = ::readdir(directory.get())) {
    const std::string name = item->d_name;
    if (name == "." || name == ".." || is_hidden(folder.path, name)) continue;
    const std::string path = join(folder.path, name);
    auto type = static_cast<mode_t>(DTTOIF(static_cast<unsigned>(item->d_type)));
    struct ::stat entry;
    if (item->d_type == DT_UNKNOWN && ::fstatat(opened.value.number(), item->d_name, &entry, AT_SYMLINK_NOFOLLOW) == 0)
      type = entry.st_mode & S_IFMT;
    if (S_ISDIR(type)) {
      if (only_file_ || below.ancestors.size() > max_depth) continue;
      below.path = path;
      pending.push_back(below);
    } else if (S_ISLNK(type)) {
      visit_link(root, below, path, cause, pending);
    } else if (S_ISREG(type) && is_relevant(path)) {
      if (cause == Cause::Polled && is_unchanged(opened.value.number(), name, path)) continue;
      look(path, cause, folder.is_linked);
    }
  }
}

/// The usual case of a poll, with one system call. Marks the file as seen.
bool SiteFiles::is_unchanged(int folder, const std::string& name, const std::string& path) {
  File* const file = find(path);
  struct ::stat status;
  if (file == nullptr || file->is_unsettled() || file->gone_since || !file->used ||
      ::fstatat(folder, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0 || *file->used != stamp_of(status))
    return false;
  file->pass = pass_;
  return true;
}

void SiteFiles::visit_link(int root, const Folder& folder, const std::string& path, Cause cause,
                           std::vector<Folder>& pending) {
  const wasi::HostResult<wasi::HostFile> target = SiteRoot::open_below(root, path, O_PATH);
  struct ::stat status;
  if (!target.ok() || ::fstat(target.value.number(), &status) != 0) return;
  if (S_ISDIR(status.st_mode) && !only_file_ && folder.ancestors.size() <= max_depth)
    pending.push_back({path, true, folder.ancestors});
  else if (S_ISREG(status.st_mode) && is_relevant(path)) look(path, cause, true);
}

void SiteFiles::watch(int folder, const std::string& directory) {
  if (is_on_remote_file_system(folder)) polls_ = is_remote_ = true;
  if (!shared_.watcher || polls_) return;
  const Result<WatchId> watch = shared_.watcher->watch(folder);
  if (!watch.ok()) {
    polls_ = true;
    log(directory, "cannot be watched: " + watch.error().message + "; the site is polled every " +
                       std::to_string(shared_.poll_interval.count()) + " ms instead");
    return;
  }
  folders_[directory] = *watch;
  auto& listeners = shared_.watches[*watch];
  const std::pair<SiteFiles*, std::string> listener(this, directory);
  if (std::find(listeners.begin(), listeners.end(), listener) == listeners.end()) listeners.push_back(listener);
}

void SiteFiles::look(const std::string& path, Cause cause, bool is_linked) {
  if (File* known = find(path); known != nullptr) {
    known->pass = pass_;
    known->is_linked = is_linked;
  } else if (programs_.size() >= max_programs) {
    if (!std::exchange(is_full_, true)) log(path, "not served: the site has too many programs");
    return;
  }
  const wasi::HostResult<wasi::HostFile> opened = root_.open(path, O_RDONLY);
  struct ::stat status;
  if (!opened.ok() || ::fstat(opened.value.number(), &status) != 0 || !S_ISREG(status.st_mode)) {
    File* known = find(path);
    const bool is_there = !opened.ok() && opened.error == wasi::Errno::Acces;
    if (is_there) {
      file_of(path).used = FileStamp();
      refuse(path, "permission denied");
    } else if (known != nullptr && known->exists()) {
      vanish(path, *known);
    }
    return;
  }
  File& file = file_of(path);
  file.pass = pass_;
  file.is_linked = is_linked;
  const bool knows_writers =
      shared_.uses_leases && cause != Cause::Closed && !is_on_remote_file_system(opened.value.number());
  const Writers writers = knows_writers ? writers_of(opened.value.number()) : Writers::Unknown;
  const auto settled_age = 2 * shared_.poll_interval;
  switch (file.judge(stamp_of(status), cause, writers, settled_age, wall_now_ns())) {
    case TrackedFile::Verdict::Nothing: break;
    case TrackedFile::Verdict::Read: ready_.insert(path); break;
    case TrackedFile::Verdict::Wait:
      mark_changed(path);
      // Rules that are not known yet must not be missed.
      if (path == kbp_config_name && cause == Cause::Found && !file.used) access_is_invalid_ = true;
      break;
  }
}

void SiteFiles::vanish(const std::string& path, File& file) {
  file.gone_since = shared_.now();
  gone_.insert(path);
}

void SiteFiles::vanish_below(const std::string& directory) {
  for (auto& [path, file] : files_below(directory))
    if (file->exists()) vanish(path, *file);
  std::size_t forgotten = folders_.erase(directory);
  for (auto item = folders_.lower_bound(directory + '/'); item != folders_.end() && is_below(item->first, directory);
       ++forgotten)
    item = folders_.erase(item);
  if (forgotten != 0) shared_.forget_watches(*this, directory);
}

// ---- Being told -----------------------------------------------------------------------------------------------------

void SiteFiles::look_at_new_name(const std::string& path, Cause cause) {
  const wasi::HostResult<wasi::HostFile> root = root_.open();
  if (!root.ok()) return;
  const wasi::HostResult<wasi::HostFile> itself =
      wasi::PathResolver().open(root.value.number(), path, O_PATH | O_NOFOLLOW | O_CLOEXEC, 0, false);
  struct ::stat status;
  if (!itself.ok() || ::fstat(itself.value.number(), &status) != 0) return;
  const bool is_link = S_ISLNK(status.st_mode);
  const wasi::HostResult<wasi::HostFile> target = SiteRoot::open_below(root.value.number(), path, O_PATH);
  struct ::stat target_status;
  if (is_link && (!target.ok() || ::fstat(target.value.number(), &target_status) != 0)) return;
  const mode_t mode = is_link ? target_status.st_mode : status.st_mode;
  if (S_ISDIR(mode)) {
    if (only_file_) return;
    // What a link led to before is not what it leads to now.
    if (is_link) vanish_below(path);
    folders_in_pass_ = 0;
    walk(root.value.number(), path, cause, is_link);
  } else if (S_ISREG(mode) && is_relevant(path)) {
    // A link is made in one step, and so is a second name of a file.
    if (is_link) look(path, Cause::Closed, true);
    else look(path, cause == Cause::Opened && status.st_nlink > 1 ? Cause::Found : cause, false);
  }
}

void SiteFiles::handle(const std::string& directory, const WatchEvent& event) {
  using Kind = WatchEvent::Kind;
  if (event.kind == Kind::FolderGone || event.kind == Kind::Forgotten) {
    if (directory.empty()) look_at_everything(Cause::Found);  // of other folders their parents tell
    return;
  }
  if (event.name.empty() || is_hidden(directory, event.name)) return;
  const std::string path = join(directory, event.name);
  File* file = is_relevant(path) ? find(path) : nullptr;
  switch (event.kind) {
    case Kind::Created: look_at_new_name(path, event.is_directory ? Cause::Found : Cause::Opened); break;
    case Kind::MovedHere: look_at_new_name(path, Cause::Closed); break;
    case Kind::Modified:
      if (file != nullptr) file->is_open = true;
      break;
    case Kind::Closed:
      if (is_relevant(path)) look(path, Cause::Closed, false);
      break;
    case Kind::Attributes:
      if (is_relevant(path)) look(path, Cause::Found, file != nullptr && file->is_linked);
      break;
    case Kind::Gone:
      if (file != nullptr && file->exists()) vanish(path, *file);
      vanish_below(path);
      break;
    default: break;
  }
}

void SiteFiles::poll() {
  if (polls_) {
    look_at_everything(Cause::Polled);
    return;
  }
  // A folder that was renamed and replaced says nothing through its old name.
  struct ::stat status;
  const wasi::HostResult<wasi::HostFile> root = root_.open();
  const bool is_same = root.ok() && ::fstat(root.value.number(), &status) == 0 && root_stamp_ &&
                       root_stamp_->device == status.st_dev && root_stamp_->inode == status.st_ino;
  if (!is_same && (root.ok() || root_stamp_)) {
    look_at_everything(Cause::Found);
    return;
  }
  const auto is_due = [](const File& file) {
    return !file.gone_since && (file.seen || file.is_open || (file.is_linked && file.exists()));
  };
  std::vector<std::string> due;
  if (is_due(access_file_)) due.emplace_back(kbp_config_name);
  for (const auto& [path, program] : programs_) {
    if (is_due(program.file)) due.push_back(path);
    if (is_due(program.settings_file)) due.push_back(settings_path(path));
  }
  for (const std::string& path : due) look(path, Cause::Polled, find(path)->is_linked);
}

void SiteFiles::ask_for(const std::string& path) {
  if (!is_relevant(path)) return;
  const File* file = find(path);
  const bool is_new = file == nullptr;
  if (is_new || !file->used || file->gone_since) look(path, Cause::Found, !is_new && file->is_linked);
  // Its settings came first, or come with it.
  const std::string settings = settings_path(path);
  if (is_new && is_relevant(settings)) look(settings, Cause::Found, false);
  for (const std::string& name : {settings, path})
    if (ready_.contains(name)) read_ready(name);
}

}  // namespace tfvm::serve
