// Handlers that start frames and move pinned locals between registers and slots.
#include "vm/handlers/control.hpp"
#include "vm/handlers/pattern.hpp"

namespace tfvm::interpreter {
namespace {

constexpr unsigned pin_count(PinMask integers, PinMask floats) {
  return static_cast<unsigned>(std::popcount(integers) + std::popcount(floats));
}

/// Calls f<register, is float, operand offset>() for every pin of the masks, in operand order.
template <PinMask integers, PinMask floats, unsigned base, class F>
TFVM_INLINE void each_pin(F f) {
  [&]<std::size_t... n>(std::index_sequence<n...>) {
    (
        [&] {
          constexpr PinMask below = (1u << n) - 1;
          if constexpr ((integers >> n & 1u) != 0)
            f.template operator()<n + 1, false, base + 4 * pin_count(integers & below, 0)>();
          if constexpr ((floats >> n & 1u) != 0)
            f.template operator()<n + 1, true, base + 4 * pin_count(integers, floats & below)>();
        }(),
        ...);
  }(std::make_index_sequence<float_pins>{});
}

template <PinMask integers, PinMask floats, unsigned base>
TFVM_INLINE void load_pins(Machine& m) {
  each_pin<integers, floats, base>([&]<unsigned n, bool is_float, unsigned at>() {
    const Byte* slot = m.frame + operand<std::uint32_t>(m, at);
    if constexpr (is_float) m.floats[n] = read<double>(slot);
    else m.integers[n] = read<std::uint64_t>(slot);
  });
}

template <bool zeroes, bool charges, PinMask integers, PinMask floats>
TFVM_HANDLER void enter(TFVM_PARAMETERS) {
  TFVM_MACHINE(m);
  constexpr unsigned pins = charges ? 12 : 8;
  if constexpr (charges) charge(m, operand<std::uint32_t>(m, 8));
  if constexpr (zeroes) {
    Byte* slot = m.frame + operand<std::uint32_t>(m, 0);
    std::uint32_t count = operand<std::uint32_t>(m, 4);
    do {
      write<std::uint64_t>(slot, 0);
      asm volatile("" ::: "memory");  // keeps the loop from becoming a call of memset
      slot += 8;
    } while (--count != 0);
  }
  load_pins<integers, floats, pins>(m);
  m.pc += instruction_bytes(pins + 4 * pin_count(integers, floats));
  TFVM_DISPATCH(m);
}

template <PinMask integers, PinMask floats>
TFVM_HANDLER void reload(TFVM_PARAMETERS) {
  TFVM_MACHINE(m);
  load_pins<integers, floats, 0>(m);
  m.pc += instruction_bytes(4 * pin_count(integers, floats));
  TFVM_DISPATCH(m);
}

template <PinMask integers, PinMask floats>
TFVM_HANDLER void spill(TFVM_PARAMETERS) {
  TFVM_MACHINE(m);
  each_pin<integers, floats, 0>([&]<unsigned n, bool is_float, unsigned at>() {
    Byte* slot = m.frame + operand<std::uint32_t>(m, at);
    if constexpr (is_float) write<double>(slot, m.floats[n]);
    else write<std::uint64_t>(slot, m.integers[n]);
  });
  m.pc += instruction_bytes(4 * pin_count(integers, floats));
  TFVM_DISPATCH(m);
}

constexpr PinMask integer_masks = 1u << integer_pins;
constexpr PinMask float_masks = 1u << float_pins;

/// A table of get<integer mask, float mask>() by both masks.
template <class Get>
constexpr auto by_masks(Get get) {
  std::array<std::array<Handler, float_masks>, integer_masks> table{};
  [&]<std::size_t... i>(std::index_sequence<i...>) {
    (
        [&]<std::size_t n, std::size_t... f>(std::index_sequence<f...>) {
          ((table[n][f] = get.template operator()<n, f>()), ...);
        }.template operator()<i>(std::make_index_sequence<float_masks>{}),
        ...);
  }(std::make_index_sequence<integer_masks>{});
  return table;
}

template <bool zeroes, bool charges>
constexpr auto enters = by_masks([]<PinMask i, PinMask f>() -> Handler { return &enter<zeroes, charges, i, f>; });
constexpr auto spills = by_masks([]<PinMask i, PinMask f>() -> Handler { return &spill<i, f>; });
constexpr auto reloads = by_masks([]<PinMask i, PinMask f>() -> Handler { return &reload<i, f>; });

}  // namespace

Handler enter_handler(bool zeroes, bool charges, PinMask integers, PinMask floats) {
  if (charges) return (zeroes ? enters<true, true> : enters<false, true>)[integers][floats];
  return (zeroes ? enters<true, false> : enters<false, false>)[integers][floats];
}
Handler spill_handler(PinMask integers, PinMask floats) { return spills[integers][floats]; }
Handler reload_handler(PinMask integers, PinMask floats) { return reloads[integers][floats]; }

}  // namespace tfvm::interpreter
