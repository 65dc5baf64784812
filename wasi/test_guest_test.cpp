// The guest of the tests (test_guest.hpp): builds its module.
#include "wasi/test_guest.hpp"

#include <gtest/gtest.h>

namespace tfvm::wasi {

namespace {

struct TestFunction {
  std::string_view name;
  std::string params;  ///< an i32 or i64 each, in the binary format
  bool has_result;
};

template <class R, class... Args>
TestFunction describe(std::string_view name) {
  return {name, std::string{(sizeof(Args) == 8 ? '\x7e' : '\x7f')...}, !std::is_void_v<R>};
}

const std::vector<TestFunction>& test_functions() {
  static const std::vector<TestFunction> functions = {
#define WASI_FUNCTION(name, result, ...) describe<result __VA_OPT__(, ) __VA_ARGS__>(#name),
#include "wasi/functions.def"
#undef WASI_FUNCTION
  };
  return functions;
}

std::string leb(std::size_t value) {
  std::string bytes;
  for (; value >= 0x80; value >>= 7) bytes += static_cast<char>(0x80 | (value & 0x7f));
  return bytes + static_cast<char>(value);
}
std::string name_bytes(std::string_view name) { return leb(name.size()) + std::string(name); }
std::string section(char id, const std::string& contents) { return id + leb(contents.size()) + contents; }

/// Function i is an import, function count + i passes its parameters on to it.
std::vector<std::uint8_t> module_bytes(const std::string& module_name) {
  std::vector<TestFunction> functions;
  for (const TestFunction& each : test_functions())
    if (Wasi::provides(module_name, each.name)) functions.push_back(each);
  const std::string count = leb(functions.size());
  std::string types = count, imports = count, indices = count, exports = leb(functions.size() + 1), code = count;
  exports += name_bytes("memory") + std::string("\2\0", 2);
  for (std::size_t i = 0; i < functions.size(); ++i) {
    const TestFunction& each = functions[i];
    types += '\x60' + leb(each.params.size()) + each.params + (each.has_result ? "\x01\x7f" : std::string(1, '\0'));
    imports += name_bytes(module_name) + name_bytes(each.name) + '\0' + leb(i);
    indices += leb(i);
    exports += name_bytes(each.name) + '\0' + leb(functions.size() + i);
    std::string body(1, '\0');
    for (std::size_t parameter = 0; parameter < each.params.size(); ++parameter) body += '\x20' + leb(parameter);
    body += '\x10' + leb(i) + '\x0b';
    code += leb(body.size()) + body;
  }
  const std::string bytes = std::string("\0asm\1\0\0\0", 8) + section(1, types) + section(2, imports) +
                            section(3, indices) + section(5, std::string("\1\1\1\1", 4)) + section(7, exports) +
                            section(10, code);
  return {bytes.begin(), bytes.end()};
}

template <class T>
T checked(Result<T> result) {
  if (!result.ok()) {
    ADD_FAILURE() << result.error().to_string();
    std::abort();
  }
  return std::move(result).value();
}

}  // namespace

TestGuest::TestGuest(WasiConfig config, StoreLimits limits, std::string module_name)
    : store_(engine_, limits), wasi_(checked(Wasi::create(std::move(config)))), linker_(store_) {
  module_ = checked(engine_.load(module_bytes(module_name)));
  wasi_->add_imports_of(linker_, module_->module());
  instance_ = checked(linker_.instantiate(module_));
  memory_ = instance_->find_memory("memory");
}

Errno TestGuest::call_with(std::string_view name, const std::vector<std::uint64_t>& arguments) {
  FunctionInstance& function = *instance_->find_function(name);
  const std::vector<ValueType>& params = function.type->function().params;
  std::vector<Value> values;
  for (std::size_t i = 0; i < arguments.size(); ++i)
    values.push_back(params.at(i) == ValueType(ValueKind::I64) ? Value::i64(arguments[i])
                                                               : Value::i32(static_cast<std::uint32_t>(arguments[i])));
  const Store::Results results = store_.call(function, values);
  trap_ = results.trap;
  return trap_ || results.values.empty() ? Errno::Success : static_cast<Errno>(results.values[0].slot.as_i32());
}

Errno TestGuest::open(Fd directory, std::string_view path, OpenFlags flags, Rights base, Rights inheriting, Fd* opened,
                      FdFlags fdflags, LookupFlags lookup) {
  put_text(scratch + 4, path);
  const Errno error =
      call("path_open", directory, lookup, scratch + 4, path.size(), flags, base, inheriting, fdflags, scratch);
  *opened = error == Errno::Success ? load<Fd>(scratch) : UINT32_MAX;
  return error;
}

Fd TestGuest::open(Fd directory, std::string_view path, OpenFlags flags) {
  constexpr Rights no_directory_has = rights::fd_write;
  Fd opened = UINT32_MAX;
  const bool is_directory = (flags & open_flags::directory) != 0;
  EXPECT_EQ(
      open(directory, path, flags, is_directory ? rights::all & ~no_directory_has : rights::all, rights::all, &opened),
      Errno::Success)
      << path;
  return opened;
}

Errno TestGuest::write(Fd fd, std::string_view text, Size* written) {
  put_text(scratch + 100, text);
  put(scratch + 8, IoVector{scratch + 100, static_cast<Size>(text.size())});
  const Errno error = call("fd_write", fd, scratch + 8, 1, scratch);
  if (written != nullptr) *written = load<Size>(scratch);
  return error;
}

std::string TestGuest::read(Fd fd) {
  put(scratch + 8, IoVector{scratch + 100, 1000});
  if (const Errno error = call("fd_read", fd, scratch + 8, 1, scratch); error != Errno::Success)
    return "errno " + std::to_string(static_cast<int>(error));
  return text(scratch + 100, load<Size>(scratch));
}

Errno TestGuest::call_path(std::string_view name, Fd directory, std::string_view path) {
  put_text(scratch, path);
  return call(name, directory, scratch, path.size());
}

}  // namespace tfvm::wasi
