// Combinations: systematic patterns of two or three operators and of two statements that compilers emit everywhere:
// loads and stores at base plus offset or scaled index, operators on what was just loaded, comparisons of it, chains of
// two operators, counters that end a loop. Which are worth their size is a matter of measurement (vm/RATIONALE.md).
#pragma once

#include "vm/handlers/systematic.hpp"

namespace tfvm::interpreter::combinations {

using namespace systematic;  // families are written in its words

using IntegerAll = Integers::WithSlot;
using IntegerOrConstant = Integers::WithConstant;
using FloatAll = Floats::WithSlot;
using Constant = Types<ImmediateLeaf>;
/// Second operands: the accumulator is mostly taken by the first.
#if defined(TFVM_PRESERVE_NONE)
using OperandOrConstant = Types<SlotLeaf, ImmediateLeaf, RegisterLeaf<1>, RegisterLeaf<2>>;
#else
using OperandOrConstant = Types<SlotLeaf, ImmediateLeaf, RegisterLeaf<1>>;
#endif

/// Visits every element of the product of two lists.
template <class As, class Bs, class F>
constexpr void product(F f) {
  each(As{}, [&]<class A>() { each(Bs{}, [&]<class B>() { f.template operator()<A, B>(); }); });
}

using IntegerLoads = Ops<Op::I32Load, Op::I64Load, Op::I32Load8S, Op::I32Load8U, Op::I32Load16S, Op::I32Load16U,
                         Op::I64Load8U, Op::I64Load32U, Op::I64Load32S>;

template <class Add>
constexpr void indexed_loads(Add add) {
  const auto at_sums = [&]<Operation op, class Ds>() {
    each(Ds{}, [&]<class D>() {
      product<IntegerAll, IntegerOrConstant>([&]<class A, class B>() {
        add.template operator()<Set<D, Load<op, Binary<operation(Op::I32Add), A, B>>>>();
      });
    });
  };
  each(IntegerLoads{}, [&]<Operation op>() { at_sums.template operator()<op, IntegerAll>(); });
  each(Ops<Op::F32Load, Op::F64Load>{}, [&]<Operation op>() { at_sums.template operator()<op, FloatAll>(); });

  const auto at_scaled = [&]<Op op, Operation shift, class Ds>() {
    each(Ds{}, [&]<class D>() {
      product<IntegerAll, IntegerOrConstant>([&]<class A, class B>() {
        using Index = Unary<shift, A>;
        add.template operator()<Set<D, Load<operation(op), Binary<operation(Op::I32Add), Index, B>>>>();
      });
    });
  };
  at_scaled.template operator()<Op::I32Load, shift_left_2, IntegerAll>();
  at_scaled.template operator()<Op::I64Load, shift_left_3, IntegerAll>();
  at_scaled.template operator()<Op::I32Load16U, shift_left_1, IntegerAll>();
  at_scaled.template operator()<Op::F32Load, shift_left_2, FloatAll>();
  at_scaled.template operator()<Op::F64Load, shift_left_3, FloatAll>();
}

template <class Add>
constexpr void indexed_stores(Add add) {
  const auto at_sums = [&]<Operation op, class Vs>() {
    product<IntegerAll, IntegerOrConstant>([&]<class A, class B>() {
      each(Vs{}, [&]<class V>() { add.template operator()<Store<op, Binary<operation(Op::I32Add), A, B>, V>>(); });
    });
  };
  each(Ops<Op::I32Store, Op::I64Store, Op::I32Store8, Op::I32Store16>{},
       [&]<Operation op>() { at_sums.template operator()<op, IntegerOrConstant>(); });
  each(Ops<Op::F32Store, Op::F64Store>{}, [&]<Operation op>() { at_sums.template operator()<op, FloatAll>(); });
  each(Ops<Op::I32Store, Op::I64Store, Op::I32Store8, Op::I32Store16>{},
       [&]<Operation op>() { add.template operator()<Store<op, ImmediateLeaf, ImmediateLeaf>>(); });
  add.template operator()<Store<operation(Op::I64Store), ImmediateLeaf, WideImmediateLeaf>>();
  // Read, compute, write back: the value of a store is an operator on a load or on two leaves.
  each(Ops<Op::I32Add, Op::I32Sub, Op::I32And, Op::I32Or, Op::I32Xor>{}, [&]<Operation op>() {
    each(IntegerAll{}, [&]<class Address>() {
      product<IntegerAll, IntegerOrConstant>([&]<class A, class B>() {
        add.template operator()<Store<operation(Op::I32Store), Address, Binary<op, A, B>>>();
        add.template
        operator()<Store<operation(Op::I32Store), Address, Binary<op, Load<operation(Op::I32Load), A>, B>>>();
      });
    });
  });
  each(Ops<Op::I32Store, Op::I32Store8, Op::I64Store>{}, [&]<Operation op>() {
    constexpr Operation load_op = op == operation(Op::I32Store)    ? operation(Op::I32Load)
                                  : op == operation(Op::I32Store8) ? operation(Op::I32Load8U)
                                                                   : operation(Op::I64Load);
    product<IntegerAll, IntegerAll>(
        [&]<class A, class B>() { add.template operator()<Store<op, A, Load<load_op, B>>>(); });
  });
  each(Ops<Op::F64Add, Op::F64Sub, Op::F64Mul>{}, [&]<Operation op>() {
    each(IntegerAll{}, [&]<class Address>() {
      product<FloatAll, FloatAll>([&]<class A, class B>() {
        add.template operator()<Store<operation(Op::F64Store), Address, Binary<op, A, B>>>();
      });
    });
  });
}

template <class Add>
constexpr void integer_operations_on_loads(Add add) {
  using I32Operators = Ops<Op::I32Add, Op::I32Sub, Op::I32And, Op::I32Or, Op::I32Xor, Op::I32Mul, Op::I32Shl,
                           Op::I32ShrU, Op::I32ShrS, Op::I32Eq, Op::I32Ne>;
  each(I32Operators{}, [&]<Operation op>() {
    each(Ops<Op::I32Load, Op::I32Load8U>{}, [&]<Operation load_op>() {
      each(SlotOrAccumulator{}, [&]<class D>() {
        product<IntegerAll, IntegerOrConstant>(
            [&]<class A, class B>() { add.template operator()<Set<D, Binary<op, Load<load_op, A>, B>>>(); });
      });
    });
  });
  each(Ops<Op::I32Sub, Op::I32Shl, Op::I32ShrU>{}, [&]<Operation op>() {
    each(SlotOrAccumulator{}, [&]<class D>() {
      product<IntegerAll, IntegerAll>([&]<class A, class B>() {
        add.template operator()<Set<D, Binary<op, A, Load<operation(Op::I32Load), B>>>>();
      });
    });
  });
  each(Ops<Op::I64Add, Op::I64Sub, Op::I64And, Op::I64Xor, Op::I64Mul, Op::I64Or>{}, [&]<Operation op>() {
    each(SlotOrAccumulator{}, [&]<class D>() {
      product<IntegerAll, IntegerOrConstant>([&]<class A, class B>() {
        add.template operator()<Set<D, Binary<op, Load<operation(Op::I64Load), A>, B>>>();
      });
    });
  });
  // Scaled loads: the load of an index, made an offset.
  each(Operations<shift_left_1, shift_left_2, shift_left_3>{}, [&]<Operation op>() {
    product<IntegerAll, IntegerAll>(
        [&]<class D, class A>() { add.template operator()<Set<D, Unary<op, Load<operation(Op::I32Load), A>>>>(); });
  });
}

template <class Add>
constexpr void float_operations_on_loads(Add add) {
  each(Ops<Op::F64Add, Op::F64Sub, Op::F64Mul, Op::F64Div>{}, [&]<Operation op>() {
    product<FloatAll, FloatAll>([&]<class D, class A>() {
      each(IntegerAll{}, [&]<class B>() {
        using Plain = Load<operation(Op::F64Load), B>;
        using Displaced = Load<operation(Op::F64Load), Binary<operation(Op::I32Add), B, ImmediateLeaf>>;
        add.template operator()<Set<D, Binary<op, A, Plain>>>();
        add.template operator()<Set<D, Binary<op, A, Displaced>>>();
        add.template operator()<Set<D, Binary<op, Plain, A>>>();
        add.template operator()<Set<D, Binary<op, Displaced, A>>>();
      });
    });
  });
  // Products of two loads, as inner products have.
  each(FloatAll{}, [&]<class D>() {
    product<IntegerAll, IntegerAll>([&]<class A, class B>() {
      using Left = Load<operation(Op::F64Load), A>;
      using Right = Load<operation(Op::F64Load), B>;
      using DisplacedLeft = Load<operation(Op::F64Load), Binary<operation(Op::I32Add), A, ImmediateLeaf>>;
      using DisplacedRight = Load<operation(Op::F64Load), Binary<operation(Op::I32Add), B, ImmediateLeaf>>;
      add.template operator()<Set<D, Binary<operation(Op::F64Mul), Left, Right>>>();
      add.template operator()<Set<D, Binary<operation(Op::F64Mul), DisplacedLeft, DisplacedRight>>>();
    });
  });
  // a + b * c and its relatives: two roundings, as the standard asks.
  each(Ops<Op::F64Add, Op::F64Sub>{}, [&]<Operation op>() {
    each(FloatAll{}, [&]<class D>() {
      product<FloatAll, FloatAll>([&]<class A, class B>() {
        each(FloatAll{}, [&]<class C>() {
          using Product = Binary<operation(Op::F64Mul), B, C>;
          add.template operator()<Set<D, Binary<op, A, Product>>>();
          add.template operator()<Set<D, Binary<op, Product, A>>>();
        });
      });
    });
  });
  each(Ops<Op::F32Add, Op::F32Sub, Op::F32Mul>{}, [&]<Operation op>() {
    product<SlotOrAccumulator, FloatAll>([&]<class D, class A>() {
      each(IntegerAll{}, [&]<class B>() {
        add.template operator()<Set<D, Binary<op, A, Load<operation(Op::F32Load), B>>>>();
        add.template operator()<Set<D, Binary<op, Load<operation(Op::F32Load), B>, A>>>();
      });
    });
  });
}

using I32Comparisons = Ops<Op::I32Eq, Op::I32Ne, Op::I32LtS, Op::I32LtU, Op::I32GtS, Op::I32GtU, Op::I32LeS, Op::I32LeU,
                           Op::I32GeS, Op::I32GeU>;

template <class Add>
constexpr void branches_on_loads(Add add) {
  using Loads = Ops<Op::I32Load, Op::I32Load8U, Op::I32Load8S, Op::I32Load16U>;
  each(Loads{}, [&]<Operation load_op>() {
    each(I32Comparisons{}, [&]<Operation op>() {
      product<IntegerAll, IntegerOrConstant>(
          [&]<class A, class B>() { add.template operator()<BranchIf<Binary<op, Load<load_op, A>, B>>>(); });
    });
    each(IntegerAll{}, [&]<class A>() {
      using Displaced = Load<load_op, Binary<operation(Op::I32Add), A, ImmediateLeaf>>;
      add.template operator()<BranchIf<Load<load_op, A>>>();
      add.template operator()<BranchUnless<Load<load_op, A>>>();
      add.template operator()<BranchIf<Displaced>>();
      add.template operator()<BranchUnless<Displaced>>();
    });
  });
}

template <class Add>
constexpr void branches_on_operators(Add add) {
  product<IntegerAll, IntegerOrConstant>([&]<class A, class B>() {
    add.template operator()<BranchIf<Binary<operation(Op::I32And), A, B>>>();
    add.template operator()<BranchUnless<Binary<operation(Op::I32And), A, B>>>();
  });
  each(IntegerAll{}, [&]<class A>() {
    using Tested = Binary<operation(Op::I32And), Load<operation(Op::I32Load8U), A>, ImmediateLeaf>;
    add.template operator()<BranchIf<Tested>>();
    add.template operator()<BranchUnless<Tested>>();
  });
  each(I32Comparisons{}, [&]<Operation op>() {
    each(Ops<Op::I32Add, Op::I32And, Op::I32Sub>{}, [&]<Operation inner>() {
      product<IntegerAll, OperandOrConstant>([&]<class A, class B>() {
        each(OperandOrConstant{},
             [&]<class C>() { add.template operator()<BranchIf<Binary<op, Binary<inner, A, B>, C>>>(); });
      });
    });
  });
}

/// Two operators, one on the result of the other.
template <Op outer_op, Op... inner_ops>
struct Chain {};

/// Calls f<outer, inner>() for every combination of the chains.
template <class F, Op outer, Op... inner>
constexpr void each_chain(Chain<outer, inner...>, F f) {
  (f.template operator()<operation(outer), operation(inner)>(), ...);
}

/// outer(inner(a, b), c)
template <class Add, class... Chains>
constexpr void chains(Add add, Chains... list) {
  const auto one = [&]<Operation outer, Operation inner>() {
    product<SlotOrAccumulator, IntegerAll>([&]<class D, class A>() {
      product<OperandOrConstant, OperandOrConstant>(
          [&]<class B, class C>() { add.template operator()<Set<D, Binary<outer, Binary<inner, A, B>, C>>>(); });
    });
  };
  (each_chain(list, one), ...);
}

template <class Add>
constexpr void i32_chains(Add add) {
  chains(add, Chain<Op::I32Add, Op::I32Add, Op::I32Mul, Op::I32Shl, Op::I32And, Op::I32Sub, Op::I32ShrU>{},
         Chain<Op::I32Sub, Op::I32Add>{}, Chain<Op::I32And, Op::I32Add, Op::I32ShrU, Op::I32Xor, Op::I32Shl>{},
         Chain<Op::I32Xor, Op::I32Add, Op::I32And, Op::I32Xor, Op::I32ShrU>{},
         Chain<Op::I32Or, Op::I32Shl, Op::I32And, Op::I32ShrU>{}, Chain<Op::I32Shl, Op::I32Add, Op::I32And>{},
         Chain<Op::I32ShrU, Op::I32Add, Op::I32And>{}, Chain<Op::I32Mul, Op::I32Add>{});
  each(Ops<Op::I32Sub, Op::I32Shl, Op::I32ShrU>{}, [&]<Operation outer>() {
    // The inner operator on the right, where the order matters.
    each(Ops<Op::I32Add, Op::I32And, Op::I32Mul>{}, [&]<Operation inner>() {
      product<SlotOrAccumulator, IntegerAll>([&]<class D, class A>() {
        product<OperandOrConstant, OperandOrConstant>(
            [&]<class B, class C>() { add.template operator()<Set<D, Binary<outer, A, Binary<inner, B, C>>>>(); });
      });
    });
  });
  each(Operations<shift_left_1, shift_left_2, shift_left_3>{}, [&]<Operation shift>() {
    each(IntegerAll{}, [&]<class D>() {
      product<IntegerAll, IntegerOrConstant>([&]<class A, class B>() {
        add.template operator()<Set<D, Binary<operation(Op::I32Add), Unary<shift, A>, B>>>();
      });
    });
  });
  // A constant on the left of an operator that does not commute.
  each(Ops<Op::I32Sub, Op::I32Shl, Op::I32ShrU, Op::I32ShrS>{},
       [&]<Operation op>() { set_binary<op, IntegerAll, Constant, IntegerAll>(add); });
}

template <class Add>
constexpr void i64_chains(Add add) {
  chains(add, Chain<Op::I64Add, Op::I64Add, Op::I64Mul, Op::I64Shl, Op::I64And>{},
         Chain<Op::I64Xor, Op::I64ShrU, Op::I64Shl, Op::I64Xor>{}, Chain<Op::I64And, Op::I64ShrU, Op::I64Add>{},
         Chain<Op::I64Or, Op::I64Shl>{}, Chain<Op::I64Mul, Op::I64Xor>{});
  set_binary<operation(Op::I64Sub), IntegerAll, Constant, IntegerAll>(add);
}

/// Mixes of rotations and shifts, the heart of hashes.
template <class Add>
constexpr void rotation_mixes(Add add) {
  using Rotations = Ops<Op::I32Rotl, Op::I32ShrU>;
  each(Ops<Op::I32Xor, Op::I32Add, Op::I32Or>{}, [&]<Operation outer>() {
    each(Rotations{}, [&]<Operation left>() {
      each(Rotations{}, [&]<Operation right>() {
        each(SlotOrAccumulator{}, [&]<class D>() {
          product<IntegerAll, IntegerAll>([&]<class A, class B>() {
            using Left = Binary<left, A, ImmediateLeaf>;
            using Right = Binary<right, B, ImmediateLeaf>;
            add.template operator()<Set<D, Binary<outer, Left, Right>>>();
            add.template operator()<Set<D, Binary<outer, Binary<operation(Op::I32Xor), Left, Right>,
                                                  Binary<operation(Op::I32Rotl), A, ImmediateLeaf>>>>();
            add.template operator()<Set<D, Binary<outer, Binary<operation(Op::I32Xor), Left, Right>,
                                                  Binary<operation(Op::I32ShrU), A, ImmediateLeaf>>>>();
          });
        });
      });
    });
    product<SlotOrAccumulator, IntegerAll>([&]<class D, class A>() {
      each(OperandOrConstant{}, [&]<class C>() {
        add.template operator()<Set<D, Binary<outer, Binary<operation(Op::I32Rotl), A, ImmediateLeaf>, C>>>();
      });
    });
  });
}

// ---- pairs of statements

/// What pairs start with most: counters and copies.
template <class D, class A>
using Count = Set<D, Binary<operation(Op::I32Add), A, ImmediateLeaf>>;
using Copies = Types<Set<SlotLeaf, Unary<copy_i64, SlotLeaf>>, Set<SlotLeaf, Unary<copy_i32, ImmediateLeaf>>>;

/// The same place as source and destination: a slot, or the register itself.
using Places = Integers::WithSlot;

template <class Add>
constexpr void loop_ends(Add add) {
  each(Places{}, [&]<class P>() {
    using Step = Count<P, P>;
    add.template operator()<Pair<Step, Branch>>();
    add.template operator()<Pair<Step, BranchIf<Unary<copy_i32, P>>>>();
    add.template operator()<Pair<Step, BranchIf<Unary<copy_i32, PreviousLeaf>>>>();
    each(I32Comparisons{}, [&]<Operation op>() {
      product<IntegerAll, IntegerOrConstant>(
          [&]<class A, class B>() { add.template operator()<Pair<Step, BranchIf<Binary<op, A, B>>>>(); });
      each(IntegerOrConstant{},
           [&]<class B>() { add.template operator()<Pair<Step, BranchIf<Binary<op, PreviousLeaf, B>>>>(); });
      each(IntegerAll{},
           [&]<class A>() { add.template operator()<Pair<Step, BranchIf<Binary<op, A, PreviousLeaf>>>>(); });
    });
  });
}

template <class Add>
constexpr void pairs(Add add) {
  // Two counters; a counter beside a copy, a load, a store.
  product<Places, Places>([&]<class P, class Q>() { add.template operator()<Pair<Count<P, P>, Count<Q, Q>>>(); });
  using Copied = Types<SlotLeaf, RegisterLeaf<0>, RegisterLeaf<1>>;
  const auto copy_pairs = [&]<class First>() {
    add.template operator()<Pair<First, Branch>>();
    product<IntegerAll, IntegerAll>([&]<class D, class A>() {
      add.template operator()<Pair<First, Set<D, Unary<copy_i64, A>>>>();
      add.template operator()<Pair<First, Count<D, A>>>();
    });
    each(IntegerAll{},
         [&]<class D>() { add.template operator()<Pair<First, Set<D, Unary<copy_i32, ImmediateLeaf>>>>(); });
  };
  product<IntegerAll, Copied>(
      [&]<class D, class A>() { copy_pairs.template operator()<Set<D, Unary<copy_i64, A>>>(); });
  each(IntegerAll{}, [&]<class D>() { copy_pairs.template operator()<Set<D, Unary<copy_i32, ImmediateLeaf>>>(); });

  each(Ops<Op::I32Load, Op::I32Load8U, Op::I64Load>{}, [&]<Operation op>() {
    product<IntegerAll, IntegerAll>([&]<class D, class A>() {
      using First = Set<D, Load<op, A>>;
      each(Places{}, [&]<class P>() { add.template operator()<Pair<First, Count<P, P>>>(); });
      product<IntegerAll, IntegerAll>(
          [&]<class E, class B>() { add.template operator()<Pair<First, Set<E, Load<op, B>>>>(); });
    });
  });
  each(Ops<Op::I32Store, Op::I32Store8, Op::I64Store>{}, [&]<Operation op>() {
    product<IntegerAll, IntegerOrConstant>([&]<class A, class V>() {
      using First = Store<op, A, V>;
      add.template operator()<Pair<First, Branch>>();
      each(Places{}, [&]<class P>() { add.template operator()<Pair<First, Count<P, P>>>(); });
    });
  });
  each(Ops<Op::F64Store>{}, [&]<Operation op>() {
    product<IntegerAll, FloatAll>([&]<class A, class V>() {
      each(Places{}, [&]<class P>() { add.template operator()<Pair<Store<op, A, V>, Count<P, P>>>(); });
    });
  });
}

}  // namespace tfvm::interpreter::combinations
