// One connection to a Redis server: its protocol (RESP 2, redis.io/docs/reference/protocol-spec) over a plain socket.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "decoder/error.hpp"
#include "hostcalls/address.hpp"

namespace tfvm::hostcalls {

/// What a server said. Arrays are not asked for and not understood.
struct RedisReply {
  enum class Kind : std::uint8_t { Status, Error, Integer, Bytes, Null };
  Kind kind = Kind::Null;
  std::string text;          ///< Status, Error, Bytes
  std::int64_t integer = 0;  ///< Integer
};

/// For one thread at a time. After an error the connection is of no use: it is not known what was done. Error: Host.
class RedisConnection {
 public:
  static Result<std::unique_ptr<RedisConnection>> connect(const Address& address, std::uint16_t port,
                                                          std::chrono::milliseconds timeout);
  ~RedisConnection();
  RedisConnection(const RedisConnection&) = delete;
  RedisConnection& operator=(const RedisConnection&) = delete;

  /// Sends a command and waits for its reply.
  Result<RedisReply> call(std::span<const std::string_view> arguments, std::chrono::milliseconds timeout);
  /// False if the server has closed it or said something unasked, so that a call would fail.
  bool is_usable() const;

 private:
  using Time = std::chrono::steady_clock::time_point;

  explicit RedisConnection(int descriptor) : descriptor_(descriptor) {}
  Result<Done> wait(short events, Time deadline) const;
  Result<Done> send(std::string_view bytes, Time deadline);
  Result<Done> receive(Time deadline);
  Result<std::string> line(Time deadline);
  Result<std::string> bytes(std::size_t size, Time deadline);
  Result<RedisReply> reply(Time deadline);

  int descriptor_;
  std::string received_;  ///< not read yet
};

}  // namespace tfvm::hostcalls
