// All families of patterns as types
// (families.def); define_family<F> makes a file emit the handlers of F.
#pragma once

#include "vm/handlers/combinations.hpp"
#include "vm/handlers/systematic.hpp"

namespace tfvm::interpreter {

/// Calls f.operator()<Family>() for every family; a Family is a stateless callable over a visitor.
#define FAMILY(set, name)                      \
  struct name##_family {                       \
    template <class Add>                       \
    constexpr void operator()(Add add) const { \
      set::name(add);                          \
    }                                          \
  };
#include "vm/handlers/families.def"
#undef FAMILY

}  // namespace tfvm::interpreter
