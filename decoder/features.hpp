// The features of the standard as data (features.def), and sets of them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace tfvm {

enum class Feature : std::uint8_t {
#define FEATURE(name, text, version, status) name,
#include "decoder/features.def"
#undef FEATURE
};

enum class FeatureStatus : std::uint8_t { Ready, Missing };

struct FeatureInfo {
  std::string_view name;
  std::uint8_t version;
  FeatureStatus status;
};

inline constexpr FeatureInfo feature_infos[] = {
#define FEATURE(name, text, version, status) {text, version, FeatureStatus::status},
#include "decoder/features.def"
#undef FEATURE
};

inline constexpr std::size_t feature_count = sizeof(feature_infos) / sizeof(feature_infos[0]);

constexpr const FeatureInfo& info(Feature feature) { return feature_infos[static_cast<std::size_t>(feature)]; }

/// A set of features. Consulted by decoder and validator at run time; the default holds every feature that is Ready.
class FeatureSet {
 public:
  constexpr FeatureSet() {
    for (std::size_t i = 0; i < feature_count; ++i)
      if (feature_infos[i].status == FeatureStatus::Ready) bits_ |= 1u << i;
  }
  static constexpr FeatureSet none() {
    FeatureSet set;
    set.bits_ = 0;
    return set;
  }
  /// Every feature that has a name, also those that are Missing.
  static constexpr FeatureSet all() {
    FeatureSet set;
    set.bits_ = static_cast<std::uint32_t>((std::uint64_t{1} << feature_count) - 1);
    return set;
  }
  constexpr bool has(Feature feature) const { return (bits_ >> static_cast<unsigned>(feature) & 1u) != 0; }
  constexpr void add(Feature feature) { bits_ |= 1u << static_cast<unsigned>(feature); }
  constexpr void remove(Feature feature) { bits_ &= ~(1u << static_cast<unsigned>(feature)); }
  constexpr bool operator==(const FeatureSet&) const = default;

 private:
  std::uint32_t bits_ = 0;
};
static_assert(feature_count <= 32);

}  // namespace tfvm
