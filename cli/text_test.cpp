#include "cli/text.hpp"

#include <array>
#include <gtest/gtest.h>

namespace tfvm::cli {
namespace {

TEST(Text, NumbersInSentences) {
  EXPECT_EQ(hexadecimal(0), "0x0");
  EXPECT_EQ(hexadecimal(0x45c2), "0x45c2");
  EXPECT_EQ(counted(0, "byte"), "0 bytes");
  EXPECT_EQ(counted(1, "byte"), "1 byte");
  EXPECT_EQ(counted(2, "entry"), "2 entries");
}

TEST(Text, ClosestFindsSlipsOfTheKeyboard) {
  constexpr std::array<std::string_view, 4> words = {"run", "validate", "inspect", "help"};
  EXPECT_EQ(closest("valdiate", words), "validate");
  EXPECT_EQ(closest("inspct", words), "inspect");
  EXPECT_EQ(closest("rum", words), "run");
  EXPECT_EQ(closest("validate", words), "validate");
}

TEST(Text, ClosestIsEmptyForOtherWords) {
  constexpr std::array<std::string_view, 4> words = {"run", "validate", "inspect", "help"};
  EXPECT_EQ(closest("hello", words), "");
  EXPECT_EQ(closest("", words), "");
  EXPECT_EQ(closest("program", words), "");
  EXPECT_EQ(closest(std::string(1'000'000, 'x'), words), "");
  EXPECT_EQ(closest("run", {}), "");
}

}  // namespace
}  // namespace tfvm::cli
