// The key-value store in Redis: a hash for each namespace and its size beside it, both changed by one script, which
// Redis runs as a whole before anything else.
#include <array>
#include <charconv>
#include <mutex>
#include <vector>

#include "hostcalls/key_value_write.hpp"
#include "hostcalls/outbound_policy.hpp"
#include "hostcalls/redis_connection.hpp"
#include "hostcalls/resolver.hpp"
#include "vm/interrupt.hpp"

namespace tfvm::hostcalls {
namespace {

constexpr std::chrono::milliseconds connect_timeout{2'000}, call_timeout{5'000};
constexpr std::size_t max_idle_connections = 16;

// KEYS: hash, size. ARGV: kind of write, key, value, largest value, largest namespace.
// -1: value too large, -2: namespace full, else 1 if the key was absent (remove: was there).
constexpr std::string_view script = R"lua(
local kind, key, value = ARGV[1], ARGV[2], ARGV[3]
local exists = redis.call('HEXISTS', KEYS[1], key)
local old = redis.call('HSTRLEN', KEYS[1], key)
local total = tonumber(redis.call('GET', KEYS[2]) or '0')
local after
if kind == 'remove' then
  if exists == 0 then return 0 end
  redis.call('HDEL', KEYS[1], key)
  after = total - old - #key
else
  if kind == 'put_if_absent' and exists == 1 then return 0 end
  local size = #value
  if kind == 'append' then size = size + old end
  if size > tonumber(ARGV[4]) then return -1 end
  after = total - old + size
  if exists == 0 then after = after + #key end
  if after > tonumber(ARGV[5]) and after > total then return -2 end
  if kind == 'append' and exists == 1 then value = redis.call('HGET', KEYS[1], key) .. value end
  redis.call('HSET', KEYS[1], key, value)
end
if after > 0 then redis.call('SET', KEYS[2], string.format('%.0f', after)) else redis.call('DEL', KEYS[2]) end
if kind == 'remove' then return 1 end
return 1 - exists
)lua";

struct RedisUrl {
  std::string user, password, host;
  std::uint16_t port = 6'379;
  std::string database;
};

Error failure(std::string what) { return Error{ErrorKind::Host, "redis: " + std::move(what)}; }

std::optional<std::string> percent_decoded(std::string_view text) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded += text[i];
      continue;
    }
    unsigned char byte = 0;
    if (i + 2 >= text.size()) return std::nullopt;
    const auto [end, error] = std::from_chars(text.data() + i + 1, text.data() + i + 3, byte, 16);
    if (error != std::errc{} || end != text.data() + i + 3) return std::nullopt;
    decoded += static_cast<char>(byte);
    i += 2;
  }
  return decoded;
}

template <class T>
bool read_number(std::string_view text, T& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc{} && end == text.data() + text.size();
}

Result<RedisUrl> parse_url(std::string_view text) {
  const auto wrong = [](const char* what) {  // without the URL: it may hold a password
    return failure(std::string("the URL must be redis://[[user]:password@]host[:port][/database]: ") + what);
  };
  constexpr std::string_view scheme = "redis://";
  if (!text.starts_with(scheme)) return wrong("it begins with another scheme");
  text.remove_prefix(scheme.size());
  RedisUrl url;
  if (const std::size_t slash = text.find('/'); slash != std::string_view::npos) {
    url.database = text.substr(slash + 1);
    std::uint32_t number = 0;
    if (!url.database.empty() && !read_number(url.database, number)) return wrong("the database is no number");
    text = text.substr(0, slash);
  }
  if (const std::size_t at = text.rfind('@'); at != std::string_view::npos) {
    const std::size_t colon = text.find(':');
    if (colon == std::string_view::npos || colon > at) return wrong("no password before '@'");
    const std::optional<std::string> user = percent_decoded(text.substr(0, colon));
    const std::optional<std::string> password = percent_decoded(text.substr(colon + 1, at - colon - 1));
    if (!user || !password || password->empty()) return wrong("user or password");
    url.user = *user;
    url.password = *password;
    text = text.substr(at + 1);
  }
  std::string_view port;
  if (text.starts_with('[')) {
    const std::size_t end = text.find(']');
    if (end == std::string_view::npos) return wrong("the host");
    url.host = text.substr(1, end - 1);
    port = text.substr(end + 1);
    const std::optional<Address> address = Address::parse(url.host);
    if (!address || !address->is_v6) return wrong("the host");
  } else {
    url.host = text.substr(0, text.find(':'));
    port = text.substr(url.host.size());
    if (!Address::parse(url.host) && !is_host_name(url.host)) return wrong("the host");
  }
  if (!port.empty() && (port[0] != ':' || !read_number(port.substr(1), url.port) || url.port == 0)) {
    return wrong("the port is no number from 1 to 65535");
  }
  return url;
}

/// A connection, and the name that the server gave the script.
struct Client {
  std::unique_ptr<RedisConnection> connection;
  std::string script_hash;
};

class RedisStore final : public WriteByModeStore {
 public:
  explicit RedisStore(RedisUrl url) : url_(std::move(url)) {}

  Result<std::optional<std::string>> get(std::string_view space, std::string_view key) override {
    const std::string hash = hash_of(space);
    const Result<RedisReply> reply = call([&](Client& client) {
      return client.connection->call(std::array<std::string_view, 3>{"HGET", hash, key}, call_timeout);
    });
    if (!reply) return reply.error();
    switch (reply->kind) {
      case RedisReply::Kind::Null: return std::optional<std::string>();
      case RedisReply::Kind::Bytes: return std::optional<std::string>(reply->text);
      default: return failure("unexpected reply: " + printable(reply->text));
    }
  }

