// Certificates (tls.hpp): one SSL_CTX for each domain, replaced as a whole.
#include "cli/serve/tls.hpp"

#include <algorithm>
#include <dirent.h>
#include <map>
#include <mutex>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/stat.h>
#include <tuple>

namespace tfvm::serve {
namespace {

struct FreeContext {
  void operator()(SSL_CTX* context) const { ::SSL_CTX_free(context); }
};
using Context = std::unique_ptr<SSL_CTX, FreeContext>;

std::string openssl_reason() {
  const unsigned long code = ::ERR_get_error();
  const char* const reason = code != 0 ? ::ERR_reason_error_string(code) : nullptr;
  ::ERR_clear_error();
  return reason != nullptr ? reason : "unreadable";
}

// Any protocol but HTTP/1.1 is refused by not being chosen.
int choose_protocol(SSL*, const unsigned char** out, unsigned char* out_length, const unsigned char* offered,
                    unsigned int offered_length, void*) {
  static constexpr unsigned char ours[] = {8, 'h', 't', 't', 'p', '/', '1', '.', '1'};
  unsigned char* chosen = nullptr;
  if (::SSL_select_next_proto(&chosen, out_length, ours, sizeof(ours), offered, offered_length) !=
      OPENSSL_NPN_NEGOTIATED)
    return SSL_TLSEXT_ERR_NOACK;
  *out = chosen;
  return SSL_TLSEXT_ERR_OK;
}

// What tells whether files changed.
using Stamp = std::tuple<std::int64_t, std::int64_t, std::uint64_t, std::int64_t>;
Stamp stamp_of(const std::string& file) {
  struct ::stat status{};
  if (::stat(file.c_str(), &status) != 0) return {};
  return {status.st_mtim.tv_sec, status.st_mtim.tv_nsec, status.st_ino, status.st_size};
}

bool is_file(const std::string& path) {
  struct ::stat status{};
  return ::stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode);
}

class LoadedCertificates final : public Certificates {
 public:
  LoadedCertificates(CertificateFiles fallback, std::string folder)
      : fallback_(std::move(fallback)), folder_(std::move(folder)) {}

  SSL* new_connection() override {
    const std::lock_guard lock(mutex_);
    const auto found = entries_.find(entries_.contains("") ? "" : entries_.begin()->first);
    return found == entries_.end() ? nullptr : ::SSL_new(found->second.context.get());
  }

  std::vector<std::string> reload(bool always) override {
    std::vector<CertificateFiles> wanted = certificates_below(folder_);
    if (!fallback_.certificate.empty()) wanted.push_back(fallback_);
    std::vector<std::string> problems;
    for (const CertificateFiles& files : wanted) {
      const std::pair<Stamp, Stamp> stamp{stamp_of(files.certificate), stamp_of(files.key)};
      if (!always && is_known(files.domain, stamp)) continue;
      std::string problem;
      Context context = load(files, problem);
      const std::lock_guard lock(mutex_);
      if (context) {
        entries_[files.domain] = {std::move(context), stamp};
        continue;
      }
      problems.push_back(std::move(problem));
      if (entries_.contains(files.domain)) entries_[files.domain].stamp = stamp;  // said once, not at every look
    }
    return problems;
  }

  bool is_empty() {
    const std::lock_guard lock(mutex_);
    return entries_.empty();
  }

 private:
  struct Entry {
    Context context;
    std::pair<Stamp, Stamp> stamp;
  };

  bool is_known(const std::string& domain, const std::pair<Stamp, Stamp>& stamp) {
    const std::lock_guard lock(mutex_);
    const auto found = entries_.find(domain);
    return found != entries_.end() && found->second.stamp == stamp;
  }

  Context load(const CertificateFiles& files, std::string& problem) {
    Context context(::SSL_CTX_new(::TLS_server_method()));
    if (!context) {
      problem = "TLS: out of memory";
      return nullptr;
    }
    ::SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
    ::SSL_CTX_set_mode(context.get(),
                       SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
    ::SSL_CTX_set_options(context.get(), SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE);
    ::SSL_CTX_set_alpn_select_cb(context.get(), choose_protocol, nullptr);
    ::SSL_CTX_set_tlsext_servername_callback(context.get(), &LoadedCertificates::on_server_name);
    ::SSL_CTX_set_tlsext_servername_arg(context.get(), this);
    ::ERR_clear_error();
    if (::SSL_CTX_use_certificate_chain_file(context.get(), files.certificate.c_str()) != 1) {
      problem = "certificate '" + files.certificate + "': " + openssl_reason();
      return nullptr;
    }
    if (::SSL_CTX_use_PrivateKey_file(context.get(), files.key.c_str(), SSL_FILETYPE_PEM) != 1 ||
        ::SSL_CTX_check_private_key(context.get()) != 1) {
      problem = "key '" + files.key + "': " + openssl_reason();
      return nullptr;
    }
    return context;
  }

  static int on_server_name(SSL* ssl, int*, void* self) {
    const char* const name = ::SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    if (name != nullptr) static_cast<LoadedCertificates*>(self)->choose(ssl, name);
    return SSL_TLSEXT_ERR_OK;
  }

  void choose(SSL* ssl, std::string name) {
    std::transform(name.begin(), name.end(), name.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    const std::lock_guard lock(mutex_);
    auto found = entries_.find(name);
    // "*.example.com" stands in a folder of that name.
    if (const std::size_t dot = name.find('.'); found == entries_.end() && dot != std::string::npos)
      found = entries_.find("*" + name.substr(dot));
    if (found != entries_.end()) ::SSL_set_SSL_CTX(ssl, found->second.context.get());
  }

  CertificateFiles fallback_;
  std::string folder_;
  std::mutex mutex_;
  std::map<std::string, Entry> entries_;
};

}  // namespace

std::vector<CertificateFiles> certificates_below(const std::string& folder) {
  std::vector<CertificateFiles> found;
  if (folder.empty()) return found;
  const std::unique_ptr<DIR, int (*)(DIR*)> directory(::opendir(folder.c_str()), &::closedir);
  while (directory) {
    const struct ::dirent* const entry = ::readdir(directory.get());
    if (entry == nullptr) break;
    const std::string name = entry->d_name;
    if (name.starts_with('.')) continue;
    CertificateFiles files{name, folder + '/' + name + "/fullchain.pem", folder + '/' + name + "/privkey.pem"};
    if (is_file(files.certificate) && is_file(files.key)) found.push_back(std::move(files));
  }
  return found;
}

Result<std::unique_ptr<Certificates>> load_certificates(CertificateFiles fallback, std::string folder) {
  auto certificates = std::make_unique<LoadedCertificates>(std::move(fallback), folder);
  const std::vector<std::string> problems = certificates->reload(true);
  if (!problems.empty()) return Error{ErrorKind::Host, problems.front()};
  if (certificates->is_empty()) return Error{ErrorKind::Host, "there is no certificate below '" + folder + "'"};
  return std::unique_ptr<Certificates>(std::move(certificates));
}

}  // namespace tfvm::serve
