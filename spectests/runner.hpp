// Executes the commands of one script against an engine of its own and counts what came of them.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "spectests/report.hpp"
#include "spectests/script.hpp"
#include "vm/runtime.hpp"

namespace tfvm::spectests {

struct RunnerOptions {
  ExecuteFunction execute = nullptr;  ///< null: the store's default
  StoreLimits limits = {};
  bool takes_malformed_for_invalid = false;  ///< wabt encodes some invalid modules in a malformed way
};

/// Runs one script, once.
class Runner {
 public:
  /// `name` stands before the line in failures.
  explicit Runner(std::string name, const RunnerOptions& options = {});
  ~Runner();

  void run(const std::vector<Command>& commands);
  const Report& report() const { return report_; }

 private:
  /// A module of the script: there, or not there because something is skipped (a reason) or failed (neither).
  struct Target {
    ModuleInstance* instance = nullptr;
    std::string skip_reason;
  };
  /// A module that was only loaded: likewise.
  struct Definition {
    std::shared_ptr<const LoadedModule> module;
    std::string skip_reason;
  };
  struct Outcome {
    std::vector<Value> values;
    std::optional<Trap> trap;
  };

  void run(const Command& command);
  void run_module(const Command& command);
  void run_definition(const Command& command);
  void run_instance(const Command& command);
  void run_register(const Command& command);
  void run_action(const Command& command);
  void run_assert_return(const Command& command);
  void run_assert_trap(const Command& command);
  void run_assert_rejected(const Command& command);
  void run_assert_unlinkable(const Command& command);
  void run_assert_uninstantiable(const Command& command);
  void run_skipped(const Command& command);

  const Target* find_target(const std::string& name) const;
  void set_current(const Command& command, Target target);
  /// The module of a command that defines one; what kept it from being loaded is reported.
  Definition define(const Command& command);
  Target instantiate(const Command& command, const Definition& definition);
  /// The module's bytes, loaded; for a text that could not be assembled, why.
  Result<std::shared_ptr<const LoadedModule>> load_bytes(const Command& command);
  /// What the action gave; none if it could not be done, which is reported.
  std::optional<Outcome> perform(const Command& command);
  std::optional<Outcome> invoke(const Command& command, ModuleInstance& instance);
  std::optional<Outcome> get(const Command& command, ModuleInstance& instance);
  /// Why a module cannot be expected to link: it imports from a module that was skipped; empty: it can.
  std::string missing_dependency(const Module& module) const;
  /// The loaded module; none if the outcome is reported already (skipped, failed).
  std::shared_ptr<const LoadedModule> load(const Command& command);

  void pass(const Command& command);
  void fail(const Command& command, const std::string& message);
  void skip(const Command& command, const std::string& reason);

  std::string name_;
  Report report_;
  Engine engine_;
  Store store_;
  Linker linker_;
  Target current_;
  std::map<std::string, Target> named_;
  Definition last_definition_;
  std::map<std::string, Definition> definitions_;
  bool takes_malformed_for_invalid_;
  std::map<std::string, std::string> skipped_registrations_;  ///< import module name to reason
};

/// "needs simd" for an error of kind Unsupported, by the feature's name in its message.
std::string skip_reason(const Error& error);

}  // namespace tfvm::spectests
