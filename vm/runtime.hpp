// The public surface of the engine on one page: engine, loaded module, store, linker, instance, functions, memory
// views.
//
//   tfvm::Engine engine;
//   auto module = engine.load(bytes);                         // decoded and validated; shared, immutable
//   tfvm::Store store(engine);                                // owns everything that runs; one thread at a time
//   tfvm::Linker linker(store);
//   linker.define_function("env", "add", [](std::int32_t a, std::int32_t b) { return a + b; });
//   auto instance = linker.instantiate(*module);
//   auto run = instance->get_function<std::int32_t(std::int32_t)>("run");
//   auto result = (*run)(41);                                 // a value, or the Trap that ended the guest
//
// Nothing here throws. Errors are Error (decoder/error.hpp); a guest that fails is a Trap (vm/trap.hpp).
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <pthread.h>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "decoder/error.hpp"
#include "decoder/module.hpp"
#include "vm/host_function.hpp"
#include "vm/instance.hpp"
#include "vm/trap.hpp"
#include "vm/value.hpp"

namespace tfvm {

class CodeCache;
class ImageArena;
class MemoryImage;

/// What is shared by all modules and stores: the type registry and the features. Thread-safe.
class Engine {
 public:
  explicit Engine(FeatureSet features = {});

  /// Decodes and validates. Errors: Malformed, Invalid, Unsupported, Limit.
  Result<std::shared_ptr<const LoadedModule>> load(std::vector<std::uint8_t> bytes) const;

  const std::shared_ptr<TypeRegistry>& registry() const { return registry_; }
  FeatureSet features() const { return features_; }

 private:
  std::shared_ptr<TypeRegistry> registry_;
  std::shared_ptr<ImageArena> images_;
  FeatureSet features_;
};

/// A validated module and the internal code that its functions were translated to. Shared by all its instances, on any
/// number of threads; immutable but for code that is added when a function is first called.
class LoadedModule {
 public:
  /// `images`: where the contents of its memory are kept for later instances; null: nowhere.
  explicit LoadedModule(std::shared_ptr<const Module> module, std::shared_ptr<ImageArena> images = nullptr);
  ~LoadedModule();
  const Module& module() const { return *module_; }
  CodeCache& code() const { return *code_; }
  MemoryImage& memory_image() const { return *memory_image_; }

 private:
  std::shared_ptr<const Module> module_;
  std::unique_ptr<CodeCache> code_;
  std::unique_ptr<MemoryImage> memory_image_;
};

/// Bounds of everything that runs in a store. Fixed when the store is made.
struct StoreLimits {
  std::uint64_t max_memory_bytes = UINT64_MAX;    ///< all linear memories of the store together
  std::uint64_t max_table_elements = 10'000'000;  ///< of all tables together
  std::uint64_t max_stack_bytes = 8u << 20;  ///< frames and call records, at most 1 GiB; beyond: "call stack exhausted"
  std::uint32_t max_instances = 10'000;
  std::optional<std::uint64_t> fuel;  ///< none: not counted, costs nothing
  bool trap_on_grow_failure = false;  ///< memory.grow beyond the limit traps instead of giving -1
  bool allow_guarded_memory = true;   ///< false: explicit bounds checks, little address space
};

using ExecuteFunction = TrapKind (*)(ExecutionContext&, FunctionInstance&, Slot*);

/// Owns all instances (section 4.2.3). Not thread-safe, but for interrupt().
class Store {
 public:
  explicit Store(const Engine& engine, StoreLimits limits = {});
  ~Store();
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  const Engine& engine() const { return engine_; }
  const StoreLimits& limits() const { return limits_; }
  ExecutionContext& context() { return *context_; }

  /// Allocate instances (section 4.6.1). Errors: Limit, Host.
  Result<MemoryInstance*> new_memory(MemoryType type);
  Result<TableInstance*> new_table(TableType type, Slot initial);
  GlobalInstance new_global(GlobalType type, Slot initial);
  FunctionInstance* new_host_function(FunctionType type, HostFunction function, std::string name);

