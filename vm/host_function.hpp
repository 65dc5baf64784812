// Host functions from C++ callables: signatures deduced, arguments and results moved through slots; and Caller, what a
// host function sees of who called it.
#pragma once

#include <cstdint>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

#include "vm/guest_memory.hpp"
#include "vm/instance.hpp"

namespace tfvm {

/// The caller of a host function. Lives for the call.
class Caller {
 public:
  Caller(Store& store, ModuleInstance* instance) : store_(store), instance_(instance) {}
  Store& store() const { return store_; }
  /// The calling instance; null if the host itself called.
  ModuleInstance* instance() const { return instance_; }
  /// The caller's exported memory "memory", else its memory 0; an empty view if it has none.
  GuestMemory memory() const;
  /// Charges `units` of fuel for work of the host. False: not enough; the function should return
  /// HostOutcome::trap(TrapKind::OutOfFuel). Always true where fuel is not counted.
  bool consume_fuel(std::uint64_t units) const;
  /// None, or why this call should end as soon as it can (a deadline passed). See vm/interrupt.hpp for waiting.
  TrapKind pending_interrupt() const;

 private:
  Store& store_;
  ModuleInstance* instance_;
};

namespace host {

template <class T>
constexpr ValueType type_of() {
  if constexpr (std::is_same_v<T, float>) return ValueKind::F32;
  else if constexpr (std::is_same_v<T, double>) return ValueKind::F64;
  else if constexpr (std::is_integral_v<T> && sizeof(T) == 4) return ValueKind::I32;
  else {
    static_assert(std::is_integral_v<T> && sizeof(T) == 8, "no WebAssembly type for this C++ type");
    return ValueKind::I64;
  }
}
template <class T>
Slot to_slot(T value) {
  if constexpr (std::is_same_v<T, float>) return Slot::f32(value);
  else if constexpr (std::is_same_v<T, double>) return Slot::f64(value);
  else if constexpr (sizeof(T) == 4) return Slot::i32(static_cast<std::uint32_t>(value));
  else return Slot::i64(static_cast<std::uint64_t>(value));
}
template <class T>
T from_slot(Slot slot) {
  if constexpr (std::is_same_v<T, float>) return slot.as_f32();
  else if constexpr (std::is_same_v<T, double>) return slot.as_f64();
  else if constexpr (sizeof(T) == 4) return static_cast<T>(slot.as_i32());
  else return static_cast<T>(slot.as_i64());
}

template <class R>
struct ResultTraits {
  static constexpr std::size_t count = 1;
  static void add(std::vector<ValueType>& types) { types.push_back(type_of<R>()); }
  static R read(const Slot* slots) { return from_slot<R>(slots[0]); }
  static HostOutcome write(R value, Slot* slots) {
    slots[0] = to_slot(value);
    return {};
  }
};
template <>
struct ResultTraits<void> {
  static constexpr std::size_t count = 0;
  static void add(std::vector<ValueType>&) {}
};
template <>
struct ResultTraits<HostOutcome> {
  static constexpr std::size_t count = 0;
  static void add(std::vector<ValueType>&) {}
  static HostOutcome write(HostOutcome outcome, Slot*) { return outcome; }
};
template <class... Rs>
struct ResultTraits<std::tuple<Rs...>> {
  static constexpr std::size_t count = sizeof...(Rs);
  static void add(std::vector<ValueType>& types) { (types.push_back(type_of<Rs>()), ...); }
  static std::tuple<Rs...> read(const Slot* slots) {
    std::size_t next = 0;
    return std::tuple<Rs...>{from_slot<Rs>(slots[next++])...};
  }
  static HostOutcome write(const std::tuple<Rs...>& values, Slot* slots) {
    std::apply(
        [&](const Rs&... value) {
          std::size_t next = 0;
          ((slots[next++] = to_slot(value)), ...);
        },
        values);
    return {};
  }
};
template <class R>
inline constexpr std::size_t result_count = ResultTraits<R>::count;
template <class R>
R results_from_slots(const Slot* slots) {
  return ResultTraits<R>::read(slots);
}

template <class Signature>
struct SignatureTraits;
template <class R, class... Args>
struct SignatureTraits<R(Args...)> {
  static FunctionType type() {
    FunctionType result;
    (result.params.push_back(type_of<Args>()), ...);
    ResultTraits<R>::add(result.results);
    return result;
  }
};
template <class Signature>
FunctionType function_type() {
  return SignatureTraits<Signature>::type();
}

template <class Callable, class R, bool with_caller, class... Args>
std::pair<FunctionType, HostFunction> bind(Callable callable) {
  HostFunction function = [callable = std::move(callable)](Caller& caller, Slot* slots) mutable -> HostOutcome {
    (void)caller;
    const auto call = [&]<std::size_t... I>(std::index_sequence<I...>) {
      if constexpr (with_caller) return callable(caller, from_slot<Args>(slots[I])...);
      else return callable(from_slot<Args>(slots[I])...);
    };
    if constexpr (std::is_void_v<R>) {
      call(std::index_sequence_for<Args...>{});
      return {};
    } else {
      return ResultTraits<R>::write(call(std::index_sequence_for<Args...>{}), slots);
    }
  };
  return {SignatureTraits<std::conditional_t<std::is_same_v<R, HostOutcome>, void, R>(Args...)>::type(),
          std::move(function)};
}

template <class Member>
struct CallableTraits;
template <class C, class R, class... Args>
struct CallableTraits<R (C::*)(Args...) const> {
  template <class Callable>
  static auto make(Callable callable) {
    return bind<Callable, R, false, Args...>(std::move(callable));
  }
};
template <class C, class R, class... Args>
struct CallableTraits<R (C::*)(Caller&, Args...) const> {
  template <class Callable>
  static auto make(Callable callable) {
    return bind<Callable, R, true, Args...>(std::move(callable));
  }
};
template <class C, class R, class... Args>
struct CallableTraits<R (C::*)(Args...)> : CallableTraits<R (C::*)(Args...) const> {};
template <class C, class R, class... Args>
struct CallableTraits<R (C::*)(Caller&, Args...)> : CallableTraits<R (C::*)(Caller&, Args...) const> {};

}  // namespace host

/// The WebAssembly type of a C++ callable and the host function that calls it.
template <class Callable>
std::pair<FunctionType, HostFunction> make_host_function(Callable callable) {
  if constexpr (std::is_pointer_v<Callable>) {
    return [&]<class R, class... Args>(R (*)(Args...)) {
      return host::bind<Callable, R, false, Args...>(callable);
    }(callable);
  } else {
    return host::CallableTraits<decltype(&Callable::operator())>::make(std::move(callable));
  }
}

}  // namespace tfvm
