// libFuzzer target: a guest that calls WASI functions in any order with any arguments on any memory, inside a scratch
// directory. After each input a checker looks at everything beside the guest's directory, and at a directory that it
// was given read-only: nothing may have changed, no byte from outside may be in the guest's memory, and no descriptor
// of the host may be left open.
#include "wasi/wasi.hpp"

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <sys/resource.h>
#include <sys/socket.h>

#include "vm/runtime.hpp"
#include "wasi/deterministic.hpp"
#include "wasi/forwarding_module.hpp"
#include "wasi/parameters.hpp"
#include "wasi/test_directory.hpp"

namespace {

using namespace tfvm;
using namespace tfvm::wasi;

constexpr std::string_view secret_text = "what-no-guest-may-read";
constexpr std::uint32_t memory_bytes = 1 << 16;
constexpr std::uint32_t texts_begin = 1024;
constexpr std::uint32_t text_bytes = 64;
constexpr std::uint32_t buffers_begin = 8192;
constexpr int max_calls = 64;
constexpr rlim_t max_file_bytes = 16 << 20;

// Paths that the guest finds in its memory, text_bytes apart.
constexpr std::string_view texts[] = {
    "f",         "d",          "d/f",          "n",       "d/n",       "l",          "dl",
    "dl/f",      "dl/../f",    "esc",          "esc/",    "escd",      "escd/x",     "escd/",
    "self/../f", "self/../..", "up",           "up/x",    "loop",      "..",         "../secret",
    "/",         "/etc",       "../jail/f",    "d/../..", "d/../../x", "../secretd", "../jail-secret/x",
    ".",         "",           "d/",           "f/",      "n/",        "d/./",       "abs",
    "abs/x",     "../secret",  "../../secret", "/secret", "new",       "d/l/../..",  "../ro/f",
};

// The outermost folder: jail/ (the guest's), ro/ (given read-only), and what it must never reach.
class World {
 public:
  World() {
    host_.write("secret", std::string(secret_text));
    host_.make_directory("secretd");
    host_.write("secretd/x", std::string(secret_text));
    host_.make_directory("jail-secret");
    host_.write("jail-secret/x", std::string(secret_text));
    host_.make_directory("ro/d");
    host_.write("ro/f", "read only");
    host_.link("../secret", "ro/esc");
    host_.make_directory("jail");
    before_ = look();
  }

  const TestDirectory& host() const { return host_; }

  void fill_jail() const {
    for (const auto& entry : std::filesystem::directory_iterator(host_ / "jail")) {
      std::error_code ignored;
      std::filesystem::remove_all(entry.path(), ignored);
    }
    host_.write("jail/f", "inside");
    host_.make_directory("jail/d");
    host_.write("jail/d/f", "deeper");
    host_.link("f", "jail/l");
    host_.link("d", "jail/dl");
    host_.link("../secret", "jail/esc");
    host_.link("../secretd", "jail/escd");
    host_.link(".", "jail/self");
    host_.link("..", "jail/up");
    host_.link("loop", "jail/loop");
    host_.link(host_ / "secretd", "jail/abs");
  }

  void check() const {
    if (look() == before_) return;
    std::fprintf(stderr, "something outside of the guest's directory has changed\n");
    std::abort();
  }

 private:
  /// All that lstat says but for the times of reading.
  std::string look() const {
    std::string seen;
    for (const char* name :
         {".", "secret", "secretd", "secretd/x", "jail-secret", "jail-secret/x", "ro", "ro/d", "ro/f", "ro/esc"}) {
      struct ::stat status{};
      if (::lstat((host_ / name).c_str(), &status) != 0) seen += "gone ";
      for (const auto value :
           {static_cast<long long>(status.st_ino), static_cast<long long>(status.st_mode),
            static_cast<long long>(status.st_nlink), static_cast<long long>(status.st_size),
            static_cast<long long>(status.st_mtim.tv_sec), static_cast<long long>(status.st_mtim.tv_nsec),
            static_cast<long long>(status.st_ctim.tv_sec), static_cast<long long>(status.st_ctim.tv_nsec)})
        seen += std::to_string(value) + ' ';
    }
    return seen;
  }

