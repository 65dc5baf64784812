// Linker: names for externals and instantiation by name; Instance: look-up of exports (runtime.hpp).
#include "vm/imports.hpp"
#include "vm/runtime.hpp"

namespace tfvm {

FunctionInstance* Instance::find_function(std::string_view name) const {
  const auto found = Store::find_export(*instance_, name);
  return found && found->kind == ExternKind::Function ? found->function : nullptr;
}

MemoryInstance* Instance::find_memory(std::string_view name) const {
  const auto found = Store::find_export(*instance_, name);
  return found && found->kind == ExternKind::Memory ? found->memory : nullptr;
}

void Linker::define(std::string module, std::string name, External external) {
  definitions_.insert_or_assign({std::move(module), std::move(name)}, external);
}

void Linker::define_host_function(std::string module, std::string name, FunctionType type, HostFunction function) {
  External external;
  external.kind = ExternKind::Function;
  external.function = store_.new_host_function(std::move(type), std::move(function), module + "." + name);
  define(std::move(module), std::move(name), external);
}

void Linker::define_instance(const std::string& module, ModuleInstance& instance) {
  for (const Export& entry : instance.module->module().exports)
    define(module, std::string(entry.name), instance.exported(entry));
}

Result<Store::Instantiated> Linker::try_instantiate(const std::shared_ptr<const LoadedModule>& module) {
  std::vector<External> externals;
  std::string missing;
  std::size_t missing_count = 0;
  for (const Import& import : module->module().imports) {
    const auto found = definitions_.find({std::string(import.module), std::string(import.name)});
    if (found != definitions_.end()) {
      externals.push_back(found->second);
      continue;
    }
    ++missing_count;
    missing += "\n  " + printable(import.module) + "." + printable(import.name) + ": " +
               describe_import(module->module(), import);
  }
  if (missing_count == 0) return store_.instantiate(module, externals);
  return Error{ErrorKind::Unlinkable, "unknown import: " + std::to_string(missing_count) +
                                          (missing_count == 1 ? " is missing:" : " are missing:") + missing};
}

Result<Instance> Linker::instantiate(const std::shared_ptr<const LoadedModule>& module) {
  auto result = try_instantiate(module);
  if (!result) return result.error();
  if (result->trap)
    return Error{ErrorKind::Unlinkable, "the module trapped while it was instantiated: " + result->trap->to_string()};
  return Instance(store_, result->instance);
}

}  // namespace tfvm
