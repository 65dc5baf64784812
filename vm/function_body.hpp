// The head of a function body: its local declarations (section 5.5.13). For readers of validated code.
#pragma once

#include <cstdint>

#include "decoder/module.hpp"
#include "decoder/reader.hpp"

namespace tfvm {

/// Moves the reader behind the local declarations at its position; returns how many locals they declare.
/// REQUIRES: the body was validated.
inline std::uint32_t skip_local_declarations(Reader& reader) {
  constexpr std::uint8_t nullable_reference = 0x63;
  constexpr std::uint8_t reference = 0x64;
  std::uint32_t locals = 0;
  for (std::uint32_t entries = reader.u32(); entries > 0; --entries) {
    locals += reader.u32();
    const std::uint8_t type = reader.byte();
    if (type == nullable_reference || type == reference) reader.s33();
  }
  return locals;
}

/// A reader of the body of a function with code. REQUIRES: not an import.
inline Reader body_reader(const Module& module, std::uint32_t function_index) {
  const ByteRange body = module.functions[function_index].body;
  return Reader(module.bytes(), body.offset, std::size_t{body.offset} + body.size);
}

/// Every feature: what reads validated code does not judge again.
constexpr FeatureSet all_features() {
  FeatureSet features;
  for (std::size_t i = 0; i < feature_count; ++i) features.add(static_cast<Feature>(i));
  return features;
}

}  // namespace tfvm