  TestDirectory host_;
  std::string before_;
};

/// The fuzzer's bytes as choices; zeros when they are used up.
class Choices {
 public:
  explicit Choices(std::span<const std::uint8_t> bytes) : bytes_(bytes) {}
  bool is_empty() const { return bytes_.empty(); }
  std::uint8_t byte() {
    if (bytes_.empty()) return 0;
    const std::uint8_t value = bytes_.front();
    bytes_ = bytes_.subspan(1);
    return value;
  }
  std::uint64_t word() {
    std::uint64_t value = 0;
    for (int i = 0; i < 8; ++i) value = value << 8 | byte();
    return value;
  }

 private:
  std::span<const std::uint8_t> bytes_;
};

struct FuzzedFunction {
  std::string_view name;
  Parameters parameters;
};
constexpr FuzzedFunction fuzzed_functions[] = {
#define WASI_FUNCTION(name, result, ...) {#name, parse_parameters(#__VA_ARGS__)},
#include "wasi/functions.def"
#undef WASI_FUNCTION
};

std::uint64_t any_number(Choices& choices) {
  constexpr std::uint64_t edges[] = {
      0,          1,          2,          memory_bytes - 1, memory_bytes, memory_bytes - 8, 0x7fffffff, 0x80000000,
      0xfffffffe, 0xffffffff, 1ull << 32, INT64_MAX,        1ull << 63,   UINT64_MAX,       1000000000, 4096};
  const std::uint8_t choice = choices.byte();
  if (choice < 64) return edges[choice % std::size(edges)];
  return choice < 224 ? choice : choices.word();
}

/// An argument that makes sense for its kind, or not.
std::uint64_t argument(Choices& choices, ParameterKind kind, std::uint64_t previous) {
  const std::uint8_t choice = choices.byte();
  if (choice >= 216) return any_number(choices);
  switch (kind) {
    case ParameterKind::Fd: return choice % 12;
    case ParameterKind::PathAt:
    case ParameterKind::LinkTextAt: return texts_begin + choice % std::size(texts) * text_bytes;
    case ParameterKind::PathLength:
    case ParameterKind::LinkTextLength: {
      const std::uint64_t index = (previous - texts_begin) / text_bytes;
      return index < std::size(texts) ? texts[index].size() : choice;
    }
    case ParameterKind::Rights: return choice < 100 ? (1u << 30) - 1 : 1ull << choice % 30;
    case ParameterKind::OpenFlags:
    case ParameterKind::FileTimeFlags: return choice % 16;
    case ParameterKind::FdFlags: return choice % 4 == 0 ? choice % 32 : 0;
    case ParameterKind::LookupFlags: return choice % 2;
    case ParameterKind::VectorCount: return choice % 8;
    case ParameterKind::Size: return choice;
    case ParameterKind::FileSize:
    case ParameterKind::DirectoryCookie:
    case ParameterKind::FileDelta:
    case ParameterKind::Timestamp: return choice % 3 == 0 ? any_number(choices) : choice;
    default: break;
  }
  return choice < 4 ? choice : buffers_begin + choice * 64u;
}

class FuzzedGuest {
 public:
  FuzzedGuest(const Engine& engine, const std::shared_ptr<const LoadedModule>& module, WasiConfig config)
      : store_(engine, limits()), linker_(store_) {
    auto system = Wasi::create(std::move(config));
    if (!system) std::abort();
    wasi_ = std::move(*system);
    wasi_->add_imports_of(linker_, module->module());
    auto instantiated = linker_.try_instantiate(module);
    if (!instantiated) std::abort();
    instance_ = instantiated->instance;
    memory_ = GuestMemory(*Store::find_export(*instance_, "memory")->memory);
    for (std::uint32_t i = 0; i < std::size(texts); ++i)
      std::memcpy(memory_.bytes(texts_begin + i * text_bytes, text_bytes)->data(), texts[i].data(), texts[i].size());
    store_.set_deadline(std::chrono::steady_clock::now() + std::chrono::milliseconds(20));
  }

  void run(Choices& choices) {
    for (int calls = 0; calls < max_calls && !choices.is_empty(); ++calls)
      if (!step(choices)) return;
  }

  bool knows_the_secret() const {
    const auto bytes = memory_.bytes(0, memory_bytes);
    return ::memmem(bytes->data(), bytes->size(), secret_text.data(), secret_text.size()) != nullptr;
  }

 private:
  static StoreLimits limits() {
    StoreLimits result;
    result.fuel = 1'000'000;
    result.allow_guarded_memory = false;
    return result;
  }

