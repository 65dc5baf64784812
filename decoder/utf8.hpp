// Well-formedness of UTF-8 (section 5.2.4; Unicode 15, table 3-7): no overlong forms, no surrogates, up to U+10FFFF.
#pragma once

#include <cstdint>
#include <span>

namespace tfvm {

/// Whether all of `bytes` is well-formed UTF-8. Linear time.
bool is_utf8(std::span<const std::uint8_t> bytes);

}  // namespace tfvm
