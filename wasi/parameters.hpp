// What each parameter of a WASI function is, read at compile time from the names of the types in the tables of
// functions (functions.def): for whom a number is not enough, such as traces and reports of refusals.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace tfvm::wasi {

// clang-format off
#define WASI_PARAMETER_KINDS(KIND) \
  KIND(Advice) KIND(CiovecsAt) KIND(ClockId) KIND(DirectoryCookie) KIND(ExitCode) KIND(Fd) KIND(FdFlags) \
  KIND(FdResult) KIND(FdStatResult) KIND(FileDelta) KIND(FileSize) KIND(FileSizeResult) KIND(FileStatResult) \
  KIND(FileTimeFlags) KIND(IovecsAt) KIND(LinkTextAt) KIND(LinkTextLength) KIND(LookupFlags) \
  KIND(OldFileStatResult) KIND(OldSubscriptionsAt) KIND(OldWhence) KIND(OpenFlags) KIND(PathAt) \
  KIND(PathLength) KIND(Pointer) KIND(PrestatResult) KIND(ReceiveFlagsResult) KIND(Rights) KIND(Signal) \
  KIND(Size) KIND(SizeResult) KIND(SocketFlags) KIND(SubscriptionsAt) KIND(Timestamp) KIND(TimestampResult) \
  KIND(VectorCount) KIND(Whence)
// clang-format on

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"  // g++ 12 takes scoped enumerators for unscoped ones
enum class ParameterKind : std::uint8_t {
#define WASI_KIND(name) name,
  WASI_PARAMETER_KINDS(WASI_KIND)
#undef WASI_KIND
};
#pragma GCC diagnostic pop

/// The parameters of one function in their order.
struct Parameters {
  static constexpr std::size_t max_count = 9;
  std::array<ParameterKind, max_count> kinds{};
  std::size_t count = 0;

  constexpr std::span<const ParameterKind> view() const { return std::span(kinds).first(count); }
};

consteval ParameterKind parameter_kind(std::string_view type) {
#define WASI_KIND(name) \
  if (type == #name) return ParameterKind::name;
  WASI_PARAMETER_KINDS(WASI_KIND)
#undef WASI_KIND
  throw "a type without a kind";  // does not compile: add the kind above
}

/// From "Fd, PathAt, PathLength".
consteval Parameters parse_parameters(std::string_view types) {
  Parameters result;
  while (!types.empty()) {
    const std::size_t comma = types.find(',');
    result.kinds[result.count++] = parameter_kind(types.substr(0, comma));
    types.remove_prefix(comma == std::string_view::npos ? types.size() : comma + 2);
  }
  return result;
}

#undef WASI_PARAMETER_KINDS

/// A call as a guest made it: `arguments` as they were before it, i32 zero-extended.
struct GuestCall {
  std::string_view function;
  std::span<const ParameterKind> kinds;
  std::span<const std::uint64_t> arguments;
};

}  // namespace tfvm::wasi
