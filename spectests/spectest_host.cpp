// The values are those that the official suite's own host uses.
#include "spectests/spectest_host.hpp"

namespace tfvm::spectests {

namespace {

constexpr const char* module_name = "spectest";

void define_functions(Linker& linker) {
  linker.define_function(module_name, "print", [] {});
  linker.define_function(module_name, "print_i32", [](std::int32_t) {});
  linker.define_function(module_name, "print_i64", [](std::int64_t) {});
  linker.define_function(module_name, "print_f32", [](float) {});
  linker.define_function(module_name, "print_f64", [](double) {});
  linker.define_function(module_name, "print_i32_f32", [](std::int32_t, float) {});
  linker.define_function(module_name, "print_f64_f64", [](double, double) {});
}

void define_global(Store& store, Linker& linker, const char* name, Value value) {
  External external;
  external.kind = ExternKind::Global;
  external.global = store.new_global(GlobalType{value.type, false}, value.slot);
  linker.define(module_name, name, external);
}

Result<Done> define_table(Store& store, Linker& linker, const char* name, AddressType address_type) {
  const auto table = store.new_table(TableType{funcref, address_type, Limits{10, 20, true}}, Slot::null());
  if (!table) return table.error();
  External external;
  external.kind = ExternKind::Table;
  external.table = *table;
  linker.define(module_name, name, external);
  return Done{};
}

}  // namespace

Result<Done> define_spectest(Store& store, Linker& linker) {
  define_functions(linker);
  define_global(store, linker, "global_i32", Value::i32(666));
  define_global(store, linker, "global_i64", Value::i64(666));
  define_global(store, linker, "global_f32", Value::f32(666.6f));
  define_global(store, linker, "global_f64", Value::f64(666.6));
  if (const auto table = define_table(store, linker, "table", AddressType::I32); !table) return table;
  if (const auto table = define_table(store, linker, "table64", AddressType::I64); !table) return table;
  const auto memory = store.new_memory(MemoryType{AddressType::I32, Limits{1, 2, true}});
  if (!memory) return memory.error();
  External external;
  external.kind = ExternKind::Memory;
  external.memory = *memory;
  linker.define(module_name, "memory", external);
  return Done{};
}

}  // namespace tfvm::spectests
