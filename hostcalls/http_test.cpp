// Legal parts of messages: check 21 of the ABI among them.
#include "hostcalls/http.hpp"

#include <gtest/gtest.h>

namespace tfvm::hostcalls {
namespace {

TEST(Http, Check21_RequestTargetsThatGuestsCannotParse) {
  for (const char* const target :
       {"/", "/a?b", "*", "foo", "/%20", "/a?{|}", "/a#x", "/~!$&'()*+,;=:@[]", "http://a/b", "/?a=%c3%a9"})
    EXPECT_TRUE(is_request_target(target)) << target;
  for (const char* const target :
       {"", " ", "/a b", "/\xc3\xa9", "/\"", "/<", "/>", "/{", "/|", "/}", "/a?\"", "/^", "/`", "/\\", "/\t", "/\x7f"})
    EXPECT_FALSE(is_request_target(target)) << target;
  EXPECT_FALSE(is_request_target(std::string_view("/\0", 2)));
}

TEST(Http, Tokens) {
  for (const char* const text : {"GET", "x-y_z", "!#$%&'*+-.^_`|~09azAZ"}) EXPECT_TRUE(is_token(text)) << text;
  for (const char* const text : {"", "a b", "a:", "(", "a\n", "\xc3\xa9", "a/b", "\""}) EXPECT_FALSE(is_token(text));
  EXPECT_FALSE(is_token(std::string_view("a\0", 2)));
}

TEST(Http, FieldValues) {
  for (const char* const text : {"", "a b\tc", "\xff\x80"}) EXPECT_TRUE(is_field_value(text));
  for (const char* const text : {"\r", "\n", "\x1f", "\x7f", "a\r\nb"}) EXPECT_FALSE(is_field_value(text));
  EXPECT_FALSE(is_field_value(std::string_view("\0", 1)));
}

TEST(Http, SetFieldReplacesInThePlaceOfTheFirst) {
  Headers headers = {{"A", "1"}, {"B", "2"}, {"a", "3"}, {"C", "4"}};
  set_field(headers, "a", {"x", "y"});
  ASSERT_EQ(headers.size(), 4u);
  EXPECT_EQ(headers[0].value + headers[1].value + headers[2].value + headers[3].value, "xy24");
  set_field(headers, "D", {"5"});
  EXPECT_EQ(headers.back().value, "5");
  set_field(headers, "A", {});
  EXPECT_EQ(headers.size(), 3u);
  EXPECT_EQ(find_field(headers, "b"), "2");
  EXPECT_EQ(find_field(headers, "A"), std::nullopt);
  set_field(headers, "nothing", {});
  EXPECT_EQ(headers.size(), 3u);
}

TEST(Http, NamesCompareWithoutCase) {
  EXPECT_TRUE(equal_without_case("Content-Type", "content-TYPE"));
  EXPECT_FALSE(equal_without_case("a", "ab"));
  EXPECT_FALSE(equal_without_case("[", "{"));
  EXPECT_EQ(lower_case("X-[Y]"), "x-[y]");
  EXPECT_TRUE(is_framing_field("Content-LENGTH"));
  EXPECT_FALSE(is_framing_field("content-type"));
}

}  // namespace
}  // namespace tfvm::hostcalls
