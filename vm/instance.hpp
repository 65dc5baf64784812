// What a store holds (WebAssembly 3.0, section 4.2.3 to 4.2.12): function, table, memory, global and module instances.
// The heads of MemoryInstance, TableInstance, FunctionInstance and InstanceBlock are read by interpreter handlers at
// fixed offsets, so they are plain data; everything else about an instance is in ModuleInstance.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "decoder/module.hpp"
#include "vm/trap.hpp"
#include "vm/value.hpp"

namespace tfvm {

class Store;
class LoadedModule;
class Caller;
struct ExecutionContext;
struct External;
struct FunctionCode;
struct ModuleInstance;

/// Linear memory, section 4.2.8. `base` moves only in Checked memories, and only in grow().
struct MemoryInstance {
  std::uint8_t* base = nullptr;
  std::uint64_t size = 0;  ///< bytes that exist; a multiple of the page size

  /// Guarded: 8 GiB of address space behind `base` are reserved, so that a 32-bit address plus a 32-bit offset cannot
  /// leave it and a fault is the trap. Checked: every access compares with `size`.
  enum class Kind : std::uint8_t { Guarded, Checked } kind = Kind::Checked;
  MemoryType type;                ///< as declared
  std::uint64_t limit_pages = 0;  ///< least of declared maximum, address type and store limit
  std::uint64_t reserved = 0;     ///< bytes of address space owned from `base` on
  Store* store = nullptr;
  bool holds_image = false;  ///< pages of its module's MemoryImage lie in it: reset() leaves their first contents

  MemoryInstance() = default;
  MemoryInstance(const MemoryInstance&) = delete;
  MemoryInstance& operator=(const MemoryInstance&) = delete;
  ~MemoryInstance();

  std::uint64_t pages() const { return size / page_size_bytes; }
  /// Grows by `delta` pages; returns the old size in pages, or UINT64_MAX if that cannot be (section 4.5.3.10).
  std::uint64_t grow(std::uint64_t delta);
  /// Back to the declared minimum, all zero but for an image. False if the host refused; then only destruction is left.
  bool reset();
};

/// Table, section 4.2.7.
struct TableInstance {
  Slot* elements = nullptr;
  std::uint64_t size = 0;
  TableType type;
  std::uint64_t limit = 0;  ///< least of declared maximum and store limit
  Store* store = nullptr;

  TableInstance() = default;
  TableInstance(const TableInstance&) = delete;
  TableInstance& operator=(const TableInstance&) = delete;
  ~TableInstance();

  /// Grows by `delta` elements set to `value`; returns the old size, or UINT64_MAX.
  std::uint64_t grow(std::uint64_t delta, Slot value);
  /// Back to the declared minimum, all null. False if the host refused; then only destruction is left.
  bool reset();
};

/// Global, section 4.2.9. The cell lies in the block of the instance that defines it, or in the store for host globals.
struct GlobalInstance {
  GlobalType type;
  Slot* cell = nullptr;
};

/// What a host function reports. `kind` None: it returned; Exit: the guest ends with exit_code; else a trap.
struct HostOutcome {
  TrapKind kind = TrapKind::None;
  std::int32_t exit_code = 0;
  std::string message = {};

  static HostOutcome ok() { return {}; }
  static HostOutcome exit(std::int32_t code) { return {TrapKind::Exit, code, {}}; }
  static HostOutcome trap(TrapKind kind, std::string message = {}) { return {kind, 0, std::move(message)}; }
};

/// A function of the host: arguments in slots[0..params), results to be written to slots[0..results).
using HostFunction = std::function<HostOutcome(Caller& caller, Slot* slots)>;

/// Function, section 4.2.6: wasm code of an instance, or a host function. Its address is the function reference.
struct FunctionInstance {
  TypeId type_id = no_type;
  std::uint32_t function_index = 0;  ///< in its module's index space
  const DefinedType* type = nullptr;
  ModuleInstance* instance = nullptr;  ///< null: a host function
  FunctionCode* code = nullptr;        ///< the tree interpreter's code of a wasm function
  const HostFunction* host = nullptr;  ///< null: a wasm function
  const std::string* host_name = nullptr;
};

/// The part of an instance that handlers reach from one register. Allocated with its globals behind it.
struct InstanceBlock {
  ExecutionContext* context = nullptr;
  ModuleInstance* owner = nullptr;
  MemoryInstance* const* memories = nullptr;
  TableInstance* const* tables = nullptr;
  FunctionInstance* const* imported_functions = nullptr;

  /// One word a global, by global index: the value of an own one, the address of the cell of an imported one.
  Slot* globals() { return reinterpret_cast<Slot*>(this + 1); }
};

/// Module instance, section 4.2.5. Owned by its store, lives as long as that.
struct ModuleInstance {
  std::shared_ptr<const LoadedModule> module;
  Store* store = nullptr;
  InstanceBlock* block = nullptr;
  std::vector<FunctionInstance*> imported_functions;
  std::vector<TableInstance*> tables;
  std::vector<MemoryInstance*> memories;
  MemoryInstance* memory_for_host = nullptr;  ///< exported as "memory", else memory 0, else null
  std::vector<GlobalInstance> globals;
  std::vector<bool> dropped_elements;  ///< by segment
  std::vector<bool> dropped_data;
  std::vector<std::vector<Slot>> element_segments;  ///< evaluated items of passive segments

  ModuleInstance() = default;
  ModuleInstance(const ModuleInstance&) = delete;
  ModuleInstance& operator=(const ModuleInstance&) = delete;
  ~ModuleInstance();

  /// The function instance of any function of the module, made at its first use. REQUIRES: index in range.
  FunctionInstance* function(std::uint32_t function_index);
  /// What an export of the module stands for in this instance.
  External exported(const Export& entry);

  /// Filled by function(), zero before: from calloc, so that functions that nobody uses cost no memory.
  struct Free {
    void operator()(FunctionInstance* functions) const { std::free(functions); }
  };
  std::unique_ptr<FunctionInstance[], Free> own_functions;
};

/// An external value: what imports are given and exports give (section 4.2.11).
struct External {
  ExternKind kind = ExternKind::Function;
  FunctionInstance* function = nullptr;
  TableInstance* table = nullptr;
  MemoryInstance* memory = nullptr;
  GlobalInstance global;
};

}  // namespace tfvm
