// What a site's files hold: modules, settings and access rules become functions and an index. When files are read is
// decided in site_files.cpp.
#include <fcntl.h>
#include <sys/stat.h>

#include "cli/serve/site_files.hpp"

namespace tfvm::serve {

namespace {

// Reading goes on in pieces, so that what is read can be seen and requests that wait for something else get their turn.
constexpr std::chrono::milliseconds settle_time{20};

std::int64_t wall_now_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

std::string folder_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? "" : path.substr(0, slash);
}

std::string name_in_folder(const std::string& path) { return path.substr(path.rfind('/') + 1); }

bool is_settings(std::string_view path) { return path.ends_with(".toml"); }

std::string short_version(const ModuleVersion& version) { return version.sha256.substr(0, 12); }

}  // namespace

/// There is a file of its name; settings alone are no program.
bool SiteFiles::is_listed(const Program& program) {
  return program.file.used || program.file.seen || !program.module_problem.empty();
}

/// `path` of a program or its settings.
void SiteFiles::mark_changed(const std::string& path) {
  is_changed_ = true;
  if (path == kbp_config_name) return;
  changed_programs_.insert(program_path(path));
}

std::string SiteFiles::program_path(const std::string& path) const {
  if (!is_settings(path)) return path;
  return only_file_ ? *only_file_ : path.substr(0, path.size() - 5) + ".wasm";
}

std::string SiteFiles::full_name(std::string_view path) const {
  if (name_.empty()) return std::string(path);
  return path.empty() ? name_ : name_ + '/' + std::string(path);
}

void SiteFiles::log(std::string_view path, std::string_view text) const {
  const std::string name = full_name(path);
  shared_.log(printable(name.empty() ? root_.base() : name) + ": " + printable(text));
}

void SiteFiles::settle() {
  const SharedByFiles::SteadyTime now = shared_.now();
  while (!ready_.empty() && shared_.now() - now < settle_time) read_ready(*ready_.begin());
  for (auto item = gone_.begin(); item != gone_.end();) {
    const std::string path = *item;
    File* const file = find(path);
    if (file != nullptr && file->gone_since && now < *file->gone_since + gone_grace) {
      ++item;
      continue;
    }
    item = gone_.erase(item);
    if (file == nullptr || !file->gone_since) continue;  // came back
    const wasi::HostResult<wasi::HostFile> opened = root_.open(path, O_RDONLY);
    struct ::stat status;
    if (opened.ok() && ::fstat(opened.value.number(), &status) == 0 && S_ISREG(status.st_mode)) {
      look(path, Cause::Found, file->is_linked);
      continue;
    }
    *file = File();
    remove(path);
    mark_changed(path);
  }
}

void SiteFiles::read_ready(const std::string& path) {
  const std::string name = path;
  ready_.erase(name);
  if (read(name)) mark_changed(name);
}

std::optional<SharedByFiles::SteadyTime> SiteFiles::next_deadline() {
  std::optional<SharedByFiles::SteadyTime> first;
  for (const std::string& path : gone_)
    if (const File* file = find(path); file != nullptr && file->gone_since)
      if (!first || *file->gone_since + gone_grace < *first) first = *file->gone_since + gone_grace;
  return first;
}

/// True if something changed by it.
bool SiteFiles::read(const std::string& path) {
  File* const file = find(path);
  if (file == nullptr || file->is_open) return false;  // opened again since
  const wasi::HostResult<wasi::HostFile> opened = root_.open(path, O_RDONLY);
  struct ::stat before;
  if (!opened.ok() || ::fstat(opened.value.number(), &before) != 0 || !S_ISREG(before.st_mode)) return false;
  const std::uint64_t max_bytes = path == kbp_config_name ? max_kbp_config_bytes
                                  : is_settings(path)     ? max_settings_bytes
                                                          : shared_.max_module_bytes;
  Result<std::vector<std::uint8_t>> bytes = read_file(opened.value.number(), max_bytes);

  struct ::stat after;
  bool is_disturbed = ::fstat(opened.value.number(), &after) != 0 || stamp_of(before) != stamp_of(after);
  if (const auto folder = folders_.find(folder_of(path)); folder != folders_.end() && shared_.watcher) {
    shared_.watcher->read();
    is_disturbed = is_disturbed || shared_.watcher->is_being_written(folder->second, name_in_folder(path));
  }
  if (is_disturbed) {
    file->was_disturbed(stamp_of(after));
    return true;
  }
  file->was_read(stamp_of(before), wall_now_ns());
  if (bytes.ok()) apply(path, std::move(*bytes));
  else refuse(path, bytes.error().message);
  return true;
}

