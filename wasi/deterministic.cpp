// Deterministic stand-ins for the host's clocks and random source: see deterministic.hpp.
#include "wasi/deterministic.hpp"

#include <memory>

namespace tfvm::wasi {

namespace {

/// Sums of times that a guest can make up must not wrap to the past.
std::uint64_t add_saturating(std::uint64_t time, std::uint64_t step) {
  return step > UINT64_MAX - time ? UINT64_MAX : time + step;
}

/// SplitMix64 (Steele, Lea, Flood 2014): small, and any seed is a good one.
class RandomBytes {
 public:
  explicit RandomBytes(std::uint64_t seed) : state_(seed) {}

  std::uint8_t next() {
    if (left_ == 0) {
      state_ += 0x9e37'79b9'7f4a'7c15;
      word_ = (state_ ^ (state_ >> 30)) * 0xbf58'476d'1ce4'e5b9;
      word_ = (word_ ^ (word_ >> 27)) * 0x94d0'49bb'1331'11eb;
      word_ ^= word_ >> 31;
      left_ = sizeof(word_);
    }
    const auto byte = static_cast<std::uint8_t>(word_);
    word_ >>= 8;
    --left_;
    return byte;
  }

 private:
  std::uint64_t state_;
  std::uint64_t word_ = 0;
  std::size_t left_ = 0;
};

}  // namespace

void make_deterministic(WasiConfig& config, std::uint64_t seed) {
  const auto passed = std::make_shared<std::uint64_t>(0);
  config.clock = [passed](Clock clock) {
    *passed = add_saturating(*passed, deterministic_step_ns);
    return clock == Clock::Realtime ? add_saturating(deterministic_epoch_ns, *passed) : *passed;
  };
  config.sleep = [passed](std::uint64_t time) { *passed = add_saturating(*passed, time); };
  config.random = [bytes = RandomBytes(seed)](std::span<std::uint8_t> buffer) mutable {
    for (std::uint8_t& byte : buffer) byte = bytes.next();
  };
}

}  // namespace tfvm::wasi
