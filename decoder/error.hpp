// What is wrong with a module, and where: Error, and Result<T> = value or Error.
// The kinds are the phases of the standard's test suite; traps are not errors and live in vm/trap.hpp.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace tfvm {

enum class ErrorKind : std::uint8_t {
  Malformed,    ///< the bytes are no module (chapter 5)
  Invalid,      ///< a module that does not validate (chapter 3)
  Unsupported,  ///< uses a feature that is off or not there yet
  Limit,        ///< beyond an implementation limit (decoder/limits.hpp or a caller's)
  Unlinkable,   ///< imports do not match (section 4.7.2)
  Host,         ///< the host could not do its part: a file, memory, address space
};

/// "malformed", "invalid", ...
const char* to_string(ErrorKind kind);

inline constexpr std::uint64_t no_offset = UINT64_MAX;

/// `text` with control characters as \xx: what a module says must not steer the user's terminal.
std::string printable(std::string_view text);

/// One reason why a step failed. `message` starts with the test suite's own words where it has some.
struct Error {
  ErrorKind kind = ErrorKind::Malformed;
  std::string message = {};
  std::uint64_t offset = no_offset;                  ///< byte in the module, from its start
  std::string section = {};                          ///< "code", "type", ...; empty: none
  std::optional<std::uint32_t> function_index = {};  ///< in the function index space
  std::string function_name = {};                    ///< from the name section; empty: unknown

  /// "invalid: type mismatch: expected i32, found i64 (offset 0x2c, section code, function 3 'foo')"
  std::string to_string() const;
};

/// A T or the Error that kept it from being made.
template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }
  /// REQUIRES: ok()
  T& value() & { return *std::get_if<0>(&state_); }
  const T& value() const& { return *std::get_if<0>(&state_); }
  T&& value() && { return std::move(*std::get_if<0>(&state_)); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }
  /// REQUIRES: !ok()
  const Error& error() const { return *std::get_if<1>(&state_); }

 private:
  std::variant<T, Error> state_;
};

/// Success without a value.
struct Done {};

}  // namespace tfvm
