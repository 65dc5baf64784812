// The files of one site that mean something to the server: programs (name.wasm), their settings (name.toml) and the
// access rules (.kbp_config). SiteFiles follows them as they come, change and go, and gives a SiteIndex: what requests
// are answered from.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "cli/serve/config.hpp"
#include "cli/serve/function.hpp"
#include "cli/serve/kbp_config.hpp"
#include "cli/serve/module_versions.hpp"
#include "cli/serve/path_map.hpp"
#include "cli/serve/site_root.hpp"
#include "cli/serve/sites.hpp"
#include "cli/serve/tracked_file.hpp"
#include "cli/serve/watcher.hpp"

namespace tfvm::serve {

/// For maps by std::string that are asked with std::string_view.
struct StringHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
};
template <class T>
using StringMap = std::unordered_map<std::string, T, StringHash, std::equal_to<>>;

/// What a site answers from, as of one moment. Immutable.
struct SiteIndex {
  explicit SiteIndex(SiteRoot folder) : root(std::move(folder)) {}

  /// A file name.wasm. Without a function it is not whole yet, or not valid.
  struct Program {
    std::shared_ptr<const Function> function;
    bool is_waiting = false;  ///< until the file is whole
  };

  SiteRoot root;
  PathMap<Program> programs;                ///< by path in the site, without a leading slash
  std::optional<std::string> only_program;  ///< answers every path
  std::shared_ptr<const KbpConfig> access;  ///< null: everybody may read
  bool access_is_invalid = false;           ///< nobody may anything
};

class SiteFiles;

/// What all sites share. One thread at a time.
struct SharedByFiles {
  using SteadyTime = std::chrono::steady_clock::time_point;

  ModuleVersions* versions = nullptr;  ///< borrowed
  std::unique_ptr<Watcher> watcher;    ///< null: polls only
  /// Who is told of what happens in a folder: sites, with the path of the folder in each.
  std::map<WatchId, std::vector<std::pair<SiteFiles*, std::string>>> watches;
  ServerSettings settings;
  std::chrono::milliseconds poll_interval{1'000};
  std::uint64_t max_module_bytes = 64u << 20;
  bool uses_leases = true;
  std::function<SteadyTime()> now = std::chrono::steady_clock::now;
  std::function<void(std::string_view)> log = [](std::string_view) {};

  /// Takes a site out of `watches`, with the folders at and below `directory` ("": all).
  void forget_watches(const SiteFiles& site, std::string_view directory);
};

/// How long a name may be without its file before it is taken as gone: programs that replace a file by removing it and
/// writing it anew must not be seen doing so.
inline constexpr std::chrono::milliseconds gone_grace{50};

/// Not thread-safe: whoever owns the shared part serialises. Changes are gathered by look_at_everything(), handle(),
/// poll() and ask_for(), and take effect in settle().
class SiteFiles {
 public:
  /// `name`: the host's name, or "" where there is one site for all hosts. `only_file`: the site is that one program.
  /// `shared` is borrowed.
  SiteFiles(SharedByFiles& shared, SiteRoot root, std::string name, std::optional<std::string> only_file = {});
  ~SiteFiles();
  SiteFiles(const SiteFiles&) = delete;
  SiteFiles& operator=(const SiteFiles&) = delete;

  /// Walks the whole folder and watches it.
  void look_at_everything(Cause cause);
  /// Something happened in a watched folder of this site.
  void handle(const std::string& directory, const WatchEvent& event);
  /// Once in a poll interval: everything, where the kernel does not tell of changes; else what waits for something.
  void poll();
  /// A request names a program that the index does not have. It is read at once, if it is whole.
  void ask_for(const std::string& path);
  /// Reads what is whole, for about 20 ms, and lets go what is gone.
  void settle();
  /// settle() has not come to the end.
  bool is_settling() const { return !ready_.empty(); }
  /// The operator's settings have changed.
  void apply_settings();

  std::shared_ptr<const SiteIndex> index();
  void add_status(std::vector<FunctionStatus>& all) const;
  /// When settle() has something to do at the latest.
  std::optional<SharedByFiles::SteadyTime> next_deadline();
  const SiteRoot& root() const { return root_; }

 private:
  /// A file of one of the three kinds.
  struct File : TrackedFile {
    unsigned pass = 0;       ///< of look_at_everything() that saw it last
    bool is_linked = false;  ///< a symbolic link leads to it: the kernel tells nothing of it under this name
  };
  struct Program {
    File file;
    File settings_file;
    std::shared_ptr<const ModuleVersion> version;  ///< the last good one
    std::string settings_text;                     ///< of the last good settings; empty: none
    std::shared_ptr<const FunctionSettings> settings;
    std::string module_problem;
    std::string settings_problem;
    std::shared_ptr<const Function> function;
    std::chrono::system_clock::time_point loaded{};
  };
  struct Folder;

  bool is_relevant(std::string_view path) const;
  std::string program_path(const std::string& path) const;
  static bool is_listed(const Program& program);
  File* find(const std::string& path);
  File& file_of(const std::string& path);
  std::vector<std::pair<std::string, File*>> files_below(const std::string& directory);

  void look(const std::string& path, Cause cause, bool is_linked);
  void walk(int root, std::string directory, Cause cause, bool is_linked);
  void visit(int root, const Folder& folder, Cause cause, std::vector<Folder>& pending);
  void visit_link(int root, const Folder& folder, const std::string& path, Cause cause, std::vector<Folder>& pending);
  bool is_unchanged(int folder, const std::string& name, const std::string& path);
  void watch(int folder, const std::string& directory);
  void look_at_new_name(const std::string& path, Cause cause);
  void vanish(const std::string& path, File& file);
  void vanish_below(const std::string& directory);

  void read_ready(const std::string& path);
  bool read(const std::string& path);
  void apply(const std::string& path, std::vector<std::uint8_t> bytes);
  void apply_module(const std::string& path, std::vector<std::uint8_t> bytes);
  void apply_settings_file(const std::string& path, std::string text);
  void apply_access(std::string_view text);
  void refuse(const std::string& path, std::string_view problem);
  void remove(const std::string& path);
  void compose(const std::string& path, Program& program);
  void mark_changed(const std::string& path);
  Result<FunctionSettings> settings_of(const std::string& path, std::string_view text) const;

  std::string full_name(std::string_view path) const;
  void log(std::string_view path, std::string_view text) const;

  SharedByFiles& shared_;
  SiteRoot root_;
  std::string name_;
  std::optional<std::string> only_file_;
  std::map<std::string, Program> programs_;  ///< by path of the module
  File access_file_;
  std::shared_ptr<const KbpConfig> access_;
  bool access_is_invalid_ = false;
  std::map<std::string, WatchId> folders_;  ///< that are watched, by path
  std::set<std::string> ready_;             ///< files to be read
  std::set<std::string> gone_;              ///< files that were not there when looked for
  std::optional<FileStamp> root_stamp_;     ///< of the folder that was walked
  unsigned pass_ = 0;
  std::size_t folders_in_pass_ = 0;
  bool polls_ = false;      ///< the kernel does not tell of all changes
  bool is_remote_ = false;  ///< nor of all writers
  bool is_full_ = false;
  bool is_changed_ = true;
  std::set<std::string> changed_programs_;  ///< since the index was made
  std::shared_ptr<const SiteIndex> index_;
};

}  // namespace tfvm::serve
