// Random modules: their index spaces, imports and segments.
#include "vm/fuzz/random_module.hpp"

#include <algorithm>
#include <string>

#include "vm/fuzz/choices.hpp"
#include "vm/fuzz/random_code.hpp"

namespace tfvm::fuzz {

using namespace test;

const std::vector<HostFunctionShape>& host_functions() {
  static const std::vector<HostFunctionShape> functions = {
      {"mix", {{i32, i64}, {i64}}},  {"observe", {{f64, f32, i32}, {}}},
      {"pair", {{f32}, {i32, f64}}}, {"choose", {{f32, f64, i32}, {f64}}},
      {"trap_if", {{i32}, {i32}}},   {"grow", {{}, {i32}}},
      {"call", {{i32}, {i32}}}};
  return functions;
}

namespace {

class ModuleGenerator {
 public:
  ModuleGenerator(Choices& choices, const ModuleOptions& options) : choices_(choices) { shape_.options = options; }

  RandomModule generate(const ModuleShape* provider, std::size_t share) {
    const std::size_t end = choices_.position() + share;
    make_types();
    import_host_functions();
    if (provider != nullptr) import_all(*provider);
    make_memories();
    make_tables();
    make_globals();
    const std::uint32_t count = 1 + choices_.below(5);
    for (std::uint32_t i = 0; i < count; ++i)
      shape_.functions.push_back({choices_.below(static_cast<std::uint32_t>(shape_.types.size()))});
    make_segments();
    make_helpers();
    for (std::uint32_t i = shape_.imported_functions; i < shape_.functions.size(); ++i) {
      const std::size_t left = end > choices_.position() ? end - choices_.position() : 0;
      CodeGenerator code(shape_, choices_, i, left / (shape_.functions.size() - i));
      code.generate();
      builder_.function(shape_.functions[i].type, code.code(), code.locals());
    }
    finish();
    return {builder_.build(), std::move(shape_)};
  }

 private:
  static std::string name(char kind, std::size_t index) { return kind + std::to_string(index); }
  TypeByte any_type() {
    static constexpr TypeByte types[] = {i32, i64, f64, f32, i32,          i64,
                                         f64, f32, i32, i64, funcref_byte, externref_byte};
    return types[choices_.below(shape_.options.has_references ? 12 : 10)];
  }
  Bytes any_types(std::uint32_t count) {
    Bytes types;
    for (; count != 0; --count) types.push_back(any_type());
    return types;
  }
  std::uint32_t add_type(const Signature& signature) {
    for (std::uint32_t i = 0; i < shape_.types.size(); ++i)
      if (shape_.types[i] == signature) return i;
    shape_.types.push_back(signature);
    return builder_.type(signature.params, signature.results);
  }

  void make_types() {
    add_type({{}, {}});
    add_type({{i32}, {i32}});
    helper_types_[0] = add_type({{f32}, {f32}});  // of what canonical_nans adds
    helper_types_[1] = add_type({{f64}, {f64}});
    for (std::uint32_t count = 2 + choices_.below(8); count != 0; --count) {
      Signature signature;
      signature.params = any_types(choices_.chance(16) ? choices_.below(20) : choices_.below(5));
      static constexpr std::uint8_t counts[] = {1, 0, 1, 1, 2, 1, 3, 1};
      signature.results = any_types(choices_.chance(8) ? choices_.below(16) : choices_.of(counts));
      if (choices_.chance(30)) signature.params = signature.results;
      add_type(signature);
    }
  }

  void import_function(const std::string& module, const std::string& item, const Signature& signature) {
    const std::uint32_t type = add_type(signature);
    builder_.import(module, item, Bytes{0} + unsigned_leb(type));
    shape_.functions.push_back({type});
    ++shape_.imported_functions;
  }
  void import_host_functions() {
    for (const HostFunctionShape& function : host_functions())
      if (choices_.chance(100) && (shape_.options.has_callers || !function.knows_caller()))
        import_function("host", function.name, function.signature);
  }

  static Bytes limits(std::uint64_t minimum, std::uint64_t maximum, bool wide) {
    return Bytes{static_cast<std::uint8_t>(wide ? 5 : 1)} + unsigned_leb(minimum) + unsigned_leb(maximum);
  }
  static Bytes limits(const MemoryShape& memory) {
    return limits(memory.pages, memory.most_pages, memory.has_wide_addresses);
  }
  static Bytes table_type(const TableShape& table) {
    return Bytes{table.element} + limits(table.size, table.most, table.has_wide_addresses);
  }

