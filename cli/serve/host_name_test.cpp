#include "cli/serve/host_name.hpp"

#include <gtest/gtest.h>

namespace tfvm::serve {
namespace {

std::string normal(std::string_view host) { return normalise_host(host).value_or("refused"); }

TEST(HostName, HasOneForm) {
  EXPECT_EQ(normal("example.com"), "example.com");
  EXPECT_EQ(normal("Example.COM:8080"), "example.com");
  EXPECT_EQ(normal("example.com."), "example.com");
  EXPECT_EQ(normal("example.com.:443"), "example.com");
  EXPECT_EQ(normal("example.com:"), "example.com");
  EXPECT_EQ(normal("xn--bcher-kva.example"), "xn--bcher-kva.example");
  EXPECT_EQ(normal("127.0.0.1:3000"), "127.0.0.1");
  EXPECT_EQ(normal("localhost"), "localhost");
}

TEST(HostName, RefusesWhatIsNoName) {
  for (const std::string_view host : {"",
                                      ".",
                                      "..",
                                      "a..b",
                                      ".a",
                                      "a/b",
                                      "../x",
                                      "a\\b",
                                      "[::1]",
                                      "[::1]:80",
                                      "b\xc3\xbc"
                                      "cher.example",
                                      "a b",
                                      "-a.com",
                                      "a-.com",
                                      "a_b.com",
                                      "a.com:80:90",
                                      "a.com:http",
                                      "a.com:123456",
                                      "a%2eb",
                                      "a.com..",
                                      ":80"})
    EXPECT_EQ(normal(host), "refused") << host;
  EXPECT_EQ(normal(std::string_view("a\0b", 3)), "refused");
  EXPECT_EQ(normal(std::string(64, 'a') + ".com"), "refused");
  EXPECT_EQ(normal(std::string(63, 'a') + ".com"), std::string(63, 'a') + ".com");
  std::string long_name;
  while (long_name.size() < 254) long_name += "a.";
  EXPECT_EQ(normal(long_name + "com"), "refused");
}

TEST(HostName, FoldersMustBeCalledByTheOneForm) {
  EXPECT_TRUE(is_normal_host("example.com"));
  EXPECT_FALSE(is_normal_host("Example.com"));
  EXPECT_FALSE(is_normal_host("example.com."));
  EXPECT_FALSE(is_normal_host(".git"));
}

}  // namespace
}  // namespace tfvm::serve
