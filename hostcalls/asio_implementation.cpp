// The only copies of the non-template parts of Boost.Asio, its TLS streams and Boost.Beast: all else is compiled with
// BOOST_ASIO_SEPARATE_COMPILATION and BOOST_BEAST_SEPARATE_COMPILATION (CMakeLists.txt). No code of ours here.
// clang-format off
#include "hostcalls/asio_ssl.hpp"  // before Asio sees a context
// clang-format on
#include <boost/asio/impl/src.hpp>
#include <boost/asio/ssl/impl/src.hpp>
#include <boost/beast/src.hpp>
