// Dates of HTTP.
#include "cli/serve/http_date.hpp"

#include <gtest/gtest.h>

namespace tfvm::serve {
namespace {

TEST(HttpDateTest, WritesAndReadsTheExampleOfTheRfc) {
  EXPECT_EQ(http_date(784111777), "Sun, 06 Nov 1994 08:49:37 GMT");
  for (const char* const text :
       {"Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"})
    EXPECT_EQ(parse_http_date(text), 784111777) << text;
}

TEST(HttpDateTest, RefusesWhatIsNone) {
  for (const char* const text : {"", "yesterday", "Sun, 06 Nov 1994 08:49:37 CET", "Sun, 06 Nov 1994 08:49:37 GMT "})
    EXPECT_EQ(parse_http_date(text), std::nullopt) << text;
}

TEST(HttpDateTest, NowIsNow) {
  const auto now = parse_http_date(http_date_now());
  ASSERT_TRUE(now.has_value());
  EXPECT_NEAR(static_cast<double>(*now), static_cast<double>(std::time(nullptr)), 2);
}

}  // namespace
}  // namespace tfvm::serve
