// The systematic patterns: every operator over every kind of operand that is worth a handler, by families. Together
// they can express every function (handler_table_test.cpp checks that); mined shapes come on top as further families.
// A family is a function that calls add.operator()<Pattern>() for each of its patterns.
#pragma once

#include <utility>

#include "vm/handlers/pattern.hpp"

namespace tfvm::interpreter::systematic {

template <class... T>
struct Types {};
template <Op... op>
struct Ops {};
template <Operation... op>
struct Operations {};

template <class Indices>
struct Registers;
template <std::size_t... n>
struct Registers<std::index_sequence<n...>> {
  using WithSlot = Types<SlotLeaf, RegisterLeaf<n>...>;
  using WithConstant = Types<SlotLeaf, ImmediateLeaf, RegisterLeaf<n>...>;
  using Only = Types<RegisterLeaf<n>...>;
};
using Integers = Registers<std::make_index_sequence<integer_registers>>;
using Floats = Registers<std::make_index_sequence<float_registers>>;
using SlotOrAccumulator = Types<SlotLeaf, RegisterLeaf<0>>;
using SlotAccumulatorOrConstant = Types<SlotLeaf, RegisterLeaf<0>, ImmediateLeaf>;

template <class F, class... T>
constexpr void each(Types<T...>, F f) {
  (f.template operator()<T>(), ...);
}
template <class F, Op... op>
constexpr void each(Ops<op...>, F f) {
  (f.template operator()<operation(op)>(), ...);
}
template <class F, Operation... op>
constexpr void each(Operations<op...>, F f) {
  (f.template operator()<op>(), ...);
}

// ---- products of an operator and operand kinds

template <Operation op, class Ds, class As, class Add>
constexpr void set_unary(Add add) {
  each(Ds{}, [&]<class D>() { each(As{}, [&]<class A>() { add.template operator()<Set<D, Unary<op, A>>>(); }); });
}
template <Operation op, class Ds, class As, class Bs, class Add>
constexpr void set_binary(Add add) {
  each(Ds{}, [&]<class D>() {
    each(As{}, [&]<class A>() { each(Bs{}, [&]<class B>() { add.template operator()<Set<D, Binary<op, A, B>>>(); }); });
  });
}
template <Operation op, class As, class Bs, class Add>
constexpr void branch_if_binary(Add add) {
  each(As{}, [&]<class A>() { each(Bs{}, [&]<class B>() { add.template operator()<BranchIf<Binary<op, A, B>>>(); }); });
}
template <Operation op, class As, class Bs, class Add>
constexpr void branch_unless_binary(Add add) {
  each(As{},
       [&]<class A>() { each(Bs{}, [&]<class B>() { add.template operator()<BranchUnless<Binary<op, A, B>>>(); }); });
}
template <Operation op, class Ds, class As, class Add>
constexpr void set_load(Add add) {
  each(Ds{}, [&]<class D>() { each(As{}, [&]<class A>() { add.template operator()<Set<D, Load<op, A>>>(); }); });
}
template <Operation op, class As, class Vs, class Add>
constexpr void store(Add add) {
  each(As{}, [&]<class A>() { each(Vs{}, [&]<class V>() { add.template operator()<Store<op, A, V>>(); }); });
}
template <SelectType type, class Ds, class As, class Bs, class Cs, class Add>
constexpr void set_select(Add add) {
  each(Ds{}, [&]<class D>() {
    each(As{}, [&]<class A>() {
      each(Bs{}, [&]<class B>() {
        each(Cs{}, [&]<class C>() { add.template operator()<Set<D, Select<type, A, B, C>>>(); });
      });
    });
  });
}

// ---- families

template <class Add>
constexpr void i32_arithmetic(Add add) {
  using All = Integers::WithSlot;
  each(Ops<Op::I32Add, Op::I32Sub, Op::I32Mul, Op::I32And, Op::I32Or, Op::I32Xor, Op::I32Shl, Op::I32ShrS, Op::I32ShrU,
           Op::I32Rotl, Op::I32Rotr>{},
       [&]<Operation op>() { set_binary<op, All, All, Integers::WithConstant>(add); });
  each(Ops<Op::I32DivS, Op::I32DivU, Op::I32RemS, Op::I32RemU>{},
       [&]<Operation op>() { set_binary<op, SlotOrAccumulator, All, SlotAccumulatorOrConstant>(add); });
}

template <class Add>
constexpr void i32_comparison(Add add) {
  using All = Integers::WithSlot;
  each(Ops<Op::I32Eq, Op::I32Ne, Op::I32LtS, Op::I32LtU, Op::I32GtS, Op::I32GtU, Op::I32LeS, Op::I32LeU, Op::I32GeS,
           Op::I32GeU>{},
       [&]<Operation op>() {
         set_binary<op, SlotOrAccumulator, All, Integers::WithConstant>(add);
         branch_if_binary<op, All, Integers::WithConstant>(add);
       });
}

template <class Add>
constexpr void i64_arithmetic(Add add) {
  using All = Integers::WithSlot;
  each(Ops<Op::I64Add, Op::I64Sub, Op::I64Mul, Op::I64And, Op::I64Or, Op::I64Xor, Op::I64Shl, Op::I64ShrS,
           Op::I64ShrU>{},
       [&]<Operation op>() { set_binary<op, All, All, Integers::WithConstant>(add); });
  each(Ops<Op::I64DivS, Op::I64DivU, Op::I64RemS, Op::I64RemU, Op::I64Rotl, Op::I64Rotr>{},
       [&]<Operation op>() { set_binary<op, SlotOrAccumulator, All, SlotAccumulatorOrConstant>(add); });
}

template <class Add>
constexpr void i64_comparison(Add add) {
  using All = Integers::WithSlot;
  each(Ops<Op::I64Eq, Op::I64Ne, Op::I64LtS, Op::I64LtU, Op::I64GtS, Op::I64GtU, Op::I64LeS, Op::I64LeU, Op::I64GeS,
           Op::I64GeU>{},
       [&]<Operation op>() {
         set_binary<op, SlotOrAccumulator, All, Integers::WithConstant>(add);
         branch_if_binary<op, All, Integers::WithConstant>(add);
       });
}

template <class Add>
constexpr void float_arithmetic(Add add) {
  using All = Floats::WithSlot;
  each(Ops<Op::F64Add, Op::F64Sub, Op::F64Mul, Op::F64Div>{}, [&]<Operation op>() {
    set_binary<op, All, All, All>(add);
    set_binary<op, All, All, Types<WideImmediateLeaf>>(add);
  });
  each(Ops<Op::F32Add, Op::F32Sub, Op::F32Mul, Op::F32Div>{},
       [&]<Operation op>() { set_binary<op, SlotOrAccumulator, All, All>(add); });
  each(Ops<Op::F32Min, Op::F32Max, Op::F32Copysign, Op::F64Min, Op::F64Max, Op::F64Copysign>{},
       [&]<Operation op>() { set_binary<op, SlotOrAccumulator, SlotOrAccumulator, SlotOrAccumulator>(add); });
  each(Ops<Op::F32Abs, Op::F32Neg, Op::F32Ceil, Op::F32Floor, Op::F32Trunc, Op::F32Nearest, Op::F32Sqrt, Op::F64Abs,
           Op::F64Neg, Op::F64Ceil, Op::F64Floor, Op::F64Trunc, Op::F64Nearest, Op::F64Sqrt>{},
       [&]<Operation op>() { set_unary<op, All, All>(add); });
}

template <class Add>
constexpr void float_comparison(Add add) {
  using All = Floats::WithSlot;
  // Unlike integers, floats need both branches: the negation of < is not >= (NaN).
  each(Ops<Op::F64Eq, Op::F64Ne, Op::F64Lt, Op::F64Gt, Op::F64Le, Op::F64Ge>{}, [&]<Operation op>() {
    set_binary<op, SlotOrAccumulator, All, All>(add);
    branch_if_binary<op, All, All>(add);
    branch_unless_binary<op, All, All>(add);
  });
  each(Ops<Op::F32Eq, Op::F32Ne, Op::F32Lt, Op::F32Gt, Op::F32Le, Op::F32Ge>{}, [&]<Operation op>() {
    set_binary<op, SlotOrAccumulator, SlotOrAccumulator, SlotOrAccumulator>(add);
    branch_if_binary<op, SlotOrAccumulator, SlotOrAccumulator>(add);
    branch_unless_binary<op, SlotOrAccumulator, SlotOrAccumulator>(add);
  });
}

template <class Add>
constexpr void conversion(Add add) {
  each(Ops<Op::I32WrapI64, Op::I64ExtendI32S, Op::I64ExtendI32U, Op::I32Extend8S, Op::I32Extend16S, Op::I64Extend32S>{},
       [&]<Operation op>() { set_unary<op, Integers::WithSlot, Integers::WithSlot>(add); });
  each(Operations<shift_left_1, shift_left_2, shift_left_3>{},
       [&]<Operation op>() { set_unary<op, Integers::WithSlot, Integers::WithSlot>(add); });
  each(Ops<Op::I32Eqz, Op::I64Eqz, Op::I32Clz, Op::I32Ctz, Op::I32Popcnt, Op::I64Clz, Op::I64Ctz, Op::I64Popcnt,
           Op::I64Extend8S, Op::I64Extend16S>{},
       [&]<Operation op>() { set_unary<op, SlotOrAccumulator, Integers::WithSlot>(add); });
  each(Ops<Op::F32ConvertI32S, Op::F32ConvertI32U, Op::F32ConvertI64S, Op::F32ConvertI64U, Op::F64ConvertI32S,
           Op::F64ConvertI32U, Op::F64ConvertI64S, Op::F64ConvertI64U, Op::F32ReinterpretI32, Op::F64ReinterpretI64>{},
       [&]<Operation op>() { set_unary<op, SlotOrAccumulator, Integers::WithSlot>(add); });
  each(Ops<Op::I32TruncF32S, Op::I32TruncF32U, Op::I32TruncF64S, Op::I32TruncF64U, Op::I64TruncF32S, Op::I64TruncF32U,
           Op::I64TruncF64S, Op::I64TruncF64U, Op::I32TruncSatF32S, Op::I32TruncSatF32U, Op::I32TruncSatF64S,
           Op::I32TruncSatF64U, Op::I64TruncSatF32S, Op::I64TruncSatF32U, Op::I64TruncSatF64S, Op::I64TruncSatF64U,
           Op::I32ReinterpretF32, Op::I64ReinterpretF64, Op::F32DemoteF64, Op::F64PromoteF32>{},
       [&]<Operation op>() { set_unary<op, SlotOrAccumulator, Floats::WithSlot>(add); });
}

template <class Add>
constexpr void loads(Add add) {
  using All = Integers::WithSlot;
  each(Ops<Op::I32Load, Op::I64Load, Op::I32Load8S, Op::I32Load8U, Op::I32Load16S, Op::I32Load16U, Op::I64Load8S,
           Op::I64Load8U, Op::I64Load16S, Op::I64Load16U, Op::I64Load32S, Op::I64Load32U>{},
       [&]<Operation op>() {
         set_load<op, All, All>(add);
         set_load<op, SlotOrAccumulator, Types<ImmediateLeaf>>(add);
       });
  each(Ops<Op::F32Load, Op::F64Load>{}, [&]<Operation op>() {
    set_load<op, Floats::WithSlot, All>(add);
    set_load<op, SlotOrAccumulator, Types<ImmediateLeaf>>(add);
  });
}

template <class Add>
constexpr void stores(Add add) {
  using All = Integers::WithSlot;
  each(Ops<Op::I32Store, Op::I64Store, Op::I32Store8, Op::I32Store16, Op::I64Store8, Op::I64Store16, Op::I64Store32>{},
       [&]<Operation op>() {
         store<op, All, Integers::WithConstant>(add);
         store<op, Types<ImmediateLeaf>, All>(add);
       });
  each(Ops<Op::F32Store, Op::F64Store>{}, [&]<Operation op>() {
    store<op, All, Floats::WithSlot>(add);
    store<op, Types<ImmediateLeaf>, Floats::WithSlot>(add);
  });
}

template <class Add>
constexpr void selects(Add add) {
  set_select<SelectType::I32, SlotOrAccumulator, Integers::WithConstant, Integers::WithConstant, Integers::WithSlot>(
      add);
  set_select<SelectType::I64, SlotOrAccumulator, Integers::WithSlot, Integers::WithConstant, Integers::WithSlot>(add);
  set_select<SelectType::F64, SlotOrAccumulator, Floats::WithSlot, Floats::WithSlot, SlotOrAccumulator>(add);
  set_select<SelectType::F32, SlotOrAccumulator, SlotOrAccumulator, SlotOrAccumulator, SlotOrAccumulator>(add);
}

template <class Add>
constexpr void copies_and_control(Add add) {
  using All = Integers::WithSlot;
  using Cells = Types<GlobalLeaf, ImportedGlobalLeaf>;
  set_unary<copy_i64, All, All>(add);
  set_unary<copy_i32, All, Types<ImmediateLeaf>>(add);
  set_unary<copy_i64, All, Types<ImmediateLeaf, WideImmediateLeaf, GlobalLeaf, ImportedGlobalLeaf>>(add);
  set_unary<copy_f64, Floats::WithSlot, Floats::Only>(add);
  set_unary<copy_f64, Floats::Only, Types<SlotLeaf>>(add);
  set_unary<copy_f64, Floats::WithSlot, Types<WideImmediateLeaf, GlobalLeaf, ImportedGlobalLeaf>>(add);
  set_unary<copy_f32, Floats::WithSlot, Types<ImmediateLeaf>>(add);

  each(All{}, [&]<class A>() {
    add.template operator()<BranchIf<Unary<copy_i32, A>>>();
    add.template operator()<BranchUnless<Unary<copy_i32, A>>>();
    add.template operator()<Return<Unary<copy_i64, A>>>();
    add.template operator()<SetGlobal<Unary<copy_i64, A>, false>>();
    add.template operator()<SetGlobal<Unary<copy_i64, A>, true>>();
  });
  each(Cells{}, [&]<class A>() {
    add.template operator()<Return<Unary<copy_i64, A>>>();
    add.template operator()<Return<Unary<copy_f64, A>>>();
  });
  each(Floats::WithSlot{}, [&]<class A>() { add.template operator()<Return<Unary<copy_f64, A>>>(); });
  each(Floats::Only{}, [&]<class A>() {
    add.template operator()<SetGlobal<Unary<copy_f64, A>, false>>();
    add.template operator()<SetGlobal<Unary<copy_f64, A>, true>>();
  });
  each(Types<Unary<copy_i32, ImmediateLeaf>, Unary<copy_i64, ImmediateLeaf>, Unary<copy_i64, WideImmediateLeaf>>{},
       [&]<class Constant>() {
         add.template operator()<SetGlobal<Constant, false>>();
         add.template operator()<SetGlobal<Constant, true>>();
       });
  add.template operator()<Return<Unary<copy_i32, ImmediateLeaf>>>();
  add.template operator()<Return<Unary<copy_i64, ImmediateLeaf>>>();
  add.template operator()<Return<Unary<copy_i64, WideImmediateLeaf>>>();
  add.template operator()<Return<Unary<copy_f64, WideImmediateLeaf>>>();
  add.template operator()<Return<Unary<copy_f32, ImmediateLeaf>>>();
  add.template operator()<Branch>();
  add.template operator()<ReturnVoid>();
}

}  // namespace tfvm::interpreter::systematic