  void import_all(const ModuleShape& provider) {
    for (std::size_t i = provider.imported_functions; i < provider.functions.size(); ++i)
      if (!choices_.chance(60)) import_function("a", name('f', i), provider.signature(static_cast<std::uint32_t>(i)));
    for (std::size_t i = 0; i < provider.memories.size(); ++i) {
      if (!choices_.chance(120) || (!shape_.memories.empty() && !shape_.options.has_several_memories)) continue;
      builder_.import("a", name('m', i), Bytes{2} + limits(provider.memories[i]));
      shape_.memories.push_back(provider.memories[i]);
      ++shape_.imported_memories;
    }
    for (std::size_t i = 0; i < provider.tables.size(); ++i) {
      if (!choices_.chance(120)) continue;
      builder_.import("a", name('t', i), Bytes{1} + table_type(provider.tables[i]));
      shape_.tables.push_back(provider.tables[i]);
      ++shape_.imported_tables;
    }
    for (std::size_t i = 0; i < provider.globals.size(); ++i) {
      if (!choices_.chance(120)) continue;
      const GlobalShape& global = provider.globals[i];
      builder_.import("a", name('g', i), Bytes{3, global.type, static_cast<std::uint8_t>(global.is_mutable ? 1 : 0)});
      shape_.globals.push_back(global);
      ++shape_.imported_globals;
    }
  }

  void make_memories() {
    const bool many = shape_.options.has_several_memories && choices_.chance(50);
    const std::uint32_t wanted = many ? 2 + choices_.below(2) : choices_.chance(10) ? 0 : 1;
    while (shape_.memories.size() < wanted) {
      MemoryShape memory;
      memory.has_wide_addresses = shape_.options.has_wide_memories && choices_.chance(40);
      memory.pages = choices_.chance(24) ? choices_.below(3) : 1;
      memory.most_pages = memory.pages + choices_.below(3);
      builder_.memory(limits(memory));
      shape_.memories.push_back(memory);
    }
  }
  void make_tables() {
    const std::uint32_t wanted = 1 + choices_.below(3) / 2;
    while (shape_.tables.size() < wanted) {
      TableShape table;
      table.element = shape_.tables.empty() || choices_.chance(100) ? funcref_byte : externref_byte;
      table.size = 6 + choices_.below(10);
      table.most = table.size + choices_.below(10);
      table.has_wide_addresses = shape_.options.has_wide_tables && choices_.chance(20);
      builder_.table(table_type(table));
      shape_.tables.push_back(table);
    }
  }

  void make_globals() {
    for (std::uint32_t count = choices_.below(6); count != 0; --count) {
      const GlobalShape global{any_type(), !choices_.chance(50)};
      builder_.global(global.type, global.is_mutable, initializer(global.type));
      shape_.globals.push_back(global);
    }
  }
  Bytes initializer(TypeByte type) {
    const auto end = Bytes{0x0b};
    for (std::uint32_t i = 0; i < shape_.imported_globals; ++i)
      if (shape_.globals[i].type == type && !shape_.globals[i].is_mutable && choices_.chance(128))
        return Bytes{0x23} + unsigned_leb(i) + end;
    Bytes bits;
    const std::uint64_t number = choices_.bits(choices_.below(9));
    for (unsigned i = 0; i < (type == f32 ? 4u : 8u); ++i) bits.push_back(static_cast<std::uint8_t>(number >> 8 * i));
    switch (type) {
      case i32: return Bytes{0x41} + signed_leb(static_cast<std::int32_t>(number)) + end;
      case i64: return Bytes{0x42} + signed_leb(static_cast<std::int64_t>(number)) + end;
      case f32: return Bytes{0x43} + bits + end;
      case f64: return Bytes{0x44} + bits + end;
      default: return Bytes{0xd0, type} + end;
    }
  }

  static Bytes offset(bool wide, std::uint32_t value) {
    return Bytes{static_cast<std::uint8_t>(wide ? 0x42 : 0x41)} + signed_leb(value) + Bytes{0x0b};
  }

