// For tests and fuzzing: the bytes of a module that does nothing but pass its exports' arguments on to the WASI
// functions of the same names. It exports one page of memory as "memory".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "wasi/abi.hpp"
#include "wasi/wasi.hpp"

namespace tfvm::wasi {

struct ForwardedFunction {
  std::string_view name;
  std::string params;  ///< an i32 or i64 each, in the binary format
  bool has_result;
};

namespace forwarding_module {

inline constexpr char i32_type = '\x7f';
inline constexpr char i64_type = '\x7e';

template <class R, class... Args>
ForwardedFunction describe(std::string_view name) {
  return {name, std::string{(sizeof(Args) == 8 ? i64_type : i32_type)...}, !std::is_void_v<R>};
}

inline std::string leb(std::size_t value) {
  std::string bytes;
  for (; value >= 0x80; value >>= 7) bytes += static_cast<char>(0x80 | (value & 0x7f));
  return bytes + static_cast<char>(value);
}
inline std::string name_bytes(std::string_view name) { return leb(name.size()) + std::string(name); }
inline std::string section(char id, const std::string& contents) { return id + leb(contents.size()) + contents; }

}  // namespace forwarding_module

/// All functions of preview 1, in the table's order.
inline const std::vector<ForwardedFunction>& forwarded_functions() {
  using forwarding_module::describe;
  static const std::vector<ForwardedFunction> functions = {
#define WASI_FUNCTION(name, result, ...) describe<result __VA_OPT__(, ) __VA_ARGS__>(#name),
#include "wasi/functions.def"
#undef WASI_FUNCTION
  };
  return functions;
}

/// `module_name` is where the functions are imported from; those that it does not have are left out.
/// Function i is an import, function count + i passes its parameters on to it.
inline std::vector<std::uint8_t> forwarding_module_bytes(const std::string& module_name) {
  using namespace forwarding_module;
  std::vector<ForwardedFunction> functions;
  for (const ForwardedFunction& each : forwarded_functions())
    if (Wasi::provides(module_name, each.name)) functions.push_back(each);
  const std::string count = leb(functions.size());
  std::string types = count, imports = count, indices = count, exports = leb(functions.size() + 1), code = count;
  exports += name_bytes("memory") + std::string("\2\0", 2);
  for (std::size_t i = 0; i < functions.size(); ++i) {
    const ForwardedFunction& each = functions[i];
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

}  // namespace tfvm::wasi
