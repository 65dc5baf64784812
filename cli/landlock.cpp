// Landlock's three system calls: see landlock.hpp.
#include "cli/landlock.hpp"

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace tfvm::cli {
namespace {

// linux/landlock.h
constexpr long create_ruleset_number = 444;
constexpr long add_rule_number = 445;
constexpr long restrict_self_number = 446;
constexpr std::uint32_t create_ruleset_version = 1;
constexpr int rule_path_beneath = 1;

struct RulesetAttributes {
  std::uint64_t handled_files;
  std::uint64_t handled_network;  // from ABI 4 on
  std::uint64_t scoped;           // from ABI 6 on
};
struct [[gnu::packed]] PathBeneath {
  std::uint64_t allowed;
  std::int32_t parent;
};
static_assert(sizeof(PathBeneath) == 12);

namespace access {
constexpr std::uint64_t write_file = 1 << 1;
constexpr std::uint64_t read_file = 1 << 2;
constexpr std::uint64_t read_directory = 1 << 3;
constexpr std::uint64_t remove_directory = 1 << 4;
constexpr std::uint64_t remove_file = 1 << 5;
constexpr std::uint64_t make_directory = 1 << 7;
constexpr std::uint64_t make_regular = 1 << 8;
constexpr std::uint64_t make_socket = 1 << 9;  // renaming and linking count as making
constexpr std::uint64_t make_fifo = 1 << 10;
constexpr std::uint64_t make_symbolic_link = 1 << 12;
constexpr std::uint64_t refer = 1 << 13;         // ABI 2: rename and link between directories
constexpr std::uint64_t truncate = 1 << 14;      // ABI 3
constexpr std::uint64_t ioctl_device = 1 << 15;  // ABI 5
constexpr std::uint64_t first_abi = (1 << 13) - 1;
constexpr std::uint64_t reading = read_file | read_directory;
constexpr std::uint64_t changing = write_file | remove_directory | remove_file | make_directory | make_regular |
                                   make_socket | make_fifo | make_symbolic_link | refer | truncate;
constexpr std::uint64_t of_files = write_file | read_file | truncate;  // what a rule for a file may say
}  // namespace access

constexpr std::uint64_t bind_tcp = 1;
constexpr std::uint64_t connect_tcp = 2;
constexpr std::uint64_t scope_abstract_sockets = 1;
constexpr std::uint64_t scope_signals = 2;

constexpr int abi_with_refer = 2;  // without it nothing could be moved between directories
constexpr int abi_with_truncate = 3;
constexpr int abi_with_network = 4;
constexpr int abi_with_ioctl = 5;
constexpr int abi_with_scopes = 6;

std::uint64_t handled_files(int abi) {
  std::uint64_t handled = access::first_abi | access::refer;
  if (abi >= abi_with_truncate) handled |= access::truncate;
  if (abi >= abi_with_ioctl) handled |= access::ioctl_device;
  return handled;
}

/// A descriptor that is closed at the end.
class File {
 public:
  explicit File(int number) : number_(number) {}
  ~File() {
    if (number_ >= 0) ::close(number_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  int number() const { return number_; }

 private:
  int number_;
};

bool allow(int ruleset, int file, std::uint64_t what) {
  const PathBeneath rule{what, file};
  return ::syscall(add_rule_number, ruleset, rule_path_beneath, &rule, 0) == 0;
}

bool allow_reading(int ruleset, const std::string& path, std::uint64_t handled) {
  const File file(::open(path.c_str(), O_PATH | O_CLOEXEC));
  if (file.number() < 0) return true;  // not there: nothing to allow
  struct ::stat status{};
  if (::fstat(file.number(), &status) != 0) return false;
  const std::uint64_t possible = S_ISDIR(status.st_mode) ? handled : handled & access::of_files;
  return allow(ruleset, file.number(), access::reading & possible);
}

std::string failure(const char* step) { return std::string("Landlock ") + step + ": " + std::strerror(errno); }

}  // namespace

int landlock_abi() {
  const long abi = ::syscall(create_ruleset_number, nullptr, 0, create_ruleset_version);
  return abi < 0 ? 0 : static_cast<int>(abi);
}

std::string restrict_by_landlock(const SandboxPlan& plan, int abi) {
  if (abi < abi_with_refer) return abi == 0 ? "the kernel has no Landlock" : "the kernel's Landlock is too old";
  RulesetAttributes attributes{handled_files(abi), 0, 0};
  const bool connects = plan.makes_connections || plan.is_server;
  if (abi >= abi_with_network) attributes.handled_network = connects ? bind_tcp : bind_tcp | connect_tcp;
  if (abi >= abi_with_scopes) attributes.scoped = scope_abstract_sockets | scope_signals;
  const File ruleset(
      static_cast<int>(::syscall(create_ruleset_number, &attributes, sizeof(attributes), std::uint32_t{0})));
  if (ruleset.number() < 0) return failure("ruleset");
  for (const SandboxPlan::Directory& directory : plan.directories) {
    const std::uint64_t wanted = directory.is_read_only ? access::reading : access::reading | access::changing;
    if (!allow(ruleset.number(), directory.file, wanted & attributes.handled_files)) return failure("rule");
  }
  for (const std::string& path : plan.read_paths)
    if (!allow_reading(ruleset.number(), path, attributes.handled_files)) return failure("rule");
  if (::syscall(restrict_self_number, ruleset.number(), 0) != 0) return failure("restriction");
  return {};
}

}  // namespace tfvm::cli