  void make_segments() {
    const auto functions = static_cast<std::uint32_t>(shape_.functions.size());
    Bytes all = unsigned_leb(functions);
    for (std::uint32_t i = 0; i < functions; ++i) all = all + unsigned_leb(i);
    add_elements(Bytes{3, 0} + all, functions);  // declares every function for ref.func
    if (!shape_.tables.empty() && shape_.tables[0].element == funcref_byte) {
      const std::uint32_t count = std::min(functions, shape_.tables[0].size);
      Bytes items = unsigned_leb(count);
      for (std::uint32_t i = 0; i < count; ++i) items = items + unsigned_leb(i);
      add_elements(Bytes{0} + offset(shape_.tables[0].has_wide_addresses, 0) + items, count);
    }
    if (shape_.options.has_references) {
      const std::uint32_t count = choices_.below(6);
      Bytes items = unsigned_leb(count);
      for (std::uint32_t i = 0; i < count; ++i)
        items = items + (choices_.chance(60) ? Bytes{0xd0, funcref_byte, 0x0b}
                                             : Bytes{0xd2} + unsigned_leb(choices_.below(functions)) + Bytes{0x0b});
      add_elements(Bytes{5, funcref_byte} + items, count);
    }
    for (std::uint32_t i = 0; i < 2; ++i) {
      Bytes contents;
      for (std::uint32_t size = choices_.below(40); size != 0; --size) contents.push_back(choices_.byte());
      shape_.data_sizes.push_back(static_cast<std::uint32_t>(contents.size()));
      const bool is_active = i == 0 && !shape_.memories.empty() && shape_.memories[0].pages != 0;
      builder_.data(
          (is_active ? Bytes{0} + offset(shape_.memories[0].has_wide_addresses, choices_.below(64)) : Bytes{1}) +
          sized(contents));
    }
    builder_.data_count(2);
  }
  void add_elements(const Bytes& segment, std::uint32_t count) {
    builder_.element(segment);
    shape_.elements.push_back({funcref_byte, count});
  }

  /// What the options ask for, behind everything that random code may use.
  void make_helpers() {
    if (shape_.options.counts_steps) {
      shape_.step_global = static_cast<std::uint32_t>(shape_.globals.size());
      builder_.global(i32, true, Bytes{0x41} + signed_leb(500) + Bytes{0x0b});
      builder_.export_item("steps", 3, shape_.step_global);
    }
    if (!shape_.options.canonical_nans) return;
    const auto functions = static_cast<std::uint32_t>(shape_.functions.size());
    shape_.canonical_f32 = functions;
    shape_.canonical_f64 = functions + 1;
  }

  void add_canonical_functions() {
    if (!shape_.options.canonical_nans) return;
    const auto keep_numbers = [](std::uint8_t constant, const Bytes& nan, std::uint8_t equal) {
      return Bytes{0x20, 0x00, constant} + nan + Bytes{0x20, 0x00, 0x20, 0x00, equal, 0x1b};
    };
    builder_.function(helper_types_[0], keep_numbers(0x43, {0, 0, 0xc0, 0x7f}, 0x5b));
    builder_.function(helper_types_[1], keep_numbers(0x44, {0, 0, 0, 0, 0, 0, 0xf8, 0x7f}, 0x61));
  }

  void finish() {
    add_canonical_functions();
    for (std::size_t i = 0; i < shape_.functions.size(); ++i) export_item('f', 0, i);
    for (std::size_t i = 0; i < shape_.tables.size(); ++i) export_item('t', 1, i);
    for (std::size_t i = 0; i < shape_.memories.size(); ++i) export_item('m', 2, i);
    for (std::size_t i = 0; i < shape_.globals.size(); ++i) export_item('g', 3, i);
    for (std::uint32_t i = shape_.imported_functions; i < shape_.functions.size(); ++i) {
      if (shape_.functions[i].type != 0 || !choices_.chance(60)) continue;  // type 0: no parameters, no results
      builder_.start(i);
      break;
    }
  }
  void export_item(char kind, std::uint8_t kind_byte, std::size_t index) {
    builder_.export_item(name(kind, index), kind_byte, static_cast<std::uint32_t>(index));
  }

  Choices& choices_;
  ModuleShape shape_;
  ModuleBuilder builder_;
  std::uint32_t helper_types_[2] = {};
};

}  // namespace

RandomModules random_modules(std::span<const std::uint8_t> bytes, const ModuleOptions& options) {
  Choices choices(bytes);
  RandomModules modules;
  modules.options = options;
  const std::size_t half = bytes.size() / 2;
  modules.first = ModuleGenerator(choices, options).generate(nullptr, half);
  modules.second = ModuleGenerator(choices, options).generate(&modules.first.shape, choices.left());
  return modules;
}

RandomModules random_modules(std::span<const std::uint8_t> bytes, bool with_canonical_nans) {
  Choices choices(bytes);
  ModuleOptions options;
  options.counts_steps = choices.chance(100);
  options.canonical_nans = choices.chance(20) || with_canonical_nans;
  options.has_several_memories = options.has_wide_memories = options.has_wide_tables = !choices.chance(40);
  options.has_references = !choices.chance(60);
  return random_modules(bytes.subspan(choices.position()), options);
}

}  // namespace tfvm::fuzz