void SiteFiles::apply(const std::string& path, std::vector<std::uint8_t> bytes) {
  if (path == kbp_config_name)
    apply_access(std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
  else if (is_settings(path)) apply_settings_file(path, std::string(bytes.begin(), bytes.end()));
  else apply_module(path, std::move(bytes));
}

void SiteFiles::apply_module(const std::string& path, std::vector<std::uint8_t> bytes) {
  Program& program = programs_[path];
  Result<std::shared_ptr<const ModuleVersion>> version = shared_.versions->load(std::move(bytes));
  if (!version.ok()) {
    refuse(path, version.error().to_string());
    return;
  }
  program.module_problem.clear();
  if (program.version == *version && program.function) return;
  program.version = std::move(*version);
  program.loaded = std::chrono::system_clock::now();
  compose(path, program);
  log(path, "version " + short_version(*program.version) + " (" +
                (program.version->kind == FunctionKind::Cgi ? "CGI" : "hostcalls") + ", " +
                std::to_string(program.version->bytes) + " bytes)");
}

Result<FunctionSettings> SiteFiles::settings_of(const std::string& path, std::string_view text) const {
  const SettingsOwner owner{name_, full_name(path), root_};
  if (text.empty()) return default_settings(shared_.settings, owner);
  return parse_function_settings(text, shared_.settings, owner);
}

void SiteFiles::apply_settings_file(const std::string& path, std::string text) {
  const std::string module_path = program_path(path);
  Program& program = programs_[module_path];
  Result<FunctionSettings> settings = settings_of(module_path, text);
  if (!settings.ok()) {
    refuse(path, settings.error().message);
    return;
  }
  const bool is_news = program.settings_text != text || !program.settings_problem.empty();
  program.settings_problem.clear();
  program.settings_text = std::move(text);
  program.settings = std::make_shared<const FunctionSettings>(std::move(*settings));
  compose(module_path, program);
  if (is_news) log(path, "settings in force");
}

void SiteFiles::apply_access(std::string_view text) {
  Result<std::shared_ptr<const KbpConfig>> access = KbpConfig::parse(text);
  access_is_invalid_ = !access.ok();
  access_ = access.ok() ? std::move(*access) : nullptr;
  log(kbp_config_name, access_is_invalid_ ? "invalid, the site is closed: " + access.error().message : "in force");
}

/// The file is whole but of no use: what was good stays.
void SiteFiles::refuse(const std::string& path, std::string_view problem) {
  mark_changed(path);
  if (path == kbp_config_name) {
    if (!access_is_invalid_) log(path, "cannot be used, the site is closed: " + std::string(problem));
    access_ = nullptr;
    access_is_invalid_ = true;
    return;
  }
  const std::string module_path = program_path(path);
  Program& program = programs_[module_path];
  std::string& known = is_settings(path) ? program.settings_problem : program.module_problem;
  const bool has_good = is_settings(path) ? program.settings != nullptr : program.version != nullptr;
  if (known != problem) log(path, std::string(problem) + (has_good ? "; the last good version stays in force" : ""));
  known = problem;
}

void SiteFiles::remove(const std::string& path) {
  if (path == kbp_config_name) {
    access_ = nullptr;
    access_is_invalid_ = false;
    log(path, "removed");
    return;
  }
  const std::string module_path =
      is_settings(path) ? (only_file_ ? *only_file_ : path.substr(0, path.size() - 5) + ".wasm") : path;
  const auto found = programs_.find(module_path);
  if (found == programs_.end()) return;
  Program& program = found->second;
  if (is_settings(path)) {
    program.settings_problem.clear();
    program.settings_text.clear();
    program.settings = nullptr;
    compose(module_path, program);
  } else {
    program.version = nullptr;
    program.function = nullptr;
    program.module_problem.clear();
  }
  log(path, "removed");
  if (!program.file.exists() && !program.settings_file.exists() && !program.file.gone_since &&
      !program.settings_file.gone_since)
    programs_.erase(found);
}

/// Makes the function of a version and its settings; without good settings there is none.
void SiteFiles::compose(const std::string& path, Program& program) {
  mark_changed(path);
  if (!program.version) return;
  if (!program.settings) {
    if (program.settings_file.exists()) return;
    Result<FunctionSettings> settings = settings_of(path, "");
    if (!settings.ok()) return;
    program.settings = std::make_shared<const FunctionSettings>(std::move(*settings));
  }
  program.function = std::make_shared<const Function>(Function{
      full_name(path), program.version->sha256, program.version->module, program.version->kind, program.settings});
}

void SiteFiles::apply_settings() {
  for (auto& [path, program] : programs_) {
    if (program.settings == nullptr) continue;
    Result<FunctionSettings> settings = settings_of(path, program.settings_text);
    if (!settings.ok()) {
      // The operator's word comes before the last good settings.
      program.settings_problem = settings.error().message;
      log(path, program.settings_problem + "; the defaults are in force");
      settings = settings_of(path, "");
      if (!settings.ok()) continue;
    }
    program.settings = std::make_shared<const FunctionSettings>(std::move(*settings));
    compose(path, program);
  }
}

std::shared_ptr<const SiteIndex> SiteFiles::index() {
  if (!is_changed_ && index_) return index_;
  auto index = index_ ? std::make_shared<SiteIndex>(*index_) : std::make_shared<SiteIndex>(root_);
  index->only_program = only_file_;
  index->access = access_;
  index->access_is_invalid = access_is_invalid_;
  for (const std::string& path : changed_programs_) {
    const auto program = programs_.find(path);
    if (program == programs_.end() || !is_listed(program->second)) {
      index->programs.erase(path);
      continue;
    }
    const bool is_waiting = program->second.file.seen || program->second.settings_file.seen;
    const std::shared_ptr<const Function>& function = program->second.function;
    index->programs.set(path, {function, function == nullptr && is_waiting});
  }
  changed_programs_.clear();
  is_changed_ = false;
  index_ = std::move(index);
  return index_;
}

void SiteFiles::add_status(std::vector<FunctionStatus>& all) const {
  for (const auto& [path, program] : programs_) {
    if (!is_listed(program)) continue;
    FunctionStatus status;
    status.name = full_name(path);
    if (program.function) {
      status.version = program.version->sha256;
      status.kind = program.version->kind;
      status.bytes = program.version->bytes;
      status.loaded = program.loaded;
    }
    status.problem = program.module_problem;
    if (!program.settings_problem.empty())
      status.problem += (status.problem.empty() ? "" : "; ") + ("settings: " + program.settings_problem);
    if (status.problem.empty() && program.file.seen && program.file.seen != program.file.used)
      status.problem = "waiting until the file is whole";
    all.push_back(std::move(status));
  }
}

}  // namespace tfvm::serve
