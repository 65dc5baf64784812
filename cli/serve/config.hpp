// What functions may use, as TOML: name.toml beside name.wasm, and the operator's file (`tfvm serve --config`) with the
// defaults and the ceilings that no name.toml gets beyond.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "cli/serve/function.hpp"
#include "cli/serve/site_root.hpp"
#include "decoder/error.hpp"

namespace tfvm::serve {

inline constexpr std::uint64_t max_settings_bytes = 64u << 10;

/// The operator's file.
struct ServerSettings {
  FunctionSettings defaults;
  FunctionSettings ceilings;
};

/// Tables [defaults] and [ceilings]; what is not said is as in `base`. A ceiling that is not said is the default, if
/// that is higher. Error: Host, "LINE:COLUMN: what is wrong".
Result<ServerSettings> parse_server_settings(std::string_view toml, const ServerSettings& base);
/// Same of a file. Error: Host, naming the file.
Result<ServerSettings> load_server_settings(const std::string& path, const ServerSettings& base);

/// Whose settings are read.
struct SettingsOwner {
  std::string site;      ///< the host's name; "" if there is one site
  std::string function;  ///< its full name, which is its key-value namespace by default
  SiteRoot root;         ///< where its folders are
};

/// Settings of a function without name.toml.
FunctionSettings default_settings(const ServerSettings& server, const SettingsOwner& owner);
/// Those with one. Error: Host, "LINE:COLUMN: what is wrong": a key that is unknown, a value that is none, or one that
/// is beyond its ceiling.
Result<FunctionSettings> parse_function_settings(std::string_view toml, const ServerSettings& server,
                                                 const SettingsOwner& owner);

}  // namespace tfvm::serve
