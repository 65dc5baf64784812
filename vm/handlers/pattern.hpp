// Patterns as C++ types: leaves, operators over them, statements. Every type knows its key (patterns.hpp), how many
// operand bytes it has and how to compute itself; handler<P> is the one template that all of them become functions by.
// Operands lie behind the handler address in the order of the tree, left to right; `Offset` says where a part's start.
#pragma once

#include "vm/execution_context.hpp"
#include "vm/handlers/machine.hpp"
#include "vm/operators.hpp"

namespace tfvm::interpreter {

/// What may go wrong while an expression is computed; parts that can go wrong differently must keep their order.
enum Hazard : unsigned { no_hazard = 0, memory_hazard = 1, arithmetic_hazard = 2 };
/// Whether a then b must keep their order: any two but two accesses to memory, which trap alike.
constexpr bool ordered(unsigned a, unsigned b) {
  return a != no_hazard && b != no_hazard && !(a == memory_hazard && b == memory_hazard);
}

template <class C>
TFVM_INLINE C from_register(double value) {
  if constexpr (std::is_same_v<C, double>) return value;
  else return std::bit_cast<float>(static_cast<std::uint32_t>(std::bit_cast<std::uint64_t>(value)));
}
template <class C>
TFVM_INLINE double to_register(C value) {
  if constexpr (std::is_same_v<C, double>) return value;
  else return std::bit_cast<double>(static_cast<std::uint64_t>(std::bit_cast<std::uint32_t>(value)));
}
/// A slot holds 8 bytes, an i32 with zeros above.
template <class C>
TFVM_INLINE void write_slot(Byte* at, C value) {
  if constexpr (std::is_floating_point_v<C>) write<C>(at, value);
  else write<std::uint64_t>(at, value);
}

// ---- leaves: get<Offset, C> gives the value as a C, address<Offset> as a zero-extended 32-bit address

struct SlotLeaf {
  static constexpr unsigned size = 4;
  static constexpr PatternKey key = key_of(Leaf::Slot);
  static constexpr unsigned hazard = no_hazard;
  template <unsigned Offset, class C>
  TFVM_INLINE C get(Machine& m) {
    return read<C>(m.frame + operand<std::uint32_t>(m, Offset));
  }
  template <unsigned Offset, class C>
  TFVM_INLINE void put(Machine& m, C value) {
    write_slot(m.frame + operand<std::uint32_t>(m, Offset), value);
  }
};

template <unsigned N>
struct RegisterLeaf {
  static constexpr unsigned size = 0;
  static constexpr PatternKey key = register_key(N);
  static constexpr unsigned hazard = no_hazard;
  template <unsigned Offset, class C>
  TFVM_INLINE C get(Machine& m) {
    if constexpr (std::is_floating_point_v<C>) return from_register<C>(m.floats[N]);
    else return static_cast<C>(m.integers[N]);
  }
  template <unsigned Offset, class C>
  TFVM_INLINE void put(Machine& m, C value) {
    if constexpr (std::is_floating_point_v<C>) m.floats[N] = to_register(value);
    else m.integers[N] = value;
  }
};

struct ImmediateLeaf {
  static constexpr unsigned size = 4;
  static constexpr PatternKey key = key_of(Leaf::Immediate);
  static constexpr unsigned hazard = no_hazard;
  template <unsigned Offset, class C>
  TFVM_INLINE C get(Machine& m) {
    if constexpr (std::is_same_v<C, std::uint64_t>)
      return static_cast<std::uint64_t>(std::int64_t{operand<std::int32_t>(m, Offset)});
    else return operand<C>(m, Offset);
  }
};

struct WideImmediateLeaf {
  static constexpr unsigned size = 8;
  static constexpr PatternKey key = key_of(Leaf::WideImmediate);
  static constexpr unsigned hazard = no_hazard;
  template <unsigned Offset, class C>
  TFVM_INLINE C get(Machine& m) {
    return operand<C>(m, Offset);
  }
};

struct PreviousLeaf {
  static constexpr unsigned size = 0;
  static constexpr PatternKey key = key_of(Leaf::Previous);
  static constexpr unsigned hazard = no_hazard;
  template <unsigned Offset, class C>
  TFVM_INLINE C get(Machine& m) {
    if constexpr (std::is_floating_point_v<C>) return from_register<C>(m.previous_float);
    else return static_cast<C>(m.previous_integer);
  }
};

struct GlobalLeaf {
  static constexpr unsigned size = 4;
  static constexpr PatternKey key = key_of(Leaf::Global);
  static constexpr unsigned hazard = no_hazard;
  template <unsigned Offset>
  TFVM_INLINE Byte* cell(Machine& m) {
    return reinterpret_cast<Byte*>(instance_of(m)) + operand<std::uint32_t>(m, Offset);
  }
  template <unsigned Offset, class C>
  TFVM_INLINE C get(Machine& m) {
    return read<C>(cell<Offset>(m));
  }
};

struct ImportedGlobalLeaf {
  static constexpr unsigned size = 4;
  static constexpr PatternKey key = key_of(Leaf::ImportedGlobal);
  static constexpr unsigned hazard = no_hazard;
  template <unsigned Offset, class C>
  TFVM_INLINE C get(Machine& m) {
    return read<C>(read<Byte*>(GlobalLeaf::cell<Offset>(m)));
  }
};

// ---- expressions; Result is the type of what get<> gives, whatever C it is asked for

/// Operations that only translator and handlers know.
template <Operation op>
struct InternalOperator;
template <class T>
struct CopyOperator {
  using Operand = T;
  using Result = T;
  static constexpr bool traps = false;
  static constexpr TrapKind check(T) { return TrapKind::None; }
  TFVM_INLINE T compute(T a) { return a; }
};
template <>
struct InternalOperator<copy_i32> : CopyOperator<std::uint32_t> {};
template <>
struct InternalOperator<copy_i64> : CopyOperator<std::uint64_t> {};
template <>
struct InternalOperator<copy_f32> : CopyOperator<float> {};
template <>
struct InternalOperator<copy_f64> : CopyOperator<double> {};
template <unsigned amount>
struct ShiftOperator : CopyOperator<std::uint32_t> {
  TFVM_INLINE std::uint32_t compute(std::uint32_t a) { return a << amount; }
};
template <>
struct InternalOperator<shift_left_1> : ShiftOperator<1> {};
template <>
struct InternalOperator<shift_left_2> : ShiftOperator<2> {};
template <>
struct InternalOperator<shift_left_3> : ShiftOperator<3> {};

template <Operation op>
struct OperatorOf {
  using Type = Operator<static_cast<Op>(op)>;
};
template <Operation op>
  requires(op >= op_count)
struct OperatorOf<op> {
  using Type = InternalOperator<op>;
};

template <Operation op, class A>
struct Unary {
  using Function = typename OperatorOf<op>::Type;
  using Result = typename Function::Result;
  static constexpr unsigned size = A::size;
  static constexpr PatternKey key = unary_key(op, A::key);
  static constexpr unsigned hazard = A::hazard | (Function::traps ? arithmetic_hazard : no_hazard);
  template <unsigned Offset, class C>
  TFVM_INLINE Result get(Machine& m) {
    typename Function::Operand a = A::template get<Offset, typename Function::Operand>(m);
    if constexpr (Function::traps) {
      if constexpr (A::hazard != no_hazard) settle(a);
      if (const TrapKind kind = Function::check(a); kind != TrapKind::None) [[unlikely]]
        raise_trap(m.pc, m.records, kind);
    }
    return Function::compute(a);
  }
};

template <Operation op, class A, class B>
struct Binary {
  using Function = typename OperatorOf<op>::Type;
  using Result = typename Function::Result;
  static constexpr unsigned size = A::size + B::size;
  static constexpr PatternKey key = binary_key(op, A::key, B::key);
  static constexpr unsigned own_hazard = Function::traps ? arithmetic_hazard : no_hazard;
  static constexpr unsigned hazard = A::hazard | B::hazard | own_hazard;
  template <unsigned Offset, class C>
  TFVM_INLINE Result get(Machine& m) {
    typename Function::Operand a = A::template get<Offset, typename Function::Operand>(m);
    if constexpr (ordered(A::hazard, B::hazard | own_hazard)) settle(a);
    typename Function::Operand b = B::template get<Offset + A::size, typename Function::Operand>(m);
    if constexpr (Function::traps) {
      if constexpr (B::hazard != no_hazard) settle(b);
      if (const TrapKind kind = Function::check(a, b); kind != TrapKind::None) [[unlikely]]
        raise_trap(m.pc, m.records, kind);
    }
    return Function::compute(a, b);
  }
};

/// A load from memory 0 of a guarded instance: no check, a fault is the trap.
template <Operation op, class A>
struct Load {
  using Function = Operator<static_cast<Op>(op)>;
  using Result = typename Function::Result;
  static constexpr unsigned size = A::size + 4;
  static constexpr PatternKey key = load_key(op, A::key);
  static constexpr unsigned hazard = A::hazard | memory_hazard;
  template <unsigned Offset, class C>
  TFVM_INLINE Result get(Machine& m) {
    const std::uint64_t address = A::template get<Offset, std::uint32_t>(m);
    const std::uint64_t offset = operand<std::uint32_t>(m, Offset + A::size);
    const Byte* at = m.memory + address;
    pin_for_fault(m, at);
    auto value = read<typename Function::Memory>(at + offset);
    pin_for_fault(m, value);
    return static_cast<Result>(value);
  }
};

template <SelectType type, class A, class B, class Condition>
struct Select {
  using Result = std::conditional_t<type == SelectType::I32, std::uint32_t,
                                    std::conditional_t<type == SelectType::I64, std::uint64_t,
                                                       std::conditional_t<type == SelectType::F32, float, double>>>;
  static constexpr unsigned size = A::size + B::size + Condition::size;
  static constexpr PatternKey key = select_key(type, A::key, B::key, Condition::key);
  static constexpr unsigned hazard = A::hazard | B::hazard | Condition::hazard;
  template <unsigned Offset, class C>
  TFVM_INLINE Result get(Machine& m) {
    Result a = A::template get<Offset, Result>(m);
    if constexpr (A::hazard != no_hazard) settle(a);
    Result b = B::template get<Offset + A::size, Result>(m);
    if constexpr (B::hazard != no_hazard) settle(b);
    const auto condition = Condition::template get<Offset + A::size + B::size, std::uint32_t>(m);
    return condition != 0 ? a : b;
  }
};

// ---- statements

enum class Next : std::uint8_t { Following, Branching, Returning };

template <class Destination, class E>
struct Set {
  static constexpr unsigned size = Destination::size + E::size;
  static constexpr PatternKey key = set_key(Destination::key, E::key);
  static constexpr Next next = Next::Following;
  static constexpr bool has_effect = false;
  static constexpr unsigned hazard = E::hazard;
  template <unsigned Offset>
  TFVM_INLINE bool run(Machine& m) {
    using C = typename E::Result;
    C value = E::template get<Offset + Destination::size, C>(m);
    // A load that nobody reads, because the second statement of a pair assigns the same register, must still trap.
    if constexpr ((E::hazard & memory_hazard) != 0) settle(value);
    if constexpr (std::is_floating_point_v<C>) m.previous_float = to_register(value);
    else m.previous_integer = value;
    Destination::template put<Offset, C>(m, value);
    return false;
  }
};

/// A store to memory 0 of a guarded instance.
template <Operation op, class A, class V>
struct Store {
  using Function = Operator<static_cast<Op>(op)>;
  static constexpr unsigned size = A::size + V::size + 4;
  static constexpr PatternKey key = store_key(op, A::key, V::key);
  static constexpr Next next = Next::Following;
  static constexpr bool has_effect = true;
  static constexpr unsigned hazard = A::hazard | V::hazard | memory_hazard;
  template <unsigned Offset>
  TFVM_INLINE bool run(Machine& m) {
    std::uint32_t address = A::template get<Offset, std::uint32_t>(m);
    if constexpr (ordered(A::hazard, V::hazard)) settle(address);
    const auto value = V::template get<Offset + A::size, typename Function::Operand>(m);
    const std::uint64_t offset = operand<std::uint32_t>(m, Offset + A::size + V::size);
    Byte* at = m.memory + address;
    pin_for_fault(m, at);
    write(at + offset, static_cast<typename Function::Memory>(value));
    pin_for_fault(m);
    return false;
  }
};

/// SetGlobal copies 8 bytes: whatever a slot or register holds is right for the cell.
template <class E, bool imported>
struct SetGlobal {
  static constexpr unsigned size = 4 + E::size;
  static constexpr PatternKey key = statement_key(imported ? Word::SetImportedGlobal : Word::SetGlobal, E::key);
  static constexpr Next next = Next::Following;
  static constexpr bool has_effect = true;
  static constexpr unsigned hazard = E::hazard;
  template <unsigned Offset>
  TFVM_INLINE bool run(Machine& m) {
    const typename E::Result value = E::template get<Offset + 4, typename E::Result>(m);
    Byte* cell = GlobalLeaf::cell<Offset>(m);
    if constexpr (imported) cell = read<Byte*>(cell);
    write_slot(cell, value);
    return false;
  }
};

/// Branches have their target, the address of an instruction, as first operand.
template <class E, bool if_nonzero>
struct ConditionalBranch {
  static constexpr unsigned size = 8 + E::size;
  static constexpr PatternKey key = statement_key(if_nonzero ? Word::BranchIf : Word::BranchUnless, E::key);
  static constexpr Next next = Next::Branching;
  static constexpr bool always = false;
  static constexpr unsigned hazard = E::hazard;
  static constexpr unsigned target_offset = 0;
  template <unsigned Offset>
  TFVM_INLINE bool run(Machine& m) {
    return (E::template get<Offset + 8, std::uint32_t>(m) != 0) == if_nonzero;
  }
};
template <class E>
using BranchIf = ConditionalBranch<E, true>;
template <class E>
using BranchUnless = ConditionalBranch<E, false>;

struct Branch {
  static constexpr unsigned size = 8;
  static constexpr PatternKey key = key_of(Word::Branch);
  static constexpr Next next = Next::Branching;
  static constexpr bool always = true;
  static constexpr unsigned hazard = no_hazard;
  static constexpr unsigned target_offset = 0;
  template <unsigned Offset>
  TFVM_INLINE bool run(Machine&) {
    return true;
  }
};

/// The one result goes to the accumulator of its class.
template <class E>
struct Return {
  static constexpr unsigned size = E::size;
  static constexpr PatternKey key = statement_key(Word::Return, E::key);
  static constexpr Next next = Next::Returning;
  static constexpr unsigned hazard = E::hazard;
  template <unsigned Offset>
  TFVM_INLINE bool run(Machine& m) {
    using C = typename E::Result;
    RegisterLeaf<0>::template put<0, C>(m, E::template get<Offset, C>(m));
    return true;
  }
};
struct ReturnVoid {
  static constexpr unsigned size = 0;
  static constexpr PatternKey key = key_of(Word::ReturnVoid);
  static constexpr Next next = Next::Returning;
  static constexpr unsigned hazard = no_hazard;
  template <unsigned Offset>
  TFVM_INLINE bool run(Machine&) {
    return true;
  }
};

/// Two statements in one dispatch. The first one always goes on to the second.
template <class First, class Second>
struct Pair {
  static_assert(First::next == Next::Following);
  static constexpr unsigned size = First::size + Second::size;
  static constexpr PatternKey key = pair_key(First::key, Second::key);
  static constexpr Next next = Second::next;
  static constexpr bool has_effect = true;
  static constexpr unsigned hazard = First::hazard | Second::hazard;
  static consteval bool is_always() {
    if constexpr (Second::next == Next::Branching) return Second::always;
    else return false;
  }
  static constexpr bool always = is_always();
  static consteval unsigned target() {
    if constexpr (Second::next == Next::Branching) return First::size + Second::target_offset;
    else return 0;
  }
  static constexpr unsigned target_offset = target();
  template <unsigned Offset>
  TFVM_INLINE bool run(Machine& m) {
    First::template run<Offset>(m);
    // A trap of the second must see the first done, and the first's trap nothing of the second.
    if constexpr (First::has_effect || (First::hazard != no_hazard && Second::hazard != no_hazard)) memory_barrier();
    return Second::template run<Offset + First::size>(m);
  }
};

/// Takes fuel, or traps at m.pc.
TFVM_INLINE void charge(Machine& m, std::uint32_t units) {
  ExecutionContext* context = instance_of(m)->context;
  context->fuel -= units;
  if (context->fuel < 0) [[unlikely]]
    raise_trap(m.pc, m.records, TrapKind::OutOfFuel);
}

/// Does what the charge_fuel at m.pc does.
TFVM_INLINE void run_charge_fuel(Machine& m) {
  charge(m, operand<std::uint32_t>(m, 0));
  m.pc += instruction_bytes(4);
}

/// The branch P and a charge_fuel in one dispatch.
template <class P, Word which>
struct Charging : P {
  static constexpr PatternKey key = charging_key(which, P::key);
  static constexpr Word charged = which;
};
template <class P, Word which>
concept Charges = requires { requires P::charged == which; };

/// Takes the newest call record back: on with the caller.
TFVM_INLINE void return_to_caller(Machine& m) {
  m.pc = read<const Byte*>(m.records);
  m.frame = read<Byte*>(m.records + 8);
  m.records += 16;
}

/// The function that a pattern becomes.
template <class P>
TFVM_HANDLER void handler(TFVM_PARAMETERS);

}  // namespace tfvm::interpreter
