// Names to addresses and texts, by our own queries over UDP and TCP (RFC 1035): static glibc has no resolver plug-ins,
// and guests may send raw queries.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "decoder/error.hpp"
#include "hostcalls/address.hpp"

namespace tfvm::hostcalls {

struct ResolverConfig {
  /// "address", "address:port" or "[v6 address]:port" of each server; empty: those of /etc/resolv.conf.
  std::vector<std::string> servers;
  std::chrono::milliseconds timeout{2'000};  ///< of one try
  unsigned tries = 2;                        ///< over all servers in turn
  std::string hosts_file = "/etc/hosts";     ///< asked first; empty: none
};

/// Why a lookup gave nothing.
enum class LookupStatus : std::uint8_t { Found, NoSuchName, NoData, ServerFailed, TimedOut, Cancelled, BadName };

/// Asks DNS servers. Thread-safe. All calls block up to tries * timeout; a call stops early, with Cancelled, when
/// `is_cancelled` (looked at whenever a signal interrupts the wait, and at least every 50 ms; may be empty) says so.
class Resolver {
 public:
  using IsCancelled = std::function<bool()>;
  virtual ~Resolver() = default;

  struct Addresses {
    LookupStatus status = LookupStatus::ServerFailed;
    std::vector<Address> addresses;
  };
  /// A (or AAAA) records of a name, CNAMEs followed; an address in text form is itself. Kept for as long as the records
  /// say, at most 5 minutes; that there are none, for 5 seconds.
  virtual Addresses addresses(std::string_view name, bool v6, const IsCancelled& is_cancelled) = 0;

  struct Texts {
    LookupStatus status = LookupStatus::ServerFailed;
    std::vector<std::string> texts;  ///< one for each TXT record, its strings joined
  };
  /// Asked for anew each time.
  virtual Texts texts(std::string_view name, const IsCancelled& is_cancelled) = 0;

  struct Message {
    LookupStatus status = LookupStatus::ServerFailed;
    std::string bytes;
  };
  /// Sends a query in wire format as it is, but for the transaction id, which is random on the way and the caller's in
  /// the answer. At most 64 KiB come back. BadName: not an ordinary query with one question; zone transfers and dynamic
  /// updates are none.
  virtual Message query(std::string_view message, const IsCancelled& is_cancelled) = 0;
};

/// Error: Host (no server is named anywhere, or an address is malformed).
Result<std::unique_ptr<Resolver>> make_resolver(ResolverConfig config);

}  // namespace tfvm::hostcalls
