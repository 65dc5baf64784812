// Two things that linking OpenSSL, SQLite and Asio statically would bring along, and that tfvm does without. The linker
// (--wrap, CMakeLists.txt) sends the calls here.
//
// Plug-ins and the system's name service: a static executable can load neither (glibc would load its own shared
// libraries of the exact version). Names go through Resolver; no engine, provider or extension is loaded.
//
// OpenSSL's look at the processor: it would be made before main, and `cpuid` is slow in virtual machines, where each
// leaves the guest (ten of them: 50 us, a tenth of `tfvm run` of a small program). It waits for OpenSSL's first use.
#include <cstdint>
#include <netdb.h>
#include <openssl/crypto.h>

extern "C" {
// NOLINTBEGIN(bugprone-reserved-identifier, readability-identifier-naming): ld's names
void* __wrap_dlopen(const char* file, int flags);
int __wrap_getaddrinfo(const char* node, const char* service, const addrinfo* hints, addrinfo** result);
hostent* __wrap_gethostbyname(const char* name);
void __wrap_OPENSSL_cpuid_setup();
void __real_OPENSSL_cpuid_setup();
int __wrap_OPENSSL_init_crypto(std::uint64_t options, const OPENSSL_INIT_SETTINGS* settings);
int __real_OPENSSL_init_crypto(std::uint64_t options, const OPENSSL_INIT_SETTINGS* settings);

void* __wrap_dlopen(const char*, int) { return nullptr; }
int __wrap_getaddrinfo(const char*, const char*, const addrinfo*, addrinfo**) { return EAI_FAIL; }
hostent* __wrap_gethostbyname(const char*) { return nullptr; }

void __wrap_OPENSSL_cpuid_setup() {}
int __wrap_OPENSSL_init_crypto(std::uint64_t options, const OPENSSL_INIT_SETTINGS* settings) {
  [[maybe_unused]] static const bool is_set_up = (__real_OPENSSL_cpuid_setup(), true);
  return __real_OPENSSL_init_crypto(options, settings);
}
// NOLINTEND(bugprone-reserved-identifier, readability-identifier-naming)
}
