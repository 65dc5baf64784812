// .kbp_config of Keybase Pages (version "v1"): who may read and list what below a site's root.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "cli/serve/password.hpp"
#include "decoder/error.hpp"

namespace tfvm::serve {

/// The name of the file, in a site's root only.
inline constexpr std::string_view kbp_config_name = ".kbp_config";
inline constexpr std::uint64_t max_kbp_config_bytes = 256u << 10;

/// Immutable but for what it remembers of passwords; thread-safe.
class KbpConfig {
 public:
  struct Permissions {
    bool read = false;
    bool list = false;
  };
  /// What holds for one path: the entry of its nearest ancestor (or itself) that has one, as a whole.
  struct Access {
    Permissions allowed;
    Permissions possible;           ///< for some user
    std::string realm;              ///< the path of that entry
    std::string_view allow_origin;  ///< "*" or ""; lives as long as the config
  };

  /// Error: Host, with what is wrong.
  static Result<std::shared_ptr<const KbpConfig>> parse(std::string_view json);

  /// `path` as in a URL, decoded. `user`: an authenticated one.
  Access access(std::string_view path, const std::optional<std::string>& user) const;
  /// May take some 100 ms (bcrypt).
  Authentication authenticate(const std::string& user, std::string_view password) const;

 private:
  struct Entry {
    Permissions anonymous;
    Permissions possible;
    std::map<std::string, Permissions> additional;  ///< by user
    std::string allow_origin;
  };
  friend class KbpConfigReader;

  std::map<std::string, std::unique_ptr<Password>> users_;
  std::map<std::string, Entry, std::less<>> entries_;  ///< by clean path: "" is the root, "a/b"
  std::unique_ptr<RateLimit> bcrypt_limit_ = std::make_unique<RateLimit>(std::chrono::milliseconds(500));
};

}  // namespace tfvm::serve
