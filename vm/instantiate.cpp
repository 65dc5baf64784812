// Instantiation (WebAssembly 3.0, section 4.7.2): allocate, initialise, run segments and the start function, in the
// standard's order. What a trap leaves behind stays, and so does the instance.
#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>

#include "vm/constant_expression.hpp"
#include "vm/execution_context.hpp"
#include "vm/guest_memory.hpp"
#include "vm/imports.hpp"
#include "vm/memory_image.hpp"
#include "vm/runtime.hpp"

namespace tfvm {

ModuleInstance::~ModuleInstance() { ::operator delete(block); }

FunctionInstance* ModuleInstance::function(std::uint32_t function_index) {
  const Module& definition = module->module();
  if (function_index < definition.imported_functions) return imported_functions[function_index];
  FunctionInstance& result = own_functions[function_index - definition.imported_functions];
  if (result.instance == nullptr) {
    new (&result) FunctionInstance;
    result.function_index = function_index;
    result.type = definition.functions[function_index].type;
    result.type_id = result.type->id;
    result.instance = this;
  }
  return &result;
}

External ModuleInstance::exported(const Export& entry) {
  External external;
  external.kind = entry.kind;
  switch (entry.kind) {
    case ExternKind::Function: external.function = function(entry.index); break;
    case ExternKind::Table: external.table = tables[entry.index]; break;
    case ExternKind::Memory: external.memory = memories[entry.index]; break;
    case ExternKind::Global: external.global = globals[entry.index]; break;
    case ExternKind::Tag: break;
  }
  return external;
}

namespace {

/// The steps of one instantiation, in their order.
class Instantiation {
 public:
  Instantiation(Store& store, ModuleInstance& instance)
      : store_(store), instance_(instance), module_(instance.module->module()), evaluator_(instance) {}

  void take_imports(std::span<const External> imports) {
    for (const External& external : imports) {
      switch (external.kind) {
        case ExternKind::Function: instance_.imported_functions.push_back(external.function); break;
        case ExternKind::Table: instance_.tables.push_back(external.table); break;
        case ExternKind::Memory: instance_.memories.push_back(external.memory); break;
        case ExternKind::Global: instance_.globals.push_back(external.global); break;
        case ExternKind::Tag: break;
      }
    }
  }

  std::optional<Error> allocate() {
    for (std::size_t i = module_.imported_memories; i < module_.memories.size(); ++i) {
      auto memory = store_.new_memory(module_.memories[i]);
      if (!memory) return memory.error();
      instance_.memories.push_back(*memory);
    }
    for (std::size_t i = module_.imported_tables; i < module_.tables.size(); ++i) {
      auto table = store_.new_table(module_.tables[i].type, Slot::null());
      if (!table) return table.error();
      instance_.tables.push_back(*table);
    }
    const std::size_t functions = module_.functions.size() - module_.imported_functions;
    instance_.own_functions.reset(
        static_cast<FunctionInstance*>(std::calloc(std::max<std::size_t>(functions, 1), sizeof(FunctionInstance))));
    if (instance_.own_functions == nullptr)
      return Error{ErrorKind::Host, "the host has no memory for " + std::to_string(functions) + " functions"};
    return std::nullopt;
  }

  void make_block(ExecutionContext& context) {
    const std::size_t size = sizeof(InstanceBlock) + module_.globals.size() * sizeof(Slot);
    instance_.block = new (::operator new(size)) InstanceBlock;
    std::memset(static_cast<void*>(instance_.block->globals()), 0, module_.globals.size() * sizeof(Slot));
    instance_.block->context = &context;
    instance_.block->owner = &instance_;
    instance_.block->memories = instance_.memories.data();
    instance_.block->tables = instance_.tables.data();
    instance_.block->imported_functions = instance_.imported_functions.data();
    instance_.dropped_elements.resize(module_.elements.size());
    instance_.dropped_data.resize(module_.data.size());
    instance_.element_segments.resize(module_.elements.size());
    choose_memory_for_host();
  }

  void initialise() {
    Slot* const cells = instance_.block->globals();
    instance_.globals.resize(module_.imported_globals);  // what a renewed instance has beyond is made again
    for (std::size_t i = 0; i < module_.imported_globals; ++i)
      cells[i].bits = reinterpret_cast<std::uint64_t>(instance_.globals[i].cell);
    for (std::size_t i = module_.imported_globals; i < module_.globals.size(); ++i) {
      cells[i] = evaluator_.evaluate(module_.globals[i].initializer);
      instance_.globals.push_back({module_.globals[i].type, &cells[i]});
    }
    for (std::size_t i = module_.imported_tables; i < module_.tables.size(); ++i) {
      if (module_.tables[i].initializer.size == 0) continue;
      TableInstance& table = *instance_.tables[i];
      std::fill_n(table.elements, table.size, evaluator_.evaluate(module_.tables[i].initializer));
    }
    for (std::size_t i = 0; i < module_.elements.size(); ++i) {
      if (module_.elements[i].mode != SegmentMode::Passive) continue;
      std::vector<Slot>& items = instance_.element_segments[i];
      items.clear();
      items.reserve(module_.elements[i].count);
      for_each_item(instance_, module_, module_.elements[i], [&](Slot item) { items.push_back(item); });
    }
  }

  /// Empties what the instance owns. False: the host did not do its part.
  bool clear() {
    for (std::size_t i = module_.imported_memories; i < module_.memories.size(); ++i)
      if (!instance_.memories[i]->reset()) return false;
    for (std::size_t i = module_.imported_tables; i < module_.tables.size(); ++i)
      if (!instance_.tables[i]->reset()) return false;
    instance_.dropped_elements.assign(module_.elements.size(), false);
    instance_.dropped_data.assign(module_.data.size(), false);
    return true;
  }

