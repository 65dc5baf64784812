// The guests of the tests (test_guest.hpp): builds their modules and calls them.
#include "hostcalls/test_guest.hpp"

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <gtest/gtest.h>
#include <unistd.h>

namespace tfvm::hostcalls {

namespace {

template <class T>
constexpr const char* wat_type() {
  return sizeof(T) == 8 ? " i64" : " i32";
}

struct TestFunction {
  std::string name;
  std::string type;  ///< "(param i32 i32) (result i32)"
  std::size_t params;
};

template <class R, class... Args>
TestFunction describe(std::string_view name) {
  std::string type = "(param" + (std::string() + ... + wat_type<Args>()) + ")";
  if constexpr (!std::is_void_v<R>) type += std::string(" (result") + wat_type<R>() + ")";
  return {std::string(name), type, sizeof...(Args)};
}

const std::vector<TestFunction>& test_functions() {
  static const std::vector<TestFunction> functions = {
#define HOSTCALL(name, fuel, result, ...) describe<result __VA_OPT__(, ) __VA_ARGS__>(#name),
#include "hostcalls/functions.def"
#undef HOSTCALL
  };
  return functions;
}

/// A file in the temporary directory that goes away.
struct TemporaryFile {
  std::string path = testing::TempDir() + "tfvm-hostcalls-XXXXXX";
  TemporaryFile() {
    const int file = ::mkstemp(path.data());
    if (file < 0) std::abort();
    ::close(file);
  }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  ~TemporaryFile() { std::remove(path.c_str()); }
};

}  // namespace

Bytes read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  EXPECT_TRUE(file.is_open()) << path;
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

Bytes wat(const std::string& text) {
  const TemporaryFile source;
  const TemporaryFile module;
  std::ofstream(source.path) << text;
  const std::string command = "wat2wasm --debug-names '" + source.path + "' -o '" + module.path + "'";
  EXPECT_EQ(std::system(command.c_str()), 0) << text;
  return read_file(module.path);
}

std::string all_imports() {
  std::string text;
  for (const TestFunction& each : test_functions())
    text += "(import \"env\" \"hostcall_" + each.name + "\" (func $" + each.name + " " + each.type + "))\n";
  return text;
}

// | size | in use: 0x600df00d | block ... |
std::string checking_allocator() {
  return R"(
    (global $mallocs (export "mallocs") (mut i32) (i32.const 0))
    (global $top (mut i32) (i32.const 8184))
    (func $malloc (export "default_malloc_impl") (param $size i32) (result i32)
      (local $block i32)
      (if (i32.eqz (local.get $size)) (then (return (i32.const 1))))
      (global.set $mallocs (i32.add (global.get $mallocs) (i32.const 1)))
      (local.set $block (i32.add (global.get $top) (i32.const 8)))
      (global.set $top (i32.and (i32.add (i32.add (local.get $block) (local.get $size)) (i32.const 7)) (i32.const -8)))
      (block $fits
        (loop $again
          (br_if $fits (i32.le_u (global.get $top) (i32.mul (memory.size) (i32.const 65536))))
          (if (i32.eq (memory.grow (i32.const 1)) (i32.const -1)) (then (return (i32.const 0))))
          (br $again)))
      (i32.store (i32.sub (local.get $block) (i32.const 8)) (local.get $size))
      (i32.store (i32.sub (local.get $block) (i32.const 4)) (i32.const 0x600df00d))
      (local.get $block))
    (func $free (export "default_free_impl") (param $block i32)
      (if (i32.ne (i32.load (i32.sub (local.get $block) (i32.const 4))) (i32.const 0x600df00d)) (then (unreachable)))
      (i32.store (i32.sub (local.get $block) (i32.const 4)) (i32.const 0)))
    (table 8 funcref)
    (elem (i32.const 1) $malloc $free)
  )";
}

Bytes program(const std::string& more, unsigned pages) {
  return wat("(module " + all_imports() + "(memory (export \"memory\") " + std::to_string(pages) + " 64)" +
             checking_allocator() + more + ")");
}

Bytes puppet(const std::string& allocator, const std::string& more) {
  std::string text = "(module " + all_imports() + "(memory (export \"memory\") 1 64)" + allocator + more;
  for (const TestFunction& each : test_functions()) {
    text += "(func (export \"" + each.name + "\") " + each.type;
    for (std::size_t i = 0; i < each.params; ++i) text += " (local.get " + std::to_string(i) + ")";
    text += " (call $" + each.name + "))\n";
  }
  return wat(text + ")");
}

