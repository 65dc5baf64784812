// Certificates of the server: which one a connection gets by the name that the client asks for (SNI), and reading them
// again when their files change.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "decoder/error.hpp"

using SSL = struct ssl_st;

namespace tfvm::serve {

/// Files in PEM form: a chain, the server's own certificate first, and its key.
struct CertificateFiles {
  std::string domain;  ///< lower case; "" for clients that ask for no name that is here
  std::string certificate;
  std::string key;
};

/// `folder`/<domain>/fullchain.pem and privkey.pem, as ACME clients lay them out. Missing folder: none.
std::vector<CertificateFiles> certificates_below(const std::string& folder);

/// Thread-safe.
class Certificates {
 public:
  virtual ~Certificates() = default;
  /// The server's side of a new connection: TLS 1.2 or later, ALPN "http/1.1". Null if memory is out. The caller owns
  /// it.
  virtual SSL* new_connection() = 0;
  /// Reads what is new. What cannot be read leaves the old certificate in place; each failure is a line of the result.
  /// `always`: also files whose times have not changed.
  virtual std::vector<std::string> reload(bool always) = 0;
};

/// Reads all. `folder` may be empty. Error: Host, naming the file and OpenSSL's reason, or if there is none at all.
Result<std::unique_ptr<Certificates>> load_certificates(CertificateFiles fallback, std::string folder);

}  // namespace tfvm::serve
