// Requests that guests send to others: what a client must do, and the one over Beast and OpenSSL.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "decoder/error.hpp"
#include "hostcalls/http.hpp"
#include "hostcalls/outbound_policy.hpp"

namespace tfvm::hostcalls {

class Resolver;

/// Bounds of one outbound request.
struct OutboundLimits {
  std::chrono::milliseconds connect_timeout{3'000};
  std::chrono::milliseconds first_byte_timeout{10'000};
  std::chrono::milliseconds total_timeout{30'000};
  std::uint64_t max_response_bytes = 16u << 20;  ///< header and body
  unsigned max_redirects = 10;                   ///< each hop is resolved and checked again
};

/// A request under way. Destroying it cancels it.
class PendingResponse {
 public:
  virtual ~PendingResponse() = default;
  /// Becomes readable when the response (or the failure) is there and stays so. Owned by this object. For waiting as
  /// vm/interrupt.hpp says.
  virtual int ready_fd() const = 0;
  /// True when take() has something to give.
  virtual bool is_ready() const = 0;
  /// The response, or why there is none. REQUIRES: is_ready(); once.
  virtual Result<HttpResponse> take() = 0;
};

/// Sends requests. Thread-safe: one client serves all guests.
class HttpClient {
 public:
  virtual ~HttpClient() = default;
  /// Starts `request` (absolute http or https target; a Host field overrides the authority that is sent, never the
  /// address that is asked). Never blocks; every failure comes through the result.
  virtual std::unique_ptr<PendingResponse> start(HttpRequest request, const OutboundPolicy& policy,
                                                 const OutboundLimits& limits) = 0;
};

/// The client over Boost.Beast and OpenSSL, on a thread of its own that starts with the first request. Certificates are
/// checked against the host's store. `resolver` is borrowed.
std::unique_ptr<HttpClient> make_http_client(Resolver& resolver);

}  // namespace tfvm::hostcalls
