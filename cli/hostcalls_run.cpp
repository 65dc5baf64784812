// One request to one function: see hostcalls_run.hpp.
#include "cli/hostcalls_run.hpp"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <fcntl.h>

#include "cli/cgi_run.hpp"
#include "cli/failure.hpp"
#include "cli/guest_setup.hpp"
#include "cli/guest_system.hpp"
#include "cli/load.hpp"
#include "cli/module_file.hpp"
#include "cli/serve/response_head.hpp"
#include "hostcalls/hostcalls.hpp"

namespace tfvm::cli {
namespace {

using LogKind = hostcalls::HostcallServices::LogKind;

/// "GET /path" or "/path".
hostcalls::HttpRequest parse_request(const HostcallOptions& options) {
  hostcalls::HttpRequest request;
  const std::string text = options.request.value_or("/");
  const std::size_t space = text.find(' ');
  if (space != std::string::npos) request.method = text.substr(0, space);
  request.target = space == std::string::npos ? text : text.substr(space + 1);
  if (!hostcalls::is_token(request.method) || !hostcalls::is_request_target(request.target))
    fail_usage("--request cannot be '" + printable(text) + "'", "expected a method and a path, such as 'GET /a?b=c'");
  for (const std::string& header : options.headers) {
    const std::size_t colon = header.find(':');
    const std::size_t value = header.find_first_not_of(" \t", colon == std::string::npos ? colon : colon + 1);
    hostcalls::HeaderField field;
    field.name = header.substr(0, colon);
    if (value != std::string::npos) field.value = header.substr(value);
    if (colon == std::string::npos || !hostcalls::is_token(field.name) || !hostcalls::is_field_value(field.value))
      fail_usage("--header cannot be '" + printable(header) + "'", "expected 'name: value'");
    request.headers.push_back(std::move(field));
  }
  if (!hostcalls::find_field(request.headers, "host")) request.headers.push_back({"host", "localhost"});
  if (options.body_file) {
    const std::vector<std::uint8_t> body = read_module_file(*options.body_file);
    request.body.assign(body.begin(), body.end());
    hostcalls::set_field(request.headers, "content-length", {std::to_string(request.body.size())});
  }
  return request;
}

const char* label(LogKind kind) {
  switch (kind) {
    case LogKind::Debug: return "debug";
    case LogKind::Panic: return "panic";
    case LogKind::Failure: return "failure";
  }
  return "log";
}

/// What outlives the guest: the services behind its hostcalls, and their descriptors.
struct Services {
  std::unique_ptr<hostcalls::Resolver> resolver;
  std::unique_ptr<hostcalls::HttpClient> http;
  std::unique_ptr<hostcalls::KeyValueStore> key_value;
};

hostcalls::HostcallServices open_services(const RunOptions& options, const Report& report, Services& owned) {
  hostcalls::HostcallServices services;
  for (const std::string& rule : options.hostcalls.outbound_rules)
    if (const Result<Done> allowed = services.outbound_policy.allow(rule); !allowed)
      fail_usage("--allow-outbound cannot be '" + printable(rule) + "': " + printable(allowed.error().message));
  if (!services.outbound_policy.is_empty()) {
    auto resolver = hostcalls::make_resolver({});
    if (!resolver) fail(printable(resolver.error().message));
    owned.resolver = std::move(*resolver);
    owned.http = hostcalls::make_http_client(*owned.resolver);
    services.resolver = owned.resolver.get();
    services.http = owned.http.get();
  }
  if (const auto& path = options.hostcalls.key_value_file) {
    auto store =
        path->starts_with("redis://") ? hostcalls::open_redis_store(*path) : hostcalls::open_sqlite_store(*path);
    if (!store) fail(printable(store.error().message));
    owned.key_value = std::move(*store);
  } else {
    owned.key_value = hostcalls::make_memory_store();
  }
  services.key_value = owned.key_value.get();
  services.key_value_space = file_name(options.file);
  services.log = [&report, can_send = services.http != nullptr](LogKind kind, std::string_view line) {
    const bool wants_to_send = kind == LogKind::Failure && !can_send && line.starts_with("hostcall_req_send");
    report.note(label(kind), std::string(line) + (wants_to_send ? " (--allow-outbound HOST allows them)" : ""));
  };
  if (options.hostcalls.trace)
    services.trace = [&report](std::string_view line) { report.note("hostcall", printable(line)); };
  return services;
}

/// What the process keeps: the ways to others and to the key-value file, if there are any.
SandboxPlan own_plan(const RunOptions& options, const wasi::Wasi& system) {
  SandboxPlan plan = sandbox_plan(options, system);
  const auto& store = options.hostcalls.key_value_file;
  const bool is_redis = store && store->starts_with("redis://");
  plan.makes_connections = is_redis || !options.hostcalls.outbound_rules.empty();
  if (plan.makes_connections)
    plan.read_paths = {"/etc/resolv.conf", "/etc/hosts", "/etc/ssl", "/usr/lib/ssl", "/usr/share/ca-certificates"};
  if (store && !is_redis) {
    const std::size_t slash = store->rfind('/');
    const std::string folder = slash == std::string::npos ? "." : store->substr(0, slash + 1);
    plan.directories.push_back({::open(folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC), false});
  }
  return plan;
}

std::string response_text(const hostcalls::HttpResponse& response, bool has_body) {
  std::string text = "HTTP/1.1 " + std::to_string(response.status) + " ";
  text += serve::reason_phrase(response.status);
  text += '\n';
  for (const hostcalls::HeaderField& field : response.headers) text += field.name + ": " + field.value + '\n';
  const bool is_bodiless = serve::has_no_body(response.status);
  if (!is_bodiless) text += "content-length: " + std::to_string(response.body.size()) + '\n';
  text += '\n';
  return has_body && !is_bodiless ? text + response.body : text;
}

bool exports_function(const Module& module, std::string_view name) {
  return std::any_of(module.exports.begin(), module.exports.end(), [&](const Export& each) {
    return each.kind == ExternKind::Function && each.name == name && module.function_type(each.index) == FunctionType{};
  });
}

/// The run of a function for a request.
class FunctionRun {
 public:
  FunctionRun(const RunOptions& options, const Report& report)
      : options_(options),
        report_(report),
        request_(parse_request(options.hostcalls)),
        module_(load_module_file(engine_, options.file, report)),
        is_cgi_(!exports_function(module_->module(), "run")),
        hostcalls_(open_services(options, report, services_)),
        store_(engine_, store_limits(options)) {
    if (is_cgi_ && !exports_function(module_->module(), "_start"))
      fail(printable(options.file) + " is no function: it exports neither run nor _start of the type () -> ()");
  }

