// Import matching (imports.hpp).
#include "vm/imports.hpp"

namespace tfvm {
namespace {

std::string describe(const Limits& limits, AddressType address_type) {
  std::string text = std::to_string(limits.minimum) + "..";
  if (limits.has_maximum) text += std::to_string(limits.maximum);
  return text + (address_type == AddressType::I64 ? " (i64)" : "");
}
std::string describe(const FunctionType& type) { return "function " + to_string(type); }
std::string describe(const TableType& type) {
  return "table " + describe(type.limits, type.address_type) + " of " + to_string(type.element);
}
std::string describe(const MemoryType& type) { return "memory " + describe(type.limits, type.address_type) + " pages"; }
std::string describe(const GlobalType& type) {
  return std::string("global ") + (type.is_mutable ? "mut " : "") + to_string(type.value);
}

// An imported table or memory has its present size as the minimum.
TableType current_type(const TableInstance& table) {
  TableType type = table.type;
  type.limits.minimum = table.size;
  return type;
}
MemoryType current_type(const MemoryInstance& memory) {
  MemoryType type = memory.type;
  type.limits.minimum = memory.pages();
  return type;
}

std::string describe(const External& external) {
  switch (external.kind) {
    case ExternKind::Function: return describe(external.function->type->function());
    case ExternKind::Table: return describe(current_type(*external.table));
    case ExternKind::Memory: return describe(current_type(*external.memory));
    case ExternKind::Global: return describe(external.global.type);
    case ExternKind::Tag: break;
  }
  return to_string(external.kind);
}

bool matches(const Limits& actual, const Limits& wanted) {
  if (actual.minimum < wanted.minimum) return false;
  return !wanted.has_maximum || (actual.has_maximum && actual.maximum <= wanted.maximum);
}

bool matches(const Module& module, const Import& import, const External& external) {
  if (external.kind != import.kind) return false;
  switch (import.kind) {
    case ExternKind::Function: return is_subtype(*external.function->type, *module.functions[import.index].type);
    case ExternKind::Table: {
      const TableType actual = current_type(*external.table);
      const TableType& wanted = module.tables[import.index].type;
      return actual.address_type == wanted.address_type && actual.element == wanted.element &&
             matches(actual.limits, wanted.limits);
    }
    case ExternKind::Memory: {
      const MemoryType actual = current_type(*external.memory);
      const MemoryType& wanted = module.memories[import.index];
      return actual.address_type == wanted.address_type && matches(actual.limits, wanted.limits);
    }
    case ExternKind::Global: {
      const GlobalType& actual = external.global.type;
      const GlobalType& wanted = module.globals[import.index].type;
      if (actual.is_mutable != wanted.is_mutable) return false;
      return wanted.is_mutable ? actual.value == wanted.value
                               : is_subtype(*module.registry(), actual.value, wanted.value);
    }
    case ExternKind::Tag: return false;
  }
  return false;
}

}  // namespace

std::string describe_import(const Module& module, const Import& import) {
  switch (import.kind) {
    case ExternKind::Function: return describe(module.function_type(import.index));
    case ExternKind::Table: return describe(module.tables[import.index].type);
    case ExternKind::Memory: return describe(module.memories[import.index]);
    case ExternKind::Global: return describe(module.globals[import.index].type);
    case ExternKind::Tag: break;
  }
  return to_string(import.kind);
}

std::optional<Error> check_imports(const Module& module, std::span<const External> externals) {
  if (externals.size() != module.imports.size())
    return Error{ErrorKind::Unlinkable, "unknown import: the module has " + std::to_string(module.imports.size()) +
                                            " imports, " + std::to_string(externals.size()) + " are given"};
  for (std::size_t i = 0; i < externals.size(); ++i) {
    const Import& import = module.imports[i];
    if (matches(module, import, externals[i])) continue;
    return Error{ErrorKind::Unlinkable,
                 "incompatible import type: " + std::string(import.module) + "." + std::string(import.name) +
                     ": wanted " + describe_import(module, import) + ", given " + describe(externals[i]),
                 import.offset};
  }
  return std::nullopt;
}

}  // namespace tfvm
