// For tests of vm/: an engine, a store and a linker together, and modules out of decoder/test_module.hpp.
#pragma once

#include <gtest/gtest.h>
#include <initializer_list>
#include <string>

#include "decoder/test_module.hpp"
#include "vm/execution_context.hpp"
#include "vm/runtime.hpp"

namespace tfvm::test {

/// Everything that a test needs to run a module. Fails the test, and gives null, if the module is not accepted.
class World {
 public:
  explicit World(StoreLimits limits = {}) : store(engine, limits), linker(store) {}

  std::shared_ptr<const LoadedModule> load(const Bytes& bytes) {
    auto module = engine.load(bytes);
    if (!module) {
      ADD_FAILURE() << module.error().to_string();
      return nullptr;
    }
    return *module;
  }
  /// The instance, whatever its segments and start function did; `trap` is what they did.
  ModuleInstance* instantiate(const Bytes& bytes) {
    const auto module = load(bytes);
    if (module == nullptr) return nullptr;
    auto result = linker.try_instantiate(module);
    if (!result) {
      ADD_FAILURE() << result.error().to_string();
      return nullptr;
    }
    trap = result->trap ? result->trap->kind : TrapKind::None;
    return result->instance;
  }
  Store::Results call(ModuleInstance* instance, std::string_view name, std::initializer_list<Value> arguments = {}) {
    const auto found = Store::find_export(*instance, name);
    if (!found) {
      ADD_FAILURE() << "no export " << name;
      return {};
    }
    return store.call(*found->function, arguments);
  }
  /// The one i32 that the function returns; fails the test if it traps.
  std::uint32_t call_i32(ModuleInstance* instance, std::string_view name, std::initializer_list<Value> arguments = {}) {
    const Store::Results results = call(instance, name, arguments);
    if (results.trap) ADD_FAILURE() << results.trap->to_string();
    return results.values.empty() ? 0xdeadbeef : results.values[0].slot.as_i32();
  }
  TrapKind call_trap(ModuleInstance* instance, std::string_view name, std::initializer_list<Value> arguments = {}) {
    const Store::Results results = call(instance, name, arguments);
    return results.trap ? results.trap->kind : TrapKind::None;
  }

  Engine engine;
  Store store;
  Linker linker;
  TrapKind trap = TrapKind::None;
};

/// An exported function of `builder`.
inline std::uint32_t export_function(ModuleBuilder& builder, std::string_view name, const Bytes& params,
                                     const Bytes& results, const Bytes& code, std::uint32_t imported_functions = 0) {
  const std::uint32_t index = builder.function(builder.type(params, results), code) + imported_functions;
  builder.export_item(name, 0, index);
  return index;
}

// Instructions that tests use often.
inline Bytes i32_const(std::int64_t value) { return Bytes{0x41} + signed_leb(value); }
inline Bytes i64_const(std::int64_t value) { return Bytes{0x42} + signed_leb(value); }
inline Bytes local_get(std::uint32_t index) { return Bytes{0x20} + unsigned_leb(index); }
inline Bytes call_function(std::uint32_t index) { return Bytes{0x10} + unsigned_leb(index); }

}  // namespace tfvm::test
