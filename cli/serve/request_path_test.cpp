#include "cli/serve/request_path.hpp"

#include <gtest/gtest.h>

namespace tfvm::serve {
namespace {

std::string path_of(std::string_view target) {
  const std::optional<RequestPath> path = RequestPath::parse(target);
  if (!path) return "refused";
  return path->joined(path->size()) + (path->is_directory() ? "/" : "") + path->query();
}

TEST(RequestPath, DecodesAndNormalises) {
  EXPECT_EQ(path_of("/"), "/");
  EXPECT_EQ(path_of("/a"), "a");
  EXPECT_EQ(path_of("/a/"), "a/");
  EXPECT_EQ(path_of("//a///b//"), "a/b/");
  EXPECT_EQ(path_of("/./a/./b/."), "a/b/");
  EXPECT_EQ(path_of("/%61%2e%62"), "a.b");
  EXPECT_EQ(path_of("/a%20b?x=%20"), "a b?x=%20");
  EXPECT_EQ(path_of("/a?b/../c"), "a?b/../c");
  EXPECT_EQ(path_of("/%C3%A9"), "\xc3\xa9");
}

TEST(RequestPath, AbsoluteFormLosesItsAuthority) {
  EXPECT_EQ(path_of("http://example.com/a/b?c"), "a/b?c");
  EXPECT_EQ(path_of("http://example.com"), "/");
  EXPECT_EQ(path_of("http://example.com?q"), "/?q");
}

TEST(RequestPath, RefusesWhatNamesNothingBelowAFolder) {
  for (const std::string_view target :
       {"",           "*",       "example.com:80", "a/b",          "/..",    "/../x", "/a/../b",
        "/%2e%2e/x",  "/.%2E/x", "/a/..%2fb",      "/..%2f..%2fx", "/a%5cb", "/a\\b", "/%00",
        "/a%00.wasm", "/a%",     "/a%2",           "/a%zz",        "/a#b",   "://x",  "/..%2F"})
    EXPECT_EQ(path_of(target), "refused") << target;
}

TEST(RequestPath, RestIsWhatFollowsAProgram) {
  const auto path = RequestPath::parse("/api/hello.wasm//x%2Fy/?q");
  ASSERT_TRUE(path);
  EXPECT_EQ(path->joined(2), "api/hello.wasm");
  EXPECT_EQ(path->rest(2), "//x/y/");
  EXPECT_EQ(path->rest(0), "/api/hello.wasm//x/y/");
  EXPECT_EQ(RequestPath::parse("/hello.wasm")->rest(1), "");
}

TEST(RequestPath, HiddenAndImpossibleNamesAreNoFiles) {
  const auto is_name = [](std::string_view target) {
    const auto path = RequestPath::parse(target);
    return path && path->is_file_name(path->size() - 1);
  };
  EXPECT_TRUE(is_name("/a"));
  EXPECT_TRUE(is_name("/.well-known"));
  EXPECT_FALSE(is_name("/a/.well-known"));
  EXPECT_FALSE(is_name("/.kbp_config"));
  EXPECT_FALSE(is_name("/%2ekbp_config"));
  EXPECT_FALSE(is_name("/a%2fb"));
  EXPECT_FALSE(is_name("/" + std::string(256, 'a')));
  EXPECT_TRUE(is_name("/" + std::string(255, 'a')));
}

TEST(PlainPath, TakesOnlyPathsThatStandForThemselves) {
  for (const std::string_view target : {"/", "/a", "/a/b.wasm/c?x=%20&y=//..", "/a/", "/a:b@c!$&'()*+,;="})
    EXPECT_TRUE(PlainPath::parse(target)) << target;
  for (const std::string_view target : {"", "a", "//a", "/a//b", "/.a", "/a/./b", "/a/../b", "/a%20", "/a b", "/a\\b",
                                        "/\xc3\xa9", "http://x/", "*", "/a?#", "/a#b"})
    EXPECT_FALSE(PlainPath::parse(target)) << target;
}

TEST(PlainPath, ListsProgramsFromTheShortest) {
  const auto path = PlainPath::parse("/lib.wasm/a.wasm/x.wasmx/.?b.wasm");
  ASSERT_FALSE(path);
  const auto plain = PlainPath::parse("/lib.wasm/a.wasm/x.wasmx/y?b.wasm");
  ASSERT_TRUE(plain);
  std::size_t position = 0;
  EXPECT_EQ(plain->next_program(position), "lib.wasm");
  EXPECT_EQ(plain->next_program(position), "lib.wasm/a.wasm");
  EXPECT_EQ(plain->next_program(position), "");
  position = 0;
  EXPECT_EQ(PlainPath::parse("/wasm")->next_program(position), "");
}

TEST(PlainPath, AgreesWithTheFullParser) {
  for (const std::string_view target : {"/a.wasm", "/a/b.wasm/rest/of/it", "/a.wasm/?x", "/x/y/z.wasm?q=/.."}) {
    const auto plain = PlainPath::parse(target);
    const auto full = RequestPath::parse(target);
    ASSERT_TRUE(plain && full) << target;
    EXPECT_EQ(plain->path(), full->rest(0)) << target;
  }
}

TEST(EncodePath, LeavesNothingThatSteers) {
  EXPECT_EQ(encode_path("/a b/\xc3\xa9\r\n\"?#%"), "/a%20b/%C3%A9%0D%0A%22%3F%23%25");
}

}  // namespace
}  // namespace tfvm::serve
