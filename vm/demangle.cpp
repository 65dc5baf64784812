// Demangling by libiberty where it is there (it knows Rust and can be stopped), else by the C++ ABI library.
// Names come from guests: their length, and that of what comes out, is bounded, since substitutions can double it each.
#include "vm/demangle.hpp"

#include <cstdlib>
#include <memory>

#if defined(TFVM_HAVE_LIBIBERTY)
#include <csetjmp>
#include <cstring>
#else
#include <algorithm>
#include <cxxabi.h>
#endif

namespace tfvm {
namespace {

constexpr std::size_t max_symbol_length = 1000;

bool looks_mangled(std::string_view name) {
  return name.size() > 2 && name.size() <= max_symbol_length && (name.starts_with("_Z") || name.starts_with("_R"));
}

}  // namespace

#if defined(TFVM_HAVE_LIBIBERTY)

extern "C" {
// Of libiberty's demangle.h, whose folder differs from system to system.
int rust_demangle_callback(const char* mangled, int options, void (*callback)(const char*, std::size_t, void*),
                           void* opaque);
int cplus_demangle_v3_callback(const char* mangled, int options, void (*callback)(const char*, std::size_t, void*),
                               void* opaque);
}

namespace {

constexpr int with_parameters_and_ansi = 3;  // DMGL_PARAMS | DMGL_ANSI
constexpr std::size_t max_readable_length = 4000;

struct Output {
  std::jmp_buf too_long;
  std::size_t length = 0;
  char text[max_readable_length];
};

void append(const char* text, std::size_t length, void* opaque) {
  Output& output = *static_cast<Output*>(opaque);
  if (length > max_readable_length - output.length) std::longjmp(output.too_long, 1);
  std::memcpy(output.text + output.length, text, length);
  output.length += length;
}

// No object with a destructor lives between setjmp and longjmp, neither here nor in the library, which is C.
bool demangle_into(Output& output, const char* name) {
  if (setjmp(output.too_long) != 0) return false;
  if (rust_demangle_callback(name, with_parameters_and_ansi, append, &output) != 0) return true;
  output.length = 0;
  return cplus_demangle_v3_callback(name, with_parameters_and_ansi, append, &output) != 0;
}

}  // namespace

std::string demangle(std::string_view name) {
  if (!looks_mangled(name)) return std::string(name);
  std::string terminated(name);
  const auto output = std::make_unique<Output>();
  if (!demangle_into(*output, terminated.c_str())) return terminated;
  return std::string(output->text, output->length);
}

#else

std::string demangle(std::string_view name) {
  std::string terminated(name);
  // This library cannot be stopped, and each substitution (S) or template parameter (T) may double what comes out.
  constexpr std::ptrdiff_t most_substitutions = 12;
  if (!looks_mangled(name) ||
      std::count_if(name.begin(), name.end(), [](char c) { return c == 'S' || c == 'T'; }) > most_substitutions)
    return terminated;
  int status = 0;
  const std::unique_ptr<char, decltype(&std::free)> readable(
      abi::__cxa_demangle(terminated.c_str(), nullptr, nullptr, &status), &std::free);
  return readable != nullptr ? std::string(readable.get()) : terminated;
}

#endif

}  // namespace tfvm