  int execute() {
    report_.log(LogLevel::Info, is_cgi_ ? "a CGI program: its export _start" : "a function: its export run");
    CgiStreams cgi(request_.body);
    const std::unique_ptr<wasi::Wasi> system = open_guest_system(options_, report_, [&](wasi::WasiConfig& config) {
      if (is_cgi_) cgi.prepare(config, request_, options_.file);
      else config.stdout_fd = config.stderr_fd;  // standard output is the response's
    });
    Linker linker(store_);
    system->add_imports_of(linker, module_->module());
    hostcalls_.add_imports_of(linker, module_->module());
    restrict_own_process(options_, report_, own_plan(options_, *system));
    if (options_.timeout) store_.set_deadline(std::chrono::steady_clock::now() + *options_.timeout);
    const bool is_head = request_.method == "HEAD";
    hostcalls_.begin(request_);  // a copy: the CGI program reads the body too
    const std::optional<Trap> trap = run_guest(linker);
    if (trap && !(is_cgi_ && trap->kind == TrapKind::Exit && trap->exit_code == 0))
      return end_with(*trap, options_, report_);
    hostcalls::HttpResponse response = hostcalls_.take_response();
    if (is_cgi_) response = cgi.response();
    write_output(response_text(response, !is_head));
    return exit_success;
  }

 private:
  std::optional<Trap> run_guest(Linker& linker) {
    const Result<Store::Instantiated> instantiated = linker.try_instantiate(module_);
    if (!instantiated) fail_to_instantiate(instantiated.error(), options_, module_->module());
    if (instantiated->trap) return instantiated->trap;
    for (const std::string_view name : {"_initialize", "__wasm_call_ctors", "run"}) {
      if (is_cgi_ && name != "run") continue;  // _start does all that
      const std::string_view entry = is_cgi_ ? "_start" : name;
      if (!exports_function(module_->module(), entry)) continue;
      if (name == "__wasm_call_ctors" && exports_function(module_->module(), "_initialize")) continue;
      const auto function = Store::find_export(*instantiated->instance, entry);
      if (const Store::Results results = store_.call(*function->function, {}); results.trap) return results.trap;
    }
    return std::nullopt;
  }

  const RunOptions& options_;
  const Report& report_;
  hostcalls::HttpRequest request_;
  Engine engine_;
  std::shared_ptr<const LoadedModule> module_;
  bool is_cgi_;
  Services services_;
  hostcalls::Hostcalls hostcalls_;
  Store store_;
};

}  // namespace

int run_hostcalls(const RunOptions& options, const Report& report) {
  if (options.invoke) fail_usage("--invoke and --hostcalls exclude each other", "a function has one entry, its run");
  if (!options.arguments.empty())
    fail_usage("a function takes no arguments", "--request 'GET /path?name=value' has room for them");
  FunctionRun run(options, report);
  return run.execute();
}

}  // namespace tfvm::cli
