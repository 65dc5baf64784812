// Demangling: C++ and Rust symbols, what is none, and hostile ones.
#include "vm/demangle.hpp"

#include <gtest/gtest.h>

namespace tfvm {
namespace {

TEST(Demangle, Cpp) {
  EXPECT_EQ(demangle("_ZN3foo3barEi"), "foo::bar(int)");
  EXPECT_EQ(demangle("_ZNSt6vectorIiSaIiEE9push_backEOi"), "std::vector<int, std::allocator<int> >::push_back(int&&)");
}

#if defined(TFVM_HAVE_LIBIBERTY)
TEST(Demangle, Rust) {
  EXPECT_EQ(demangle("_ZN4core3fmt5write17h0123456789abcdefE"), "core::fmt::write");
  EXPECT_EQ(demangle("_RNvNtCs1234_7mycrate3foo3bar"), "mycrate::foo::bar");
}
#endif

TEST(Demangle, OtherNamesStay) {
  for (const char* name : {"", "main", "_Z", "_ZZZZ", "_R", "a b", "_ZN3foo", "fib$1"}) EXPECT_EQ(demangle(name), name);
}

TEST(Demangle, HostileNamesComeBackBounded) {
  std::string doubling = "_Z1fI1A";  // every substitution names the one before twice
  for (char digit = '0'; digit <= '9'; ++digit) doubling += std::string("S") + digit + "_I";
  EXPECT_LE(demangle(doubling).size(), 5000u);
  std::string pairs = "_Z1f";
  for (int i = 0; i < 60; ++i) pairs += "1AIS" + std::string(1, static_cast<char>('A' + i % 26)) + "_";
  EXPECT_LE(demangle(pairs).size(), 5000u);
  EXPECT_EQ(demangle("_Z" + std::string(100'000, 'P')).size(), 100'002u);
  EXPECT_LE(demangle("_Z1f" + std::string(900, 'P') + "i").size(), 5000u);
  EXPECT_LE(demangle("_R" + std::string(900, 'T')).size(), 5000u);
  EXPECT_LE(demangle("_RNvC1a1b" + std::string(900, 'A')).size(), 5000u);
}

}  // namespace
}  // namespace tfvm
