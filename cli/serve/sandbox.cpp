// Sandboxes (sandbox.hpp).
#include "cli/serve/sandbox.hpp"

#include <algorithm>

namespace tfvm::serve {
namespace {

constexpr std::uint64_t max_table_elements = 1'000'000;

bool imports_any(const Module& module, bool (*provides)(std::string_view, std::string_view)) {
  return std::any_of(module.imports.begin(), module.imports.end(), [&](const Import& import) {
    return import.kind == ExternKind::Function && provides(import.module, import.name);
  });
}

// The index of an exported function without parameters and results; none if there is none.
std::optional<std::uint32_t> find_plain_function(const Module& module, std::string_view name) {
  for (const Export& entry : module.exports)
    if (entry.name == name && entry.kind == ExternKind::Function && module.function_type(entry.index) == FunctionType{})
      return entry.index;
  return std::nullopt;
}

// The name of the program without its folders.
std::string_view base_name(std::string_view path) { return path.substr(path.rfind('/') + 1); }

/// Ends the guest at its deadline.
class Interrupter final : public Watched {
 public:
  Interrupter(Store& store, Watched* next) : store_(store), next_(next) {}
  void on_deadline() override {
    store_.interrupt(TrapKind::DeadlineExceeded);
    has_interrupted_ = true;
  }
  void on_slow() override {
    if (next_ != nullptr) next_->on_slow();
  }
  bool has_interrupted() const { return has_interrupted_; }