  Result<bool> remove(std::string_view space, std::string_view key) override {
    return run_script("remove", space, key, {}, {});
  }

 private:
  Result<bool> write(WriteMode mode, std::string_view space, std::string_view key, std::string_view value,
                     const KeyValueLimits& limits) override {
    if (const Result<Done> fits = check_sizes(key, value, limits); !fits) return fits.error();
    constexpr std::string_view kinds[] = {"put", "put_if_absent", "append"};  // in the order of WriteMode
    return run_script(kinds[static_cast<std::size_t>(mode)], space, key, value, limits);
  }

  // The braces keep both keys of a namespace on one server of a cluster.
  static std::string hash_of(std::string_view space) { return "tfvm:{" + std::string(space) + "}:entries"; }
  static std::string size_of(std::string_view space) { return "tfvm:{" + std::string(space) + "}:bytes"; }

  Result<bool> run_script(std::string_view kind, std::string_view space, std::string_view key, std::string_view value,
                          const KeyValueLimits& limits) {
    const std::string hash = hash_of(space), size = size_of(space);
    const std::string max_value = std::to_string(limits.max_value_bytes);
    const std::string max_namespace = std::to_string(limits.max_namespace_bytes);
    const Result<RedisReply> reply = call([&](Client& client) {
      const std::string_view arguments[] = {"EVALSHA", client.script_hash, "2",          hash, size, kind, key,
                                            value,     max_value,          max_namespace};
      return client.connection->call(arguments, call_timeout);
    });
    if (!reply) return reply.error();
    if (reply->kind != RedisReply::Kind::Integer) return failure("unexpected reply: " + printable(reply->text));
    switch (reply->integer) {
      case -1: return value_too_large();
      case -2: return namespace_full();
      default: return reply->integer == 1;
    }
  }

  /// Calls on an idle connection or a new one; once more if the server has forgotten the script.
  template <class Command>
  Result<RedisReply> call(const Command& command) {
    const InterruptGuard guard;
    for (bool again = true;; again = false) {
      Result<Client> client = take();
      if (!client) return client.error();
      Result<RedisReply> reply = command(*client);
      if (!reply) return reply;  // the connection is closed
      if (reply->kind != RedisReply::Kind::Error) {
        give(std::move(*client));
        return reply;
      }
      if (!again || !reply->text.starts_with("NOSCRIPT")) return failure(printable(reply->text));
      const std::lock_guard lock(mutex_);
      idle_.clear();
    }
  }

  Result<Client> take() {
    {
      const std::lock_guard lock(mutex_);
      while (!idle_.empty()) {
        Client client = std::move(idle_.back());
        idle_.pop_back();
        if (client.connection->is_usable()) return client;
      }
    }
    return connect();
  }

  void give(Client client) {
    const std::lock_guard lock(mutex_);
    if (idle_.size() < max_idle_connections) idle_.push_back(std::move(client));
  }

  Result<Client> connect() {
    Result<std::vector<Address>> addresses = find_server();
    if (!addresses) return addresses.error();
    Error error = failure("the server's name has no address");
    for (const Address& address : *addresses) {
      Result<std::unique_ptr<RedisConnection>> connection =
          RedisConnection::connect(address, url_.port, connect_timeout);
      if (connection) return log_in(std::move(*connection));
      error = connection.error();
    }
    return error;
  }

  Result<Client> log_in(std::unique_ptr<RedisConnection> connection) {
    const auto run = [&](std::span<const std::string_view> arguments) -> Result<RedisReply> {
      Result<RedisReply> reply = connection->call(arguments, call_timeout);
      if (reply && reply->kind == RedisReply::Kind::Error) return failure(printable(reply->text));
      return reply;
    };
    if (!url_.password.empty()) {
      const std::vector<std::string_view> arguments =
          url_.user.empty() ? std::vector<std::string_view>{"AUTH", url_.password}
                            : std::vector<std::string_view>{"AUTH", url_.user, url_.password};
      if (const Result<RedisReply> reply = run(arguments); !reply) return reply.error();
    }
    if (!url_.database.empty()) {
      if (const Result<RedisReply> reply = run(std::array<std::string_view, 2>{"SELECT", url_.database}); !reply) {
        return reply.error();
      }
    }
    Result<RedisReply> loaded = run(std::array<std::string_view, 3>{"SCRIPT", "LOAD", script});
    if (!loaded) return loaded.error();
    return Client{std::move(connection), std::move(loaded->text)};
  }

  Result<std::vector<Address>> find_server() {
    if (const std::optional<Address> address = Address::parse(url_.host)) return std::vector<Address>{*address};
    const Result<std::unique_ptr<Resolver>> resolver = make_resolver({});
    if (!resolver) return resolver.error();
    std::vector<Address> all;
    for (const bool v6 : {false, true}) {
      const Resolver::Addresses found = (*resolver)->addresses(url_.host, v6, {});
      all.insert(all.end(), found.addresses.begin(), found.addresses.end());
    }
    return all;
  }

  const RedisUrl url_;
  std::mutex mutex_;
  std::vector<Client> idle_;
};

}  // namespace

Result<std::unique_ptr<KeyValueStore>> open_redis_store(std::string_view text) {
  Result<RedisUrl> url = parse_url(text);
  if (!url) return url.error();
  return std::unique_ptr<KeyValueStore>(std::make_unique<RedisStore>(std::move(*url)));
}

}  // namespace tfvm::hostcalls
