// The bytes of one connection, plain or TLS, without ever blocking: what cannot go on says what to wait for.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

using SSL = struct ssl_st;

namespace tfvm::serve {

/// Owns the TLS state, borrows the socket, which must be non-blocking. One thread at a time.
class Transport {
 public:
  explicit Transport(int socket) : socket_(socket) {}
  Transport(const Transport&) = delete;
  Transport& operator=(const Transport&) = delete;
  ~Transport();

  enum class Status : std::uint8_t { Moved, WouldBlock, Closed };
  struct Outcome {
    Status status = Status::Closed;
    std::size_t bytes = 0;
  };

  /// From here on TLS, as the server. Takes `ssl`, which may be null (out of memory): then all is Closed.
  void use_tls(SSL* ssl);
  bool is_tls() const { return ssl_ != nullptr; }
  /// Moved: done. REQUIRES: use_tls().
  Outcome handshake();

  Outcome read(char* buffer, std::size_t size);
  Outcome write(std::string_view bytes);
  /// Sends bytes of a file from `offset` on.
  Outcome send_file(int file, std::uint64_t offset, std::uint64_t bytes);
  /// Tells the other side that nothing follows.
  void finish();

  /// After WouldBlock: true if the socket must become writable, false if readable.
  bool waits_for_writing() const { return waits_for_writing_; }
  /// True if bytes were received that read() has not given yet, so that the socket itself would not say so.
  bool has_pending_input() const;
  int socket() const { return socket_; }

 private:
  Outcome outcome_of_tls(int result);

  struct FreeSsl {
    void operator()(SSL* ssl) const;
  };
  int socket_;
  std::unique_ptr<SSL, FreeSsl> ssl_;
  bool waits_for_writing_ = false;
  bool is_broken_ = false;
};

}  // namespace tfvm::serve