HostcallServices TestGuest::with_log(HostcallServices services) {
  services.log = [this](HostcallServices::LogKind kind, std::string_view line) {
    log_.push_back({kind, std::string(line)});
  };
  services.trace = [this](std::string_view line) { traced_.emplace_back(line); };
  return services;
}

TestGuest::TestGuest(Bytes module, World setup)
    : store_(engine_, setup.limits), hostcalls_(with_log(std::move(setup.services))), linker_(store_) {
  auto loaded = engine_.load(std::move(module));
  if (!loaded) {
    error_ = loaded.error().to_string();
    return;
  }
  module_ = *loaded;
  hostcalls_.add_imports_of(linker_, module_->module());
  hostcalls_.begin(std::move(setup.request));
  const auto instantiated = linker_.try_instantiate(module_);
  if (!instantiated) {
    error_ = instantiated.error().to_string();
    return;
  }
  instance_ = instantiated->instance;
  trap_ = instantiated->trap;
  if (!instance_->memories.empty()) memory_ = instance_->memories.front();
}

std::uint64_t TestGuest::call_with(std::string_view name, const std::vector<std::uint64_t>& arguments) {
  const auto found = instance_ == nullptr ? std::nullopt : Store::find_export(*instance_, name);
  if (!found) {
    ADD_FAILURE() << "no export " << name << " " << error_;
    return 0;
  }
  const std::vector<ValueType>& params = found->function->type->function().params;
  std::vector<Value> values;
  for (std::size_t i = 0; i < arguments.size(); ++i)
    values.push_back(params.at(i) == ValueType(ValueKind::I64) ? Value::i64(arguments[i])
                                                               : Value::i32(static_cast<std::uint32_t>(arguments[i])));
  const Store::Results results = store_.call(*found->function, values);
  trap_ = results.trap;
  return results.values.empty() ? 0 : results.values.front().slot.bits;
}

HttpResponse TestGuest::run() {
  call("run");
  return hostcalls_.take_response();
}

std::uint32_t TestGuest::mallocs() const { return Store::find_export(*instance_, "mallocs")->global.cell->as_i32(); }

std::optional<std::string> TestGuest::result() const {
  const std::uint32_t address = load(out);
  const std::uint32_t length = load(out + 4);
  if (address == 0) {
    EXPECT_EQ(length, 0u);
    return std::nullopt;
  }
  EXPECT_EQ(text(address + length, 1), std::string(1, '\0'));
  return text(address, length);
}

std::vector<std::string> TestGuest::list() const {
  const std::uint32_t address = load(out);
  const std::uint32_t count = load(out + 4);
  EXPECT_EQ(address == 0, count == 0);
  EXPECT_EQ(address % 4, 0u);
  std::vector<std::string> elements;
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::uint32_t element = load(address + i * 8);
    const std::uint32_t length = load(address + i * 8 + 4);
    EXPECT_EQ(text(element + length, 1), std::string(1, '\0'));
    elements.push_back(text(element, length));
  }
  return elements;
}

std::vector<std::string> TestGuest::fields(std::string_view getter, std::int32_t handle, std::string_view name) {
  put(scratch, name);
  call(getter, out, out + 4, handle, scratch, name.size());
  return list();
}

std::vector<std::string> TestGuest::names(std::string_view getter, std::int32_t handle) {
  call(getter, out, out + 4, handle);
  return list();
}

std::uint32_t TestGuest::set_field(std::string_view setter, std::int32_t handle, std::string_view name,
                                   const std::vector<std::string>& values) {
  put(scratch, name);
  std::uint32_t address = scratch + 2048;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto slice = static_cast<std::uint32_t>(scratch + 1024 + i * 8);
    put_u32(slice, address);
    put_u32(slice + 4, static_cast<std::uint32_t>(values[i].size()));
    put(address, values[i]);
    address += static_cast<std::uint32_t>(values[i].size());
  }
  return static_cast<std::uint32_t>(call(setter, handle, scratch, name.size(), scratch + 1024, values.size()));
}

std::uint32_t TestGuest::set_body(std::string_view setter, std::int32_t handle, std::string_view body) {
  put(scratch, body);
  return static_cast<std::uint32_t>(call(setter, handle, scratch, body.size()));
}

std::int32_t TestGuest::create(std::string_view method, std::string_view url) {
  put(scratch, method);
  put(scratch + 1024, url);
  return call_i32("req_create", scratch, method.size(), scratch + 1024, url.size());
}

}  // namespace tfvm::hostcalls
