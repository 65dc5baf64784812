// The guest of the tests (test_guest.hpp): makes it, calls its functions.
#include "wasi/test_guest.hpp"

#include <gtest/gtest.h>

#include "wasi/forwarding_module.hpp"

namespace tfvm::wasi {

namespace {

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
  module_ = checked(engine_.load(forwarding_module_bytes(module_name)));
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
