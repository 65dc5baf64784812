// Turns families of patterns into tables: counting, and entries of key and handler.
#pragma once

#include <array>
#include <cstddef>

#include "vm/handler_table.hpp"
#include "vm/handlers/pattern.hpp"

namespace tfvm::interpreter {

struct PatternCounter {
  std::size_t* count;
  template <class P>
  constexpr void operator()() const {
    ++*count;
  }
};

template <class Entries>
struct PatternCollector {
  Entries* entries;
  std::size_t* count;
  template <class P>
  constexpr void operator()() const {
    (*entries)[(*count)++] = {P::key, &handler<P>};
  }
};

/// A visitor that also visits, for each branch, the forms that charge fuel.
template <class Visitor>
struct WithCharging {
  Visitor visitor;
  template <class P>
  constexpr void operator()() const {
    visitor.template operator()<P>();
    if constexpr (P::next == Next::Branching) {
      visitor.template operator()<Charging<P, Word::ChargedTarget>>();
      if constexpr (!P::always) visitor.template operator()<Charging<P, Word::ChargedNext>>();
    }
  }
};

/// The entries of a family, a constexpr callable over a visitor. Naming a handler instantiates it, where its definition
/// is in sight (define.hpp).
template <class Family>
consteval auto collect(Family family) {
  constexpr std::size_t size = [] {
    std::size_t count = 0;
    Family{}(WithCharging{PatternCounter{&count}});
    return count;
  }();
  std::array<HandlerEntry, size> entries{};
  std::size_t count = 0;
  family(WithCharging{PatternCollector<decltype(entries)>{&entries, &count}});
  return entries;
}

}  // namespace tfvm::interpreter