  std::optional<Trap> run_segments_and_start(bool run_start) {
    if (const TrapKind kind = run_segments(); kind != TrapKind::None) {
      std::optional<Trap> trap(std::in_place);
      trap->kind = kind;
      return trap;
    }
    if (!run_start || !module_.start) return std::nullopt;
    Slot no_arguments;
    return store_.invoke(*instance_.function(*module_.start), &no_arguments);
  }

 private:
  TrapKind run_segments() {
    MemoryImage& image = instance_.module->memory_image();
    const bool has_image = image.apply(instance_);
    for (std::size_t i = 0; i < module_.elements.size(); ++i) {
      if (const TrapKind kind = run_element_segment(module_.elements[i]); kind != TrapKind::None) return kind;
      instance_.dropped_elements[i] = module_.elements[i].mode != SegmentMode::Passive;
    }
    for (std::size_t i = 0; i < module_.data.size(); ++i) {
      if (!has_image || module_.data[i].memory_index != 0)
        if (const TrapKind kind = run_data_segment(module_.data[i]); kind != TrapKind::None) return kind;
      instance_.dropped_data[i] = module_.data[i].mode != SegmentMode::Passive;
    }
    if (!has_image) image.learn(instance_);
    return TrapKind::None;
  }

  void choose_memory_for_host() {
    if (instance_.memories.empty()) return;
    instance_.memory_for_host = instance_.memories[0];
    for (const Export& entry : module_.exports)
      if (entry.kind == ExternKind::Memory && entry.name == "memory")
        instance_.memory_for_host = instance_.memories[entry.index];
  }

  TrapKind run_element_segment(const ElementSegment& segment) {
    if (segment.mode != SegmentMode::Active) return TrapKind::None;
    TableInstance& table = *instance_.tables[segment.table_index];
    const std::uint64_t offset = evaluator_.evaluate(segment.offset).bits;
    if (segment.count > table.size || offset > table.size - segment.count) return TrapKind::OutOfBoundsTableAccess;
    Slot* next = table.elements + offset;
    for_each_item(instance_, module_, segment, [&](Slot item) { *next++ = item; });
    return TrapKind::None;
  }

  TrapKind run_data_segment(const DataSegment& segment) {
    if (segment.mode != SegmentMode::Active) return TrapKind::None;
    const GuestMemory memory(*instance_.memories[segment.memory_index]);
    const auto target = memory.bytes(evaluator_.evaluate(segment.offset).bits, segment.bytes.size);
    if (!target) return TrapKind::OutOfBoundsMemoryAccess;
    if (!target->empty()) std::memcpy(target->data(), module_.bytes(segment.bytes).data(), target->size());
    return TrapKind::None;
  }

  Store& store_;
  ModuleInstance& instance_;
  const Module& module_;
  ConstantEvaluator evaluator_;
};

}  // namespace

namespace {

// What lives in another store has another context: calling it from here would run it on the wrong stack.
bool is_foreign(const Store& store, const External& external) {
  switch (external.kind) {
    case ExternKind::Function:
      return external.function->host == nullptr && external.function->instance->store != &store;
    case ExternKind::Table: return external.table->store != &store;
    case ExternKind::Memory: return external.memory->store != &store;
    default: return false;
  }
}

}  // namespace

Result<Store::Instantiated> Store::instantiate(std::shared_ptr<const LoadedModule> module,
                                               std::span<const External> imports, bool run_start) {
  const Module& definition = module->module();
  if (definition.registry() != engine_.registry())
    return Error{ErrorKind::Unlinkable, "the module was loaded by another engine than the store's"};
  if (auto error = check_imports(definition, imports)) return *std::move(error);
  if (std::any_of(imports.begin(), imports.end(),
                  [&](const External& external) { return is_foreign(*this, external); }))
    return Error{ErrorKind::Unlinkable, "an import belongs to another store"};
  if (instances_.size() >= limits_.max_instances)
    return Error{ErrorKind::Limit, "too many instances in this store: " + std::to_string(limits_.max_instances)};

  auto owned = std::make_unique<ModuleInstance>();
  ModuleInstance& instance = *owned;
  instance.module = std::move(module);
  instance.store = this;
  Instantiation steps(*this, instance);
  steps.take_imports(imports);
  const std::size_t memories_before = memories_.size();
  const std::size_t tables_before = tables_.size();
  if (auto error = steps.allocate()) {
    memories_.resize(memories_before);
    tables_.resize(tables_before);
    return *std::move(error);
  }
  steps.make_block(*context_);
  steps.initialise();
  instances_.push_back(std::move(owned));

  Instantiated result{&instance, steps.run_segments_and_start(run_start)};
  return result;
}

Result<Store::Instantiated> Store::renew(ModuleInstance& instance) {
  const Module& definition = instance.module->module();
  const bool shares_state =
      definition.imported_memories + definition.imported_tables > 0 ||
      std::any_of(definition.globals.begin(), definition.globals.begin() + definition.imported_globals,
                  [](const Global& global) { return global.type.is_mutable; });
  if (shares_state)
    return Error{ErrorKind::Unlinkable,
                 "an instance that imports a memory, a table or a mutable global has no state of "
                 "its own to go back to"};
  if (context_->nesting != 0) return Error{ErrorKind::Host, "an instance cannot be renewed while it runs"};
  Instantiation steps(*this, instance);
  if (!steps.clear()) return Error{ErrorKind::Host, "the host could not give the instance fresh memory"};
  steps.initialise();
  return Instantiated{&instance, steps.run_segments_and_start(true)};
}

}  // namespace tfvm
