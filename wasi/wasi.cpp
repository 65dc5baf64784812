// Wasi: from the config to descriptors, from the tables of functions to definitions in a linker.
#include "wasi/wasi.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <iterator>
#include <unistd.h>

#include "wasi/handlers.hpp"
#include "wasi/observe.hpp"

namespace tfvm::wasi {

namespace {

constexpr std::string_view preview1_module = "wasi_snapshot_preview1";
constexpr std::string_view unstable_module = "wasi_unstable";
constexpr Fd first_preopen = 3;

using Arguments = std::array<std::uint64_t, Parameters::max_count>;

/// Between slots and the C++ types of a handler.
template <auto handler, class Function>
struct Binding;
template <auto handler, class R, class... Args>
struct Binding<handler, R (*)(Call&, Args...)> {
  static FunctionType type() {
    return host::function_type<std::conditional_t<std::is_void_v<R>, void, std::uint32_t>(Args...)>();
  }
  static HostOutcome enter(State& state, Caller& caller, Slot* slots) {
    Call call(state, caller);
    [&]<std::size_t... I>(std::index_sequence<I...>) {
      if constexpr (std::is_void_v<R>) {
        handler(call, host::from_slot<Args>(slots[I])...);
      } else {
        slots[0] = Slot::i32(static_cast<std::uint32_t>(handler(call, host::from_slot<Args>(slots[I])...)));
      }
    }(std::index_sequence_for<Args...>{});
    return call.take_outcome();
  }
  static Arguments arguments(const Slot* slots) {
    return [&]<std::size_t... I>(std::index_sequence<I...>) {
      return Arguments{static_cast<std::uint64_t>(host::from_slot<Args>(slots[I]))...};
    }(std::index_sequence_for<Args...>{});
  }
};

struct FunctionRow {
  std::string_view name;
  Parameters parameters;
  FunctionType (*type)();
  HostOutcome (*enter)(State&, Caller&, Slot*);
  Arguments (*arguments)(const Slot*);
};

template <auto handler>
constexpr FunctionRow row(std::string_view name, Parameters parameters) {
  using Bound = Binding<handler, decltype(handler)>;
  return {name, parameters, &Bound::type, &Bound::enter, &Bound::arguments};
}

constexpr FunctionRow functions[] = {
#define WASI_FUNCTION(name, result, ...) row<&handlers::name>(#name, parse_parameters(#__VA_ARGS__)),
#include "wasi/functions.def"
#undef WASI_FUNCTION
};
constexpr FunctionRow unstable_functions[] = {
#define WASI_FUNCTION(name, result, ...) row<&unstable_handlers::name>(#name, parse_parameters(#__VA_ARGS__)),
#include "wasi/unstable_functions.def"
#undef WASI_FUNCTION
};

constexpr auto has_smaller_name = [](const FunctionRow& left, const FunctionRow& right) {
  return left.name < right.name;
};
static_assert(std::is_sorted(std::begin(functions), std::end(functions), has_smaller_name));
static_assert(std::is_sorted(std::begin(unstable_functions), std::end(unstable_functions), has_smaller_name));
static_assert(std::size(functions) == 46);

const FunctionRow* find(std::span<const FunctionRow> rows, std::string_view name) {
  const auto found =
      std::lower_bound(rows.begin(), rows.end(), name,
                       [](const FunctionRow& each, std::string_view wanted) { return each.name < wanted; });
  return found != rows.end() && found->name == name ? &*found : nullptr;
}

const FunctionRow* find_import(std::string_view module, std::string_view name) {
  if (module == preview1_module) return find(functions, name);
  if (module != unstable_module || name == "sock_accept") return nullptr;  // which came later
  const FunctionRow* const found = find(unstable_functions, name);
  return found != nullptr ? found : find(functions, name);
}

HostOutcome enter_observed(const FunctionRow& function, State& state, Caller& caller, Slot* slots) {
  const Arguments arguments = function.arguments(slots);
  const GuestCall call{function.name, function.parameters.view(), arguments};
  const GuestMemory memory = caller.memory();
  Observation observation(state, call, memory);
  HostOutcome outcome = function.enter(state, caller, slots);
  observation.finish(outcome, static_cast<Errno>(slots[0].as_i32()));
  return outcome;
}

void define(Linker& linker, State& state, std::string_view module, const FunctionRow& function) {
  HostFunction enter = [&state, plain = function.enter](Caller& caller, Slot* slots) {
    return plain(state, caller, slots);
  };
  if (state.config.trace || state.config.on_refusal)
    enter = [&state, &function](Caller& caller, Slot* slots) { return enter_observed(function, state, caller, slots); };
  linker.define_host_function(std::string(module), std::string(function.name), function.type(), std::move(enter));
}

/// A standard stream that is an object of this process.
Descriptor in_process(Stream& stream, Rights access) {
  Descriptor descriptor;
  descriptor.stream = &stream;
  descriptor.type = FileType::Unknown;  // as a pipe
  constexpr Rights one_way = rights::fd_read | rights::fd_write;
  descriptor.base = rights::of_stream & ~(rights::fd_sync | rights::fd_datasync) & ~(one_way & ~access);
  return descriptor;
}

/// A standard stream; none if the host's is not open.
std::optional<Descriptor> standard_stream(Stream* stream, int file, Rights access) {
  if (stream != nullptr) return in_process(*stream, access);
  const HostResult<FileType> type = type_of_file(file);
  if (!type.ok()) return std::nullopt;
  Descriptor descriptor;
  descriptor.host = HostFile::borrow(file);
  descriptor.type = type.value;
  constexpr Rights one_way = rights::fd_read | rights::fd_write;
  constexpr Rights never = rights::fd_allocate | rights::fd_filestat_set_size | rights::fd_filestat_set_times;
  descriptor.base = rights_of_type(type.value) & ~never & ~(one_way & ~access);
  const int flags = ::fcntl(file, F_GETFL);
  if (flags >= 0 && (flags & O_APPEND) != 0) descriptor.flags |= fd_flags::append;
  return descriptor;
}

/// A listening socket; none if it is not open.
std::optional<Descriptor> listener(int file) {
  const HostResult<FileType> type = type_of_file(file);
  if (!type.ok()) return std::nullopt;
  Descriptor descriptor;
  descriptor.host = HostFile::borrow(file);
  descriptor.type = type.value;
  descriptor.base = rights::of_listener;
  descriptor.inheriting = rights::of_socket & ~rights::sock_accept;
  return descriptor;
}

Result<Descriptor> preopened(const Preopen& preopen) {
  constexpr int flags = O_DIRECTORY | O_CLOEXEC | O_NOCTTY;
  int file = ::open(preopen.host_path.c_str(), O_RDONLY | flags);
  if (file < 0 && errno == EACCES) file = ::open(preopen.host_path.c_str(), O_PATH | flags);  // may be searched only
  if (file < 0)
    return Error{ErrorKind::Host, "cannot open directory '" + preopen.host_path + "': " + std::strerror(errno)};
  Descriptor descriptor;
  descriptor.host = HostFile::own(file);
  descriptor.type = FileType::Directory;
  descriptor.is_read_only = preopen.is_read_only;
  const Rights granted = preopen.is_read_only ? rights::all & ~rights::changing : rights::all;
  descriptor.base = rights::of_directory & granted;
  descriptor.inheriting = granted & ~(rights::sock_accept | rights::sock_shutdown);
  descriptor.preopen_name = preopen.guest_path;
  return descriptor;
}

}  // namespace

Wasi::Wasi(std::unique_ptr<State> state) : state_(std::move(state)) {}
Wasi::~Wasi() = default;

Result<std::unique_ptr<Wasi>> Wasi::create(WasiConfig config) {
  auto state = std::make_unique<State>(State{WasiConfig(), FdTable(0), PathResolver()});
  std::unique_ptr<Wasi> wasi(new Wasi(std::move(state)));
  if (const Result<Done> started = wasi->restart(std::move(config)); !started) return started.error();
  return wasi;
}

Result<Done> Wasi::restart(WasiConfig config) {
  State& state = *state_;
  state.fds = FdTable(config.max_open_fds);
  state.paths = PathResolver(config.path_resolution);
  state.config = std::move(config);
  const WasiConfig& given = state.config;
  // The streams first: a preopen may get the number of one that is not open.
  state.fds.append(standard_stream(given.stdin_stream, given.stdin_fd, rights::fd_read));
  state.fds.append(standard_stream(given.stdout_stream, given.stdout_fd, rights::fd_write));
  state.fds.append(standard_stream(given.stderr_stream, given.stderr_fd, rights::fd_write));
  for (const Fd fd : {Fd{1}, Fd{2}})
    if (Descriptor* const stream = state.fds.find(fd); stream != nullptr)
      stream->filters_terminal = given.filters_terminal && ::isatty(stream->host.number()) == 1;
  for (const Preopen& preopen : given.preopens) {
    Result<Descriptor> descriptor = preopened(preopen);
    if (!descriptor.ok()) {
      state.fds = FdTable(0);
      return descriptor.error();
    }
    state.fds.append(std::move(*descriptor));
  }
  // Behind the directories: libraries look for those from descriptor 3 on until there is none.
  for (const int file : given.listeners) state.fds.append(listener(file));
  return Done{};
}

void Wasi::add_imports_of(Linker& linker, const Module& module) {
  for (const Import& import : module.imports) {
    if (import.kind != ExternKind::Function) continue;
    if (const FunctionRow* const function = find_import(import.module, import.name); function != nullptr)
      define(linker, *state_, import.module, *function);
  }
}

void Wasi::add_to(Linker& linker) {
  for (const FunctionRow& function : functions) define(linker, *state_, preview1_module, function);
}

std::vector<int> Wasi::preopen_files() const {
  std::vector<int> files;
  for (std::size_t i = 0; i < state_->config.preopens.size(); ++i)
    files.push_back(state_->fds.find(static_cast<Fd>(first_preopen + i))->host.number());
  return files;
}

bool Wasi::provides(std::string_view module, std::string_view name) { return find_import(module, name) != nullptr; }

}  // namespace tfvm::wasi
