// Listening sockets: see listen.hpp.
#include "cli/listen.hpp"

#include <arpa/inet.h>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cli/failure.hpp"

namespace tfvm::cli {
namespace {

constexpr int backlog = 128;

/// An address as the system takes it.
struct SystemAddress {
  struct ::sockaddr_storage storage{};
  socklen_t size = 0;
  struct ::sockaddr* get() { return reinterpret_cast<struct ::sockaddr*>(&storage); }
};

std::optional<SystemAddress> system_address(const ListenAddress& address) {
  SystemAddress result;
  struct ::sockaddr_in four{};
  struct ::sockaddr_in6 six{};
  if (::inet_pton(AF_INET, address.host.c_str(), &four.sin_addr) == 1) {
    four.sin_family = AF_INET;
    four.sin_port = htons(address.port);
    std::memcpy(&result.storage, &four, result.size = sizeof(four));
  } else if (::inet_pton(AF_INET6, address.host.c_str(), &six.sin6_addr) == 1) {
    six.sin6_family = AF_INET6;
    six.sin6_port = htons(address.port);
    std::memcpy(&result.storage, &six, result.size = sizeof(six));
  } else {
    return std::nullopt;
  }
  return result;
}

std::string text_of(const ListenAddress& address) {
  const bool is_six = address.host.find(':') != std::string::npos;
  return (is_six ? '[' + address.host + ']' : address.host) + ':' + std::to_string(address.port);
}

}  // namespace

std::optional<ListenAddress> parse_listen_address(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const std::string_view port = text.substr(colon + 1);
  std::string_view host = text.substr(0, colon);
  const bool has_brackets = host.starts_with('[') && host.ends_with(']');
  if (has_brackets) host = host.substr(1, host.size() - 2);
  if (has_brackets != (host.find(':') != std::string_view::npos)) return std::nullopt;
  ListenAddress address{host == "localhost" ? "127.0.0.1" : std::string(host), 0};
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), address.port);
  if (error != std::errc() || end != port.data() + port.size() || !system_address(address)) return std::nullopt;
  return address;
}

int listen_on(const ListenAddress& address) {
  std::optional<SystemAddress> where = system_address(address);
  const int family = where ? where->storage.ss_family : AF_INET;
  const int file = ::socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  const int yes = 1;
  const bool listens = where && file >= 0 && ::setsockopt(file, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)) == 0 &&
                       ::bind(file, where->get(), where->size) == 0 && ::listen(file, backlog) == 0;
  if (listens) return file;
  const int error = errno;
  if (file >= 0) ::close(file);
  fail("cannot listen on " + text_of(address) + ": " + std::strerror(error), "--tcp-listen names the address");
}

std::string address_of(int socket) {
  SystemAddress address;
  address.size = sizeof(address.storage);
  if (::getsockname(socket, address.get(), &address.size) != 0) return "?";
  char host[INET6_ADDRSTRLEN] = "?";
  ListenAddress result;
  if (address.storage.ss_family == AF_INET) {
    struct ::sockaddr_in four{};
    std::memcpy(&four, &address.storage, sizeof(four));
    ::inet_ntop(AF_INET, &four.sin_addr, host, sizeof(host));
    result.port = ntohs(four.sin_port);
  } else {
    struct ::sockaddr_in6 six{};
    std::memcpy(&six, &address.storage, sizeof(six));
    ::inet_ntop(AF_INET6, &six.sin6_addr, host, sizeof(host));
    result.port = ntohs(six.sin6_port);
  }
  result.host = host;
  return text_of(result);
}

}  // namespace tfvm::cli