  /// Section 4.6.2. `imports` in the order of the module's imports. Errors: Unlinkable, Limit, Host.
  /// A trap of a segment or of the start function is given in `trap`; what it changed before stays changed and the
  /// instance stays alive.
  struct Instantiated {
    ModuleInstance* instance = nullptr;
    std::optional<Trap> trap;
  };
  Result<Instantiated> instantiate(std::shared_ptr<const LoadedModule> module, std::span<const External> imports,
                                   bool run_start = true);

  /// Makes an instance new again, as instantiate() with its start function made it: no byte, element or global of what
  /// ran before is left, its functions and externals keep their addresses. Much cheaper than a new store. Fuel and
  /// deadline are the caller's to set. REQUIRES: an instance of this store; Error: Unlinkable (it imports a memory, a
  /// table or a mutable global, which others hold), Host (then the instance must not be used again).
  Result<Instantiated> renew(ModuleInstance& instance);

  /// Calls a function: arguments in slots[0..params), results come in slots[0..results).
  /// REQUIRES: room for the larger of the two; arguments have the right types, i32 zero-extended.
  std::optional<Trap> invoke(FunctionInstance& function, Slot* slots);

  /// Same with types checked: Error in the trap's message if `arguments` do not fit the function's type.
  struct Results {
    std::vector<Value> values;
    std::optional<Trap> trap;
  };
  Results call(FunctionInstance& function, std::span<const Value> arguments);

  /// Fuel left, if it is counted.
  std::optional<std::uint64_t> fuel() const;
  void set_fuel(std::uint64_t fuel);
  /// Takes `units` of fuel for work of the host; false if there is not enough (then none is left).
  bool consume_fuel(std::uint64_t units);

  /// Ends whatever this store runs, now or at its next invocation, with TrapKind::DeadlineExceeded, at `deadline`.
  /// Costs nothing while nothing happens. Cleared by clear_deadline(). Works while blocked in a host function that
  /// waits as vm/interrupt.hpp says. The thread that runs the store must not block interrupt_signal().
  void set_deadline(std::chrono::steady_clock::time_point deadline);
  void clear_deadline();
  /// Ends what runs with `kind`, from any thread or signal handler.
  void interrupt(TrapKind kind = TrapKind::Interrupted);

  /// Who executes wasm functions: the tree interpreter unless a test chooses the oracle.
  void set_execute(ExecuteFunction execute) { execute_ = execute; }

  /// An export of an instance; none if there is no such name.
  static std::optional<External> find_export(ModuleInstance& instance, std::string_view name);

  std::span<const std::unique_ptr<MemoryInstance>> memories() const { return memories_; }
  std::span<const std::unique_ptr<ModuleInstance>> instances() const { return instances_; }
  std::uint64_t memory_bytes() const { return memory_bytes_; }

 private:
  friend struct MemoryInstance;
  friend struct TableInstance;
  const Engine& engine_;
  StoreLimits limits_;
  std::unique_ptr<ExecutionContext> context_;
  std::vector<std::unique_ptr<MemoryInstance>> memories_;
  std::vector<std::unique_ptr<TableInstance>> tables_;
  std::deque<Slot> host_globals_;
  struct OwnedHostFunction {
    FunctionInstance instance;
    HostFunction function;
    std::string name;
    std::shared_ptr<const RecursionGroup> type;
  };
  std::deque<OwnedHostFunction> host_functions_;
  std::vector<std::unique_ptr<ModuleInstance>> instances_;
  std::uint64_t memory_bytes_ = 0;
  std::uint64_t table_elements_ = 0;
  ExecuteFunction execute_;

