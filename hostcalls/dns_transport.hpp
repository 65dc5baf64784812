// One DNS query to one server: UDP, then TCP if the answer did not fit. What comes back is checked to be the answer.
#pragma once

#include <chrono>
#include <string>

#include "hostcalls/address.hpp"
#include "hostcalls/resolver.hpp"

namespace tfvm::hostcalls::dns {

struct Server {
  Address address;
  std::uint16_t port = 53;
};

using Time = std::chrono::steady_clock::time_point;

/// Sends `query` under a random id, from a random port, and waits for its answer until `deadline`; messages that are no
/// answer to it are ignored. The answer has the query's own id. Status: Found, ServerFailed (it cannot be reached, or
/// TCP gives something else), TimedOut, Cancelled. REQUIRES: is_plain_query(query)
Resolver::Message exchange(const Server& server, std::string query, Time deadline,
                           const Resolver::IsCancelled& is_cancelled);

}  // namespace tfvm::hostcalls::dns
