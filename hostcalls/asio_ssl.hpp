// Asio's TLS streams, without what Asio would do for them before main() in every process that is linked with them:
// OpenSSL initialises itself when it is first used. Include this instead of boost/asio/ssl/*.
#pragma once

#include <boost/asio/ssl/detail/openssl_init.hpp>

namespace boost::asio::ssl::detail {
template <>
class openssl_init<true> : private openssl_init_base {
 public:
  openssl_init() {}
};
}  // namespace boost::asio::ssl::detail

#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