  friend class Invocation;
  std::optional<std::chrono::steady_clock::time_point> deadline_;
  std::atomic<pthread_t> executing_thread_{};   ///< whom interrupt() signals; none: 0
  std::atomic<std::uint32_t> interrupters_{0};  ///< inside of interrupt(): the executing thread waits for them
};

/// A typed exported function. Copyable; valid as long as its store.
template <class Signature>
class TypedFunction;

/// Names for externals, and instantiation by name (section 4.6.2). Also: a handle on an instance.
class Instance {
 public:
  Instance(Store& store, ModuleInstance* instance) : store_(&store), instance_(instance) {}
  ModuleInstance& get() const { return *instance_; }

  /// Error (Unlinkable) if there is no such function export or its type differs.
  template <class Signature>
  Result<TypedFunction<Signature>> get_function(std::string_view name) const;
  /// Nullptr if there is no such export.
  FunctionInstance* find_function(std::string_view name) const;
  MemoryInstance* find_memory(std::string_view name) const;

 private:
  Store* store_;
  ModuleInstance* instance_;
};

class Linker {
 public:
  explicit Linker(Store& store) : store_(store) {}

  /// A later definition of the same name replaces the earlier one.
  void define(std::string module, std::string name, External external);
  /// A C++ callable over std::int32_t, uint32_t, int64_t, uint64_t, float, double; optionally Caller& first; returning
  /// one of these, void, a std::tuple of them, or HostOutcome (then: no results).
  template <class Callable>
  void define_function(std::string module, std::string name, Callable callable) {
    auto [type, function] = make_host_function(std::move(callable));
    define_host_function(std::move(module), std::move(name), std::move(type), std::move(function));
  }
  void define_host_function(std::string module, std::string name, FunctionType type, HostFunction function);
  /// All exports of an instance under the module name `module` ("register").
  void define_instance(const std::string& module, ModuleInstance& instance);

  /// Resolves all imports by name and instantiates. Error (Unlinkable) lists every missing import with its type.
  /// A trap during instantiation: Error of kind Host is not used; see try_instantiate.
  Result<Instance> instantiate(const std::shared_ptr<const LoadedModule>& module);
  /// Same, with the trap of a segment or the start function kept apart from errors.
  Result<Store::Instantiated> try_instantiate(const std::shared_ptr<const LoadedModule>& module);

 private:
  Store& store_;
  std::map<std::pair<std::string, std::string>, External> definitions_;
};

template <class R, class... Args>
class TypedFunction<R(Args...)> {
 public:
  TypedFunction(Store& store, FunctionInstance& function) : store_(&store), function_(&function) {}

  /// The result, or the trap that ended the guest.
  struct Outcome {
    std::optional<Trap> trap;
    [[no_unique_address]] std::conditional_t<std::is_void_v<R>, std::monostate, R> value{};
    bool ok() const { return !trap.has_value(); }
  };
  Outcome operator()(Args... args) const {
    constexpr std::size_t results = host::result_count<R>;
    Slot slots[std::max<std::size_t>({sizeof...(Args), results, 1})];
    std::size_t next = 0;
    ((slots[next++] = host::to_slot(args)), ...);
    Outcome outcome;
    outcome.trap = store_->invoke(*function_, slots);
    if constexpr (!std::is_void_v<R>)
      if (outcome.ok()) outcome.value = host::results_from_slots<R>(slots);
    return outcome;
  }

 private:
  Store* store_;
  FunctionInstance* function_;
};

template <class Signature>
Result<TypedFunction<Signature>> Instance::get_function(std::string_view name) const {
  FunctionInstance* function = find_function(name);
  if (function == nullptr) return Error{ErrorKind::Unlinkable, "unknown export: function '" + std::string(name) + "'"};
  const FunctionType wanted = host::function_type<Signature>();
  if (!(function->type->function() == wanted))
    return Error{ErrorKind::Unlinkable, "incompatible export type: '" + std::string(name) + "' is " +
                                            to_string(function->type->function()) + ", not " + to_string(wanted)};
  return TypedFunction<Signature>(*store_, *function);
}

}  // namespace tfvm
