// What the server runs and how it is bounded: Function (one version of one file) and FunctionSettings (its name.toml
// within the operator's ceilings).
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "hostcalls/hostcalls.hpp"
#include "vm/runtime.hpp"
#include "wasi/wasi.hpp"

namespace tfvm::serve {

/// How a module is called: by its exports `run: () -> ()`, else `_start: () -> ()` (the rule; both mean
/// Hostcall).
enum class FunctionKind : std::uint8_t { Hostcall, Cgi };

/// All that a function may use. Made from the operator's configuration and the file's own, never above the ceilings.
struct FunctionSettings {
  std::vector<std::string> environment;  ///< "NAME=value"
  /// In the ceilings: the folders of the host that name.toml may name, and folders below them.
  std::vector<wasi::Preopen> directories;
  /// Holds the descriptors that `directories` names as /proc/self/fd/N.
  std::vector<std::shared_ptr<const wasi::HostFile>> open_directories;
  hostcalls::OutboundPolicy outbound;
  std::vector<std::string> outbound_rules;  ///< what `outbound` was made of
  hostcalls::HostcallLimits hostcall_limits;
  std::string key_value_space;
  std::uint64_t max_memory_bytes = 128u << 20;
  std::uint64_t max_stack_bytes = 1u << 20;
  std::optional<std::uint64_t> fuel;
  std::chrono::milliseconds timeout{10'000};
  std::uint64_t max_request_body_bytes = 8u << 20;
  std::uint32_t max_concurrent = 64;  ///< requests of this function that run at once; more wait in the queue
  std::string cache_control;          ///< of responses that set none; empty: none
};

/// One version of a function: immutable, shared by requests that run it; a newer one replaces it in the Sites only.
struct Function {
  std::string name;     ///< domain and path: "example.com/api/hello.wasm"; keys key-value data, limits, metrics, logs
  std::string version;  ///< sha256 of the file, in hex
  std::shared_ptr<const LoadedModule> module;
  FunctionKind kind = FunctionKind::Hostcall;
  std::shared_ptr<const FunctionSettings> settings;
};

}  // namespace tfvm::serve
