// Bytes of connections (transport.hpp).
#include "cli/serve/transport.hpp"

#include <algorithm>
#include <cerrno>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

namespace tfvm::serve {
namespace {

constexpr std::size_t max_piece_bytes = 1u << 20;

bool would_block() { return errno == EAGAIN || errno == EWOULDBLOCK; }

}  // namespace

void Transport::FreeSsl::operator()(SSL* ssl) const { ::SSL_free(ssl); }

Transport::~Transport() = default;

void Transport::use_tls(SSL* ssl) {
  ssl_.reset(ssl);
  is_broken_ = ssl == nullptr || ::SSL_set_fd(ssl, socket_) != 1;
  if (!is_broken_) ::SSL_set_accept_state(ssl);
}

Transport::Outcome Transport::outcome_of_tls(int result) {
  if (result > 0) return {Status::Moved, static_cast<std::size_t>(result)};
  const int reason = ::SSL_get_error(ssl_.get(), result);
  if (reason == SSL_ERROR_WANT_READ || reason == SSL_ERROR_WANT_WRITE) {
    waits_for_writing_ = reason == SSL_ERROR_WANT_WRITE;
    return {Status::WouldBlock};
  }
  is_broken_ = reason == SSL_ERROR_SSL || reason == SSL_ERROR_SYSCALL;
  return {Status::Closed};
}

Transport::Outcome Transport::handshake() {
  if (is_broken_) return {Status::Closed};
  ::ERR_clear_error();
  return outcome_of_tls(::SSL_accept(ssl_.get()));
}

Transport::Outcome Transport::read(char* buffer, std::size_t size) {
  if (is_broken_) return {Status::Closed};
  if (ssl_) {
    ::ERR_clear_error();
    return outcome_of_tls(::SSL_read(ssl_.get(), buffer, static_cast<int>(std::min(size, max_piece_bytes))));
  }
  while (true) {
    const ssize_t count = ::recv(socket_, buffer, size, 0);
    if (count > 0) return {Status::Moved, static_cast<std::size_t>(count)};
    if (count < 0 && errno == EINTR) continue;
    if (count == 0 || !would_block()) return {Status::Closed};
    waits_for_writing_ = false;
    return {Status::WouldBlock};
  }
}

Transport::Outcome Transport::write(std::string_view bytes) {
  if (is_broken_) return {Status::Closed};
  if (ssl_) {
    ::ERR_clear_error();
    return outcome_of_tls(
        ::SSL_write(ssl_.get(), bytes.data(), static_cast<int>(std::min(bytes.size(), max_piece_bytes))));
  }
  while (true) {
    const ssize_t count = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count >= 0) return {Status::Moved, static_cast<std::size_t>(count)};
    if (errno == EINTR) continue;
    if (!would_block()) return {Status::Closed};
    waits_for_writing_ = true;
    return {Status::WouldBlock};
  }
}

Transport::Outcome Transport::send_file(int file, std::uint64_t offset, std::uint64_t bytes) {
  auto position = static_cast<off_t>(offset);
  if (ssl_) {
    char buffer[16u << 10];
    const ssize_t count = ::pread(file, buffer, std::min<std::uint64_t>(sizeof(buffer), bytes), position);
    if (count <= 0) return {Status::Closed};  // shorter than it was: the promised length cannot be kept
    return write({buffer, static_cast<std::size_t>(count)});
  }
  while (true) {
    const ssize_t count = ::sendfile(socket_, file, &position, std::min<std::uint64_t>(bytes, max_piece_bytes));
    if (count > 0) return {Status::Moved, static_cast<std::size_t>(count)};
    if (count < 0 && errno == EINTR) continue;
    if (count == 0 || !would_block()) return {Status::Closed};
    waits_for_writing_ = true;
    return {Status::WouldBlock};
  }
}

void Transport::finish() {
  if (ssl_ && !is_broken_) ::SSL_shutdown(ssl_.get());
  ::shutdown(socket_, SHUT_WR);
}

bool Transport::has_pending_input() const { return ssl_ && ::SSL_pending(ssl_.get()) > 0; }

}  // namespace tfvm::serve
