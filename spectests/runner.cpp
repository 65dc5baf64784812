// One function per command. A module that is skipped (a feature that is missing, or that wabt could not convert) makes
// everything that depends on it skipped; a module that fails makes what depends on it fail.
#include "spectests/runner.hpp"

#include <array>
#include <string_view>

#include "spectests/match.hpp"
#include "spectests/spectest_host.hpp"

namespace tfvm::spectests {

Runner::Runner(std::string name, const RunnerOptions& options)
    : name_(std::move(name)),
      store_(engine_, options.limits),
      linker_(store_),
      takes_malformed_for_invalid_(options.takes_malformed_for_invalid) {
  if (options.execute != nullptr) store_.set_execute(options.execute);
  if (const auto defined = define_spectest(store_, linker_); !defined)
    fail(Command{}, "the spectest module: " + defined.error().to_string());
}

Runner::~Runner() = default;

void Runner::run(const std::vector<Command>& commands) {
  for (const Command& command : commands) run(command);
}

void Runner::run(const Command& command) {
  switch (command.kind) {
    case CommandKind::Module: return run_module(command);
    case CommandKind::Definition: return run_definition(command);
    case CommandKind::Instance: return run_instance(command);
    case CommandKind::Register: return run_register(command);
    case CommandKind::Action: return run_action(command);
    case CommandKind::AssertReturn: return run_assert_return(command);
    case CommandKind::AssertTrap:
    case CommandKind::AssertExhaustion: return run_assert_trap(command);
    case CommandKind::AssertException: return skip(command, "needs exceptions");
    case CommandKind::AssertInvalid:
    case CommandKind::AssertMalformed: return run_assert_rejected(command);
    case CommandKind::AssertUnlinkable: return run_assert_unlinkable(command);
    case CommandKind::AssertUninstantiable: return run_assert_uninstantiable(command);
    case CommandKind::Skipped: return run_skipped(command);
  }
}

// ---- Counting -------------------------------------------------------------------------------------------------------

void Runner::pass(const Command& command) {
  if (command.is_assertion()) ++report_.passed;
}

void Runner::fail(const Command& command, const std::string& message) {
  ++report_.failed;
  report_.failures.push_back(name_ + ":" + std::to_string(command.line) + ": " + std::string(to_string(command.kind)) +
                             ": " + message);
}

void Runner::skip(const Command& command, const std::string& reason) {
  if (command.is_assertion()) ++report_.skipped[reason];
}

std::string skip_reason(const Error& error) {
  std::string_view found = "an unsupported feature";
  std::size_t length = 0;
  for (const FeatureInfo& feature : feature_infos) {
    if (feature.name.size() <= length || error.message.find(feature.name) == std::string::npos) continue;
    found = feature.name;
    length = feature.name.size();
  }
  return "needs " + std::string(found);
}

// ---- Modules --------------------------------------------------------------------------------------------------------

const Runner::Target* Runner::find_target(const std::string& name) const {
  if (name.empty()) return &current_;
  const auto found = named_.find(name);
  return found == named_.end() ? nullptr : &found->second;
}

void Runner::set_current(const Command& command, Target target) {
  if (!command.name.empty()) named_[command.name] = target;
  current_ = std::move(target);
}

std::string Runner::missing_dependency(const Module& module) const {
  for (const Import& import : module.imports) {
    const auto found = skipped_registrations_.find(std::string(import.module));
    if (found != skipped_registrations_.end()) return found->second;
  }
  return {};
}

Result<std::shared_ptr<const LoadedModule>> Runner::load_bytes(const Command& command) {
  if (command.text_error) return *command.text_error;
  return engine_.load(command.module);
}

std::shared_ptr<const LoadedModule> Runner::load(const Command& command) {
  auto loaded = load_bytes(command);
  if (!loaded) {
    if (loaded.error().kind == ErrorKind::Unsupported) skip(command, skip_reason(loaded.error()));
    else fail(command, loaded.error().to_string());
    return nullptr;
  }
  const std::string reason = missing_dependency((*loaded)->module());
  if (reason.empty()) return *loaded;
  skip(command, reason);
  return nullptr;
}

Runner::Definition Runner::define(const Command& command) {
  auto loaded = load_bytes(command);
  if (loaded) return {std::move(loaded).value(), {}};
  if (loaded.error().kind == ErrorKind::Unsupported) return {nullptr, skip_reason(loaded.error())};
  fail(command, loaded.error().to_string());
  return {};
}

Runner::Target Runner::instantiate(const Command& command, const Definition& definition) {
  if (definition.module == nullptr) return Target{nullptr, definition.skip_reason};
  const std::string reason = missing_dependency(definition.module->module());
  if (!reason.empty()) return Target{nullptr, reason};
  const auto made = linker_.try_instantiate(definition.module);
  if (made && !made->trap) return Target{made->instance, {}};
  fail(command, made ? "trap: " + made->trap->to_string() : made.error().to_string());
  return {};
}

void Runner::run_module(const Command& command) {
  set_current(command, Target{});
  set_current(command, instantiate(command, define(command)));
}

void Runner::run_definition(const Command& command) {
  last_definition_ = define(command);
  if (!command.name.empty()) definitions_[command.name] = last_definition_;
}

void Runner::run_instance(const Command& command) {
  set_current(command, Target{});
  const auto found = definitions_.find(command.definition);
  if (!command.definition.empty() && found == definitions_.end())
    return fail(command, "no definition " + command.definition);
  const Definition& definition = command.definition.empty() ? last_definition_ : found->second;
  if (definition.module == nullptr && definition.skip_reason.empty()) return fail(command, "the module is not there");
  set_current(command, instantiate(command, definition));
}

void Runner::run_register(const Command& command) {
  const Target* const target = find_target(command.name);
  if (target == nullptr) return fail(command, "no module " + command.name);
  skipped_registrations_.erase(command.as);
  if (target->instance != nullptr) linker_.define_instance(command.as, *target->instance);
  else if (!target->skip_reason.empty()) skipped_registrations_[command.as] = target->skip_reason;
  else fail(command, "the module is not there");
}

void Runner::run_skipped(const Command& command) {
  skip(command, command.skip_reason);
  if (command.skipped_kind == CommandKind::Module) set_current(command, Target{nullptr, command.skip_reason});
  if (command.skipped_kind == CommandKind::Register) skipped_registrations_[command.as] = command.skip_reason;
}

// ---- Actions --------------------------------------------------------------------------------------------------------

std::optional<Runner::Outcome> Runner::perform(const Command& command) {
  const Target* const target = find_target(command.action.module);
  if (target == nullptr) {
    fail(command, "no module " + command.action.module);
  } else if (!target->skip_reason.empty()) {
    skip(command, target->skip_reason);
  } else if (target->instance == nullptr) {
    fail(command, "the module is not there");
  } else if (command.action.has_vector_arguments) {
    skip(command, "needs simd");
  } else {
    return command.action.is_invoke ? invoke(command, *target->instance) : get(command, *target->instance);
  }
  return std::nullopt;
}

std::optional<Runner::Outcome> Runner::invoke(const Command& command, ModuleInstance& instance) {
  const auto found = Store::find_export(instance, command.action.field);
  if (!found || found->kind != ExternKind::Function) {
    fail(command, "no exported function " + command.action.field);
    return std::nullopt;
  }
  auto results = store_.call(*found->function, command.action.arguments);
  return Outcome{std::move(results.values), std::move(results.trap)};
}

std::optional<Runner::Outcome> Runner::get(const Command& command, ModuleInstance& instance) {
  const auto found = Store::find_export(instance, command.action.field);
  if (!found || found->kind != ExternKind::Global) {
    fail(command, "no exported global " + command.action.field);
    return std::nullopt;
  }
  return Outcome{{Value{found->global.type.value, *found->global.cell}}, std::nullopt};
}

void Runner::run_action(const Command& command) {
  const auto outcome = perform(command);
  if (outcome && outcome->trap) fail(command, "trap: " + outcome->trap->to_string());
}

void Runner::run_assert_return(const Command& command) {
  for (const Pattern& pattern : command.expected)
    if (pattern.kind == Pattern::Kind::Vector) return skip(command, "needs simd");
  const auto outcome = perform(command);
  if (!outcome) return;
  if (outcome->trap)
    return fail(command, "expected " + describe(command) + ", got trap: " + outcome->trap->to_string());
  if (matches(command, outcome->values)) return pass(command);
  fail(command, "expected " + describe(command) + ", got " + describe(outcome->values));
}

void Runner::run_assert_trap(const Command& command) {
  const auto outcome = perform(command);
  if (!outcome) return;
  if (!outcome->trap) return fail(command, "expected trap: " + command.text + ", got " + describe(outcome->values));
  if (matches_text(command.text, to_string(outcome->trap->kind))) return pass(command);
  fail(command, "expected trap: " + command.text + ", got trap: " + outcome->trap->to_string());
}

// ---- Assertions on modules ------------------------------------------------------------------------------------------

void Runner::run_assert_rejected(const Command& command) {
  if (command.is_text_module) return skip(command, "text format");
  const auto loaded = load_bytes(command);
  if (loaded) return fail(command, "expected " + command.text + ", but the module is accepted");
  const ErrorKind kind = loaded.error().kind;
  if (kind == ErrorKind::Unsupported) return skip(command, skip_reason(loaded.error()));
  const bool is_invalid = command.kind == CommandKind::AssertInvalid;
  const bool fits = kind == (is_invalid ? ErrorKind::Invalid : ErrorKind::Malformed) ||
                    (is_invalid && takes_malformed_for_invalid_ && kind == ErrorKind::Malformed);
  // Texts are refused in the suite's words; for bytes there are too many ways to say it.
  if (fits && (!command.text_error || matches_text(command.text, loaded.error().message))) return pass(command);
  fail(command, "expected " + command.text + ", got " + loaded.error().to_string());
}

void Runner::run_assert_unlinkable(const Command& command) {
  const auto loaded = load(command);
  if (loaded == nullptr) return;
  const auto made = linker_.try_instantiate(loaded);
  if (made) return fail(command, "expected " + command.text + ", but the module links");
  const Error& error = made.error();
  if (error.kind == ErrorKind::Unlinkable && matches_text(command.text, error.message)) return pass(command);
  fail(command, "expected " + command.text + ", got " + error.to_string());
}

void Runner::run_assert_uninstantiable(const Command& command) {
  const auto loaded = load(command);
  if (loaded == nullptr) return;
  const auto made = linker_.try_instantiate(loaded);
  if (!made) return fail(command, "expected trap: " + command.text + ", got " + made.error().to_string());
  if (!made->trap) return fail(command, "expected trap: " + command.text + ", but the module is instantiated");
  if (matches_text(command.text, to_string(made->trap->kind))) return pass(command);
  fail(command, "expected trap: " + command.text + ", got trap: " + made->trap->to_string());
}

}  // namespace tfvm::spectests
