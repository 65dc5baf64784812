#include "cli/serve/path_map.hpp"

#include <gtest/gtest.h>

namespace tfvm::serve {
namespace {

TEST(PathMap, FindsWhatWasSet) {
  PathMap<int> map;
  for (int i = 0; i < 1'000; ++i) map.set("a/" + std::to_string(i), i);
  map.set("a/7", 70);
  for (int i = 0; i < 1'000; ++i) {
    const int* found = map.find("a/" + std::to_string(i));
    ASSERT_NE(found, nullptr) << i;
    EXPECT_EQ(*found, i == 7 ? 70 : i);
  }
  EXPECT_FALSE(map.contains("a/1000"));
  EXPECT_FALSE(map.contains(""));
}

TEST(PathMap, CopiesAreIndependent) {
  PathMap<int> map;
  map.set("a", 1);
  map.set("b", 2);
  const PathMap<int> before = map;
  map.set("a", 3);
  map.erase("b");
  map.erase("absent");
  EXPECT_EQ(*before.find("a"), 1);
  EXPECT_EQ(*before.find("b"), 2);
  EXPECT_EQ(*map.find("a"), 3);
  EXPECT_FALSE(map.contains("b"));
}

}  // namespace
}  // namespace tfvm::serve
