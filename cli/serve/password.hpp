// Passwords of .kbp_config: hashes by bcrypt and by sha256 with a salt, and the bound on how often bcrypt may run.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

namespace tfvm::serve {

/// At most one permission in each interval. Thread-safe.
class RateLimit {
 public:
  using Time = std::chrono::steady_clock::time_point;
  explicit RateLimit(std::chrono::steady_clock::duration interval) : interval_(interval) {}
  bool allows(Time now = std::chrono::steady_clock::now());

 private:
  const std::chrono::steady_clock::duration interval_;
  std::mutex mutex_;
  std::optional<Time> last_;
};

enum class Authentication : std::uint8_t {
  Yes,
  No,
  TryLater,  ///< too many checks in a short time
};

/// The hash of one user's password. Thread-safe.
class Password {
 public:
  virtual ~Password() = default;
  virtual Authentication check(std::string_view password, RateLimit& bcrypt_limit) = 0;

  /// "$2a$10$..." (bcrypt, at most 2^12 rounds) or "sha256:<24 hex digits of salt>:<64 hex digits of sha256(salt ||
  /// password)>". Nullptr if it is neither.
  static std::unique_ptr<Password> parse(std::string_view hash);
};

/// User and password of an Authorization field of the scheme Basic (RFC 7617); none if it is not that.
struct BasicCredentials {
  std::string user;
  std::string password;
};
std::optional<BasicCredentials> parse_basic_credentials(std::string_view field);

}  // namespace tfvm::serve