  /// A call, or a change of memory. False: the guest has ended for good.
  bool step(Choices& choices) {
    const std::size_t choice = choices.byte();
    if (choice >= 200) {
      write_memory(choices);
      return true;
    }
    const FuzzedFunction& function = fuzzed_functions[choice % std::size(fuzzed_functions)];
    Slot slots[Parameters::max_count];
    std::uint64_t previous = 0;
    for (std::size_t i = 0; i < function.parameters.count; ++i) {
      previous = argument(choices, function.parameters.kinds[i], previous);
      slots[i] = Slot::i64(is_wide(function, i) ? previous : static_cast<std::uint32_t>(previous));
    }
    const auto exported = Store::find_export(*instance_, function.name);
    if (!exported) return true;  // wasi_unstable has fewer
    const auto trap = store_.invoke(*exported->function, slots);
    return !trap || trap->kind == TrapKind::Exit;
  }

  static bool is_wide(const FuzzedFunction& function, std::size_t index) {
    const auto all = forwarded_functions();
    const auto found =
        std::find_if(all.begin(), all.end(), [&](const auto& each) { return each.name == function.name; });
    return found->params[index] == forwarding_module::i64_type;
  }

  /// Numbers that make structures of any kind: pointers, lengths, tags.
  void write_memory(Choices& choices) {
    const std::uint32_t address =
        choices.byte() % 2 == 0 ? buffers_begin + choices.byte() * 64u : choices.byte() * 257u;
    const int count = choices.byte() % 16;
    for (int i = 0; i < count; ++i) {
      const auto number = static_cast<std::uint32_t>(choices.byte() % 2 == 0 ? buffers_begin + choices.byte() * 64u
                                                                             : any_number(choices));
      (void)memory_.store(address + static_cast<std::uint32_t>(i) * 4, number);
    }
  }

  Store store_;
  std::unique_ptr<Wasi> wasi_;
  Linker linker_;
  ModuleInstance* instance_ = nullptr;
  GuestMemory memory_;
};

/// What all inputs share.
struct Setting {
  Setting() {
    std::signal(SIGXFSZ, SIG_IGN);
    std::signal(SIGPIPE, SIG_IGN);
    const struct ::rlimit limit{max_file_bytes, max_file_bytes};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    for (const char* name : {"wasi_snapshot_preview1", "wasi_unstable"}) {
      auto module = engine.load(forwarding_module_bytes(name));
      if (!module) std::abort();
      modules.push_back(std::move(*module));
    }
    null_device = ::open("/dev/null", O_RDWR | O_CLOEXEC);
    listener = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    ::listen(listener, 4);
  }

  Engine engine;
  std::vector<std::shared_ptr<const LoadedModule>> modules;
  World world;
  int null_device = -1;
  int listener = -1;
};

int lowest_free_descriptor(int open) {
  const int copy = ::fcntl(open, F_DUPFD_CLOEXEC, 0);
  ::close(copy);
  return copy;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static Setting setting;
  Choices choices(std::span(data, size));
  const unsigned options = choices.byte();
  setting.world.fill_jail();
  WasiConfig config;
  config.arguments = {"fuzz", "argument"};
  config.environment = {"NAME=value"};
  config.preopens = {{setting.world.host() / "jail", "/", false}, {setting.world.host() / "ro", "/ro", true}};
  config.listeners = {setting.listener};
  config.stdin_fd = config.stdout_fd = config.stderr_fd = setting.null_device;
  config.max_open_fds = 32;
  config.path_resolution = (options & 1) != 0 ? PathResolver::Method::Walker : PathResolver::Method::Automatic;
  config.filters_terminal = (options & 2) != 0;
  std::size_t traced = 0;
  if ((options & 4) != 0) config.trace = [&traced](std::string_view line) { traced += line.size(); };
  if ((options & 8) != 0) config.on_refusal = [&traced](const Refusal& refusal) { traced += refusal.path.size(); };
  make_deterministic(config, options);
  const int free_before = lowest_free_descriptor(setting.null_device);
  {
    FuzzedGuest guest(setting.engine, setting.modules[(options & 16) != 0 ? 1 : 0], std::move(config));
    guest.run(choices);
    if (guest.knows_the_secret()) {
      std::fprintf(stderr, "the guest has read a file outside of its directories\n");
      std::abort();
    }
  }
  if (lowest_free_descriptor(setting.null_device) != free_before) {
    std::fprintf(stderr, "a descriptor of the host is left open\n");
    std::abort();
  }
  setting.world.check();
  return 0;
}
