// Passwords: see password.hpp.
#include "cli/serve/password.hpp"

#include <algorithm>
#include <crypt.h>
#include <cstring>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <openssl/sha.h>
#include <vector>

namespace tfvm::serve {

namespace {

using Digest = std::array<std::uint8_t, SHA256_DIGEST_LENGTH>;

constexpr std::size_t bcrypt_hash_bytes = 60;
// 2^12 rounds take about a quarter of a second; a site must not be able to ask for hours.
constexpr int max_bcrypt_cost = 12;
constexpr std::size_t salt_bytes = 12;

Digest sha256(std::string_view salt, std::string_view text) {
  std::string message(salt);
  message += text;
  Digest digest;
  SHA256(reinterpret_cast<const unsigned char*>(message.data()), message.size(), digest.data());
  OPENSSL_cleanse(message.data(), message.size());
  return digest;
}

bool equal(const Digest& a, const Digest& b) { return CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0; }

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::optional<std::string> decode_hex(std::string_view text) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < text.size(); i += 2) {
    const int high = hex_digit(text[i]);
    const int low = hex_digit(text[i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    bytes += static_cast<char>(high * 16 + low);
  }
  if (text.size() % 2 != 0) return std::nullopt;
  return bytes;
}

class Sha256Password : public Password {
 public:
  Sha256Password(std::string salt, Digest digest) : salt_(std::move(salt)), digest_(digest) {}
  Authentication check(std::string_view password, RateLimit&) override {
    return equal(sha256(salt_, password), digest_) ? Authentication::Yes : Authentication::No;
  }

 private:
  std::string salt_;
  Digest digest_;
};

/// Remembers the right password once it was given (as a hash with a salt of its own): from then on bcrypt is not needed
/// any more, not for wrong ones either.
class BcryptPassword : public Password {
 public:
  explicit BcryptPassword(std::string hash) : hash_(std::move(hash)), cache_salt_(32, '\0') {
    if (RAND_bytes(reinterpret_cast<unsigned char*>(cache_salt_.data()), static_cast<int>(cache_salt_.size())) != 1)
      cache_salt_.clear();
  }

  Authentication check(std::string_view password, RateLimit& bcrypt_limit) override {
    if (password.find('\0') != std::string_view::npos) return Authentication::No;
    const Digest digest = sha256(cache_salt_, password);
    {
      const std::scoped_lock lock(mutex_);
      if (known_) return equal(*known_, digest) ? Authentication::Yes : Authentication::No;
    }
    if (!bcrypt_limit.allows()) return Authentication::TryLater;
    if (!matches(std::string(password))) return Authentication::No;
    if (!cache_salt_.empty()) {
      const std::scoped_lock lock(mutex_);
      known_ = digest;
    }
    return Authentication::Yes;
  }

 private:
  bool matches(const std::string& password) const {
    const auto data = std::make_unique<struct ::crypt_data>();
    const char* computed = ::crypt_r(password.c_str(), hash_.c_str(), data.get());
    const bool is_same = computed != nullptr && std::strlen(computed) == hash_.size() &&
                         CRYPTO_memcmp(computed, hash_.data(), hash_.size()) == 0;
    OPENSSL_cleanse(data.get(), sizeof(*data));
    return is_same;
  }

  const std::string hash_;
  std::string cache_salt_;
  std::mutex mutex_;
  std::optional<Digest> known_;
};

std::unique_ptr<Password> parse_sha256(std::string_view hash) {
  constexpr std::string_view prefix = "sha256:";
  if (!hash.starts_with(prefix)) return nullptr;
  hash.remove_prefix(prefix.size());
  if (hash.size() != 2 * salt_bytes + 1 + 2 * sizeof(Digest) || hash[2 * salt_bytes] != ':') return nullptr;
  std::optional<std::string> salt = decode_hex(hash.substr(0, 2 * salt_bytes));
  const std::optional<std::string> digest_text = decode_hex(hash.substr(2 * salt_bytes + 1));
  if (!salt || !digest_text) return nullptr;
  Digest digest;
  std::memcpy(digest.data(), digest_text->data(), digest.size());
  return std::make_unique<Sha256Password>(std::move(*salt), digest);
}

std::unique_ptr<Password> parse_bcrypt(std::string_view hash) {
  const auto is_digit = [&](std::size_t i) { return hash[i] >= '0' && hash[i] <= '9'; };
  const auto is_base64 = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '/';
  };
  if (hash.size() != bcrypt_hash_bytes || !hash.starts_with("$2") ||
      !(hash[2] == 'a' || hash[2] == 'b' || hash[2] == 'y') || hash[3] != '$' || !is_digit(4) || !is_digit(5) ||
      hash[6] != '$' || !std::all_of(hash.begin() + 7, hash.end(), is_base64))
    return nullptr;
  const int cost = (hash[4] - '0') * 10 + (hash[5] - '0');
  if (cost < 4 || cost > max_bcrypt_cost) return nullptr;
  return std::make_unique<BcryptPassword>(std::string(hash));
}

int base64_digit(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  if (c == '+') return 62;
  if (c == '/') return 63;
  return -1;
}

std::optional<std::string> decode_base64(std::string_view text) {
  while (text.ends_with('=')) text.remove_suffix(1);
  if (text.size() % 4 == 1) return std::nullopt;
  std::string bytes;
  std::uint32_t bits = 0;
  unsigned count = 0;
  for (const char c : text) {
    const int digit = base64_digit(c);
    if (digit < 0) return std::nullopt;
    bits = bits << 6 | static_cast<std::uint32_t>(digit);
    count += 6;
    if (count < 8) continue;
    count -= 8;
    bytes += static_cast<char>(bits >> count & 0xff);
  }
  return bytes;
}

}  // namespace

bool RateLimit::allows(Time now) {
  const std::scoped_lock lock(mutex_);
  if (last_ && now < *last_ + interval_) return false;
  last_ = now;
  return true;
}

std::unique_ptr<Password> Password::parse(std::string_view hash) {
  if (auto password = parse_sha256(hash)) return password;
  return parse_bcrypt(hash);
}

std::optional<BasicCredentials> parse_basic_credentials(std::string_view field) {
  constexpr std::string_view scheme = "basic";
  if (field.size() <= scheme.size() || field[scheme.size()] != ' ') return std::nullopt;
  for (std::size_t i = 0; i < scheme.size(); ++i)
    if ((field[i] | 0x20) != scheme[i]) return std::nullopt;
  field.remove_prefix(scheme.size());
  while (field.starts_with(' ')) field.remove_prefix(1);
  while (field.ends_with(' ')) field.remove_suffix(1);
  const std::optional<std::string> text = decode_base64(field);
  if (!text) return std::nullopt;
  const std::size_t colon = text->find(':');
  if (colon == std::string::npos) return std::nullopt;
  return BasicCredentials{text->substr(0, colon), text->substr(colon + 1)};
}

}  // namespace tfvm::serve