 private:
  Store& store_;
  Watched* next_;
  std::atomic<bool> has_interrupted_{false};
};

}  // namespace

/// What is renewed, or made again if it cannot be.
struct Sandbox::Guest {
  Guest(const Engine& engine, const StoreLimits& limits) : store(engine, limits), linker(store) {}
  Store store;
  Linker linker;
  ModuleInstance* instance = nullptr;
  std::optional<std::uint32_t> initialize;
  std::uint32_t entry = 0;
};

LineStream::Outcome LineStream::write(std::span<const std::uint8_t> bytes) {
  for (const std::uint8_t byte : bytes) {
    if (byte == '\n') end_line();
    else if (line_.size() < max_line_bytes_) line_ += static_cast<char>(byte);
  }
  return {Status::Moved, bytes.size()};
}

void LineStream::end_line() {
  if (lines_ < max_lines_) take_(line_);
  else if (lines_ == max_lines_) take_("(more lines are not shown)");
  if (lines_ <= max_lines_) ++lines_;
  line_.clear();
}

void LineStream::finish() {
  if (!line_.empty()) end_line();
  lines_ = 0;
}

Sandbox::Sandbox(std::shared_ptr<const Function> function, const SandboxServices& services)
    : function_(std::move(function)),
      services_(services),
      standard_output_([this](std::string_view line) { services_.log(function_->name, "stdout", line); },
                       function_->settings->hostcall_limits.max_log_lines,
                       function_->settings->hostcall_limits.max_log_line_bytes),
      standard_error_([this](std::string_view line) { services_.log(function_->name, "stderr", line); },
                      function_->settings->hostcall_limits.max_log_lines,
                      function_->settings->hostcall_limits.max_log_line_bytes) {
  const FunctionSettings& settings = *function_->settings;
  if (!imports_any(function_->module->module(), &hostcalls::Hostcalls::provides)) return;
  hostcalls::HostcallServices given;
  given.http = services_.http;
  given.outbound_policy = settings.outbound;
  given.resolver = services_.resolver;
  given.key_value = services_.key_value;
  given.key_value_space = settings.key_value_space;
  given.limits = settings.hostcall_limits;
  given.log = [this](hostcalls::HostcallServices::LogKind kind, std::string_view line) {
    using Kind = hostcalls::HostcallServices::LogKind;
    const char* const name = kind == Kind::Debug ? "debug" : kind == Kind::Panic ? "panic" : "failure";
    services_.log(function_->name, name, line);
  };
  hostcalls_ = std::make_unique<hostcalls::Hostcalls>(std::move(given));
}

Sandbox::~Sandbox() = default;

std::uint64_t Sandbox::memory_bytes() const { return guest_ ? guest_->store.memory_bytes() : 0; }

Result<Done> Sandbox::restart_wasi(wasi::Stream* input, wasi::Stream* output, std::vector<std::string> environment) {
  if (!wasi_ && !imports_any(function_->module->module(), &wasi::Wasi::provides)) return Done{};
  wasi::WasiConfig config;
  config.arguments.emplace_back(base_name(function_->name));
  config.environment = std::move(environment);
  config.preopens = function_->settings->directories;
  config.stdin_stream = input;
  config.stdout_stream = output;
  config.stderr_stream = &standard_error_;
  if (wasi_) return wasi_->restart(std::move(config));
  Result<std::unique_ptr<wasi::Wasi>> made = wasi::Wasi::create(std::move(config));
  if (!made) return made.error();
  wasi_ = std::move(*made);
  return Done{};
}

std::optional<Error> Sandbox::make_guest() {
  const FunctionSettings& settings = *function_->settings;
  StoreLimits limits;
  limits.max_memory_bytes = settings.max_memory_bytes;
  limits.max_stack_bytes = settings.max_stack_bytes;
  limits.max_table_elements = max_table_elements;
  limits.fuel = settings.fuel;
  const Module& module = function_->module->module();
  guest_ = std::make_unique<Guest>(*services_.engine, limits);
  if (hostcalls_) hostcalls_->add_imports_of(guest_->linker, module);
  if (wasi_) wasi_->add_imports_of(guest_->linker, module);
  const std::string_view name = function_->kind == FunctionKind::Hostcall ? "run" : "_start";
  const auto entry = find_plain_function(module, name);
  if (!entry) return Error{ErrorKind::Unlinkable, "there is no export '" + std::string(name) + "' of type () -> ()"};
  guest_->entry = *entry;
  if (function_->kind == FunctionKind::Hostcall) {
    guest_->initialize = find_plain_function(module, "_initialize");
    if (!guest_->initialize) guest_->initialize = find_plain_function(module, "__wasm_call_ctors");
  }
  return std::nullopt;
}

// Sets result.error if there can be no instance.
std::optional<Trap> Sandbox::instantiate(RunResult& result) {
  Guest& guest = *guest_;
  Result<Store::Instantiated> made =
      guest.instance != nullptr ? guest.store.renew(*guest.instance) : guest.linker.try_instantiate(function_->module);
  if (!made.ok()) {
    const std::string why = hostcalls::Hostcalls::explain_mismatch(function_->module->module());
    result.error = made.error();
    if (!why.empty()) result.error->message = why;
    return std::nullopt;
  }
  guest.instance = made->instance;
  return std::move(made->trap);
}

RunResult Sandbox::execute(const Limits& limits) {
  RunResult result;
  const SteadyTime begin = std::chrono::steady_clock::now();
  if (!guest_ || guest_->instance == nullptr) result.error = make_guest();
  if (result.error) {
    is_reusable_ = false;
    return result;
  }
  Guest& guest = *guest_;
  if (function_->settings->fuel) guest.store.set_fuel(*function_->settings->fuel);
  Interrupter interrupter(guest.store, limits.watched);
  {
    const Workers::Section section(*limits.workers, begin, limits.deadline, &interrupter);
    result.trap = instantiate(result);
    result.first_instruction = std::chrono::steady_clock::now();
    result.instantiation = result.first_instruction - begin;
    Slot slots[1];
    if (!result.error && !result.trap && guest.initialize)
      result.trap = guest.store.invoke(*guest.instance->function(*guest.initialize), slots);
    if (!result.error && !result.trap) result.trap = guest.store.invoke(*guest.instance->function(guest.entry), slots);
  }
  if (const auto left = guest.store.fuel()) result.fuel = *function_->settings->fuel - *left;
  result.memory_bytes = guest.store.memory_bytes();

  is_reusable_ = result.ok() && !interrupter.has_interrupted();
  return result;
}

RunResult Sandbox::run(hostcalls::HttpRequest request, hostcalls::HttpResponse& response, const Limits& limits) {
  RunResult failed;
  if (hostcalls_) hostcalls_->begin(std::move(request));
  if (wasi_ || !guest_) {
    const Result<Done> restarted = restart_wasi(&no_input_, &standard_output_, function_->settings->environment);
    if (!restarted) {
      is_reusable_ = false;
      failed.error = restarted.error();
      return failed;
    }
  }
  RunResult result = execute(limits);
  standard_output_.finish();
  standard_error_.finish();
  if (hostcalls_) {
    result.panic = hostcalls_->panic_message();
    response = hostcalls_->take_response();
  }
  return result;
}

RunResult Sandbox::run(Cgi cgi, const hostcalls::HttpRequest& request, const Limits& limits) {
  RunResult failed;
  if (hostcalls_) hostcalls_->begin(request);
  const Result<Done> restarted = restart_wasi(cgi.input, cgi.output, std::move(cgi.environment));
  if (!restarted) {
    is_reusable_ = false;
    failed.error = restarted.error();
    return failed;
  }
  RunResult result = execute(limits);
  standard_error_.finish();
  if (hostcalls_) result.panic = hostcalls_->panic_message();
  return result;
}

}  // namespace tfvm::serve
