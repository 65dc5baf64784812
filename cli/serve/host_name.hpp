// The host of a request as a name for a folder.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace tfvm::serve {

/// A Host field or the authority of a target in its one form: lower case, no port, no final dot. None unless it is a
/// host name of ASCII letters, digits, hyphens and dots by the rules of DNS (RFC 1123, 2.1): labels of 1 to 63 bytes,
/// 253 bytes in all. Names beyond ASCII must come as their A-labels ("xn--..."); IPv6 literals are no names.
std::optional<std::string> normalise_host(std::string_view host);

/// True if `name` is such a name in that form: what a folder of `--domains` must be called.
bool is_normal_host(std::string_view name);

}  // namespace tfvm::serve
