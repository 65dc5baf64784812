// HttpClientCore: threads and certificates of the HTTP client.
#include "hostcalls/http_client_core.hpp"

#include <boost/asio/post.hpp>
#include <csignal>
#include <cstdlib>
#include <openssl/ssl.h>
#include <sys/eventfd.h>
#include <unistd.h>

namespace tfvm::hostcalls {
namespace {

namespace asio = boost::asio;

/// Signals are for the process's other threads: none of them means these.
class BlockedSignals {
 public:
  BlockedSignals() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~BlockedSignals() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  BlockedSignals(const BlockedSignals&) = delete;
  BlockedSignals& operator=(const BlockedSignals&) = delete;

 private:
  sigset_t before_;
};

/// The certificates that SSL_CERT_FILE and SSL_CERT_DIR name, else the host's in their usual places.
bool load_certificates(SSL_CTX* context) {
  const char* const file = std::getenv("SSL_CERT_FILE");
  const char* const folder = std::getenv("SSL_CERT_DIR");
  if (file != nullptr || folder != nullptr) return SSL_CTX_load_verify_locations(context, file, folder) == 1;
  for (const char* bundle : {"/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt",
                             "/etc/ssl/ca-bundle.pem", "/etc/ssl/cert.pem"}) {
    if (::access(bundle, R_OK) == 0) return SSL_CTX_load_verify_file(context, bundle) == 1;
  }
  return SSL_CTX_load_verify_dir(context, "/etc/ssl/certs") == 1;
}

}  // namespace

HttpClientCore::HttpClientCore(Resolver& resolver)
    : always_ready_(::eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK)), resolver_(resolver), pool_(io_) {}

HttpClientCore::~HttpClientCore() {
  if (always_ready_ >= 0) ::close(always_ready_);
}

bool HttpClientCore::count_in() {
  if (request_count_ >= max_requests) return false;
  ++request_count_;
  return true;
}

bool HttpClientCore::post(std::function<void()> work) {
  const std::lock_guard lock(mutex_);
  if (is_stopping_) return false;
  asio::post(io_, std::move(work));
  if (!thread_.joinable()) {
    const BlockedSignals blocked;
    thread_ = std::thread([this] { run(); });
  }
  return true;
}

void HttpClientCore::run() {
  while (true) {
    try {
      io_.run();
      return;
    } catch (const std::exception&) {
      // Out of memory in one request: that one ends by its time limit.
    }
  }
}

void HttpClientCore::stop() {
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
  }
  io_.stop();
  if (thread_.joinable()) thread_.join();
  if (lookups_) lookups_->join();
  pool_.clear();
}

void HttpClientCore::resolve(std::string name, bool v6, Resolver::IsCancelled is_cancelled, OnAddresses on_addresses) {
  if (!lookups_) {
    const BlockedSignals blocked;
    lookups_ = std::make_unique<asio::thread_pool>(lookup_threads);
  }
  asio::post(*lookups_, [this, name = std::move(name), v6, is_cancelled = std::move(is_cancelled),
                         on_addresses = std::move(on_addresses)]() mutable {
    Resolver::Addresses found = resolver_.addresses(name, v6, [&] { return is_stopping_ || is_cancelled(); });
    asio::post(io_, [on_addresses = std::move(on_addresses), found = std::move(found)]() mutable {
      on_addresses(std::move(found));
    });
  });
}

Result<asio::ssl::context*> HttpClientCore::tls() {
  if (tls_) return &*tls_;
  // Without the system's openssl.cnf, which may ask for plug-ins; at exit other threads may still use it.
  OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_NO_ATEXIT, nullptr);
  asio::ssl::context context(asio::ssl::context::tls_client);
  SSL_CTX* const native = context.native_handle();
  constexpr unsigned char protocols[] = "\x08http/1.1";
  if (SSL_CTX_set_min_proto_version(native, TLS1_2_VERSION) != 1 ||
      SSL_CTX_set_alpn_protos(native, protocols, sizeof(protocols) - 1) != 0) {
    return Error{ErrorKind::Host, "TLS cannot be set up"};
  }
  if (!load_certificates(native)) return Error{ErrorKind::Host, "no certificates to check servers with"};
  SSL_CTX_set_verify(native, SSL_VERIFY_PEER, nullptr);
  tls_.emplace(std::move(context));
  return &*tls_;
}

}  // namespace tfvm::hostcalls
