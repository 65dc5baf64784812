// OutboundPolicy: rules and what they let through; names of hosts.
#include "hostcalls/outbound_policy.hpp"

#include <gtest/gtest.h>

namespace tfvm::hostcalls {
namespace {

OutboundPolicy policy_of(std::initializer_list<std::string_view> rules) {
  OutboundPolicy policy;
  for (const std::string_view rule : rules) {
    const Result<Done> result = policy.allow(rule);
    EXPECT_TRUE(result.ok()) << rule;
  }
  return policy;
}

bool allows(const OutboundPolicy& policy, std::string_view host, std::string_view address, std::uint16_t port = 443) {
  return policy.allows(host, *Address::parse(address), port);
}

TEST(OutboundPolicy, AllowsNothingByDefault) {
  const OutboundPolicy policy;
  EXPECT_TRUE(policy.is_empty());
  EXPECT_FALSE(allows(policy, "example.com", "8.8.8.8"));
  EXPECT_FALSE(allows(policy, "127.0.0.1", "127.0.0.1"));
  EXPECT_FALSE(policy_of({"*"}).is_empty());
}

TEST(OutboundPolicy, RulesMatch) {
  struct Case {
    std::string_view rule, host, address;
    std::uint16_t port;
    bool allowed;
  };
  const Case cases[] = {
      {"*", "example.com", "8.8.8.8", 443, true},
      {"*", "8.8.8.8", "8.8.8.8", 443, true},
      {"*", "example.com", "2606:4700::1111", 443, true},
      {"*:443", "example.com", "8.8.8.8", 443, true},
      {"*:443", "example.com", "8.8.8.8", 80, false},
      {"example.com", "example.com", "8.8.8.8", 80, true},
      {"Example.COM.", "example.com", "8.8.8.8", 80, true},
      {"example.com", "example.com.", "8.8.8.8", 80, true},
      {"example.com", "www.example.com", "8.8.8.8", 80, false},
      {"example.com", "notexample.com", "8.8.8.8", 80, false},
      {"example.com", "example.com.evil.net", "8.8.8.8", 80, false},
      {"example.com:8080", "example.com", "8.8.8.8", 8080, true},
      {"example.com:8080", "example.com", "8.8.8.8", 80, false},
      {"*.example.com", "a.example.com", "8.8.8.8", 80, true},
      {"*.example.com", "a.b.example.com", "8.8.8.8", 80, true},
      {"*.example.com", "example.com", "8.8.8.8", 80, false},
      {"*.example.com", "aexample.com", "8.8.8.8", 80, false},
      {"*.example.com", ".example.com", "8.8.8.8", 80, false},
      {"*.example.com:81", "a.example.com", "8.8.8.8", 80, false},
      {"10.0.0.0/8", "internal.example", "10.1.2.3", 80, true},
      {"10.0.0.0/8", "internal.example", "11.1.2.3", 80, false},
      {"10.0.0.0/8", "10.1.2.3", "::ffff:10.1.2.3", 80, true},
      {"10.0.0.0/8", "10.1.2.3", "64:ff9b::10.1.2.3", 80, false},
      {"10.0.0.0/8:80", "10.1.2.3", "10.1.2.3", 80, true},
      {"10.0.0.0/8:80", "10.1.2.3", "10.1.2.3", 81, false},
      {"127.0.0.1", "localhost", "127.0.0.1", 80, true},
      {"127.0.0.1", "localhost", "127.0.0.2", 80, false},
      {"127.0.0.1:80", "127.0.0.1", "127.0.0.1", 80, true},
      {"127.0.0.1:80", "127.0.0.1", "127.0.0.1", 8080, false},
      {"0.0.0.0/0", "127.0.0.1", "127.0.0.1", 80, true},
      {"0.0.0.0/0", "::1", "::1", 80, false},
      {"::1", "::1", "::1", 80, true},
      {"[::1]", "::1", "::1", 80, true},
      {"[::1]:80", "::1", "::1", 81, false},
      {"[fd00::/8]:80", "x", "fd12::1", 80, true},
      {"fd00::/8", "x", "fe80::1", 80, false},
      {"169.254.169.254", "169.254.169.254", "169.254.169.254", 80, true},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(allows(policy_of({c.rule}), c.host, c.address, c.port), c.allowed)
        << c.rule << " " << c.host << " " << c.address << " " << c.port;
  }
}

TEST(OutboundPolicy, NoNameLeadsToASpecialAddress) {
  const OutboundPolicy policy =
      policy_of({"*", "localhost", "*.example.com", "example.com", "metadata.google.internal"});
  for (const std::string_view host : {"localhost", "a.example.com", "example.com", "metadata.google.internal", "x"}) {
    for (const std::string_view address :
         {"127.0.0.1", "10.0.0.1", "169.254.169.254", "0.0.0.0", "::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1",
          "2002:7f00:1::", "fd00:ec2::254", "fe80::1"}) {
      EXPECT_FALSE(allows(policy, host, address)) << host << " " << address;
    }
  }
}

TEST(OutboundPolicy, AnyRuleSuffices) {
  const OutboundPolicy policy = policy_of({"example.com:443", "10.0.0.0/8:80", "*.net"});
  EXPECT_TRUE(allows(policy, "example.com", "8.8.8.8", 443));
  EXPECT_TRUE(allows(policy, "example.com", "10.0.0.1", 80));
  EXPECT_TRUE(allows(policy, "a.net", "8.8.8.8", 22));
  EXPECT_FALSE(allows(policy, "example.com", "8.8.8.8", 80));
}

TEST(OutboundPolicy, RefusesWrongRules) {
  const std::string_view rules[] = {"",
                                    ":80",
                                    "*:",
                                    "*:0",
                                    "*:65536",
                                    "*:080",
                                    "*:+80",
                                    "* ",
                                    "**",
                                    "*.",
                                    "*.*",
                                    "a.*",
                                    "*a",
                                    "*.*.com",
                                    "example.com:",
                                    "example.com:http",
                                    "exa mple.com",
                                    "example..com",
                                    ".example.com",
                                    "http://example.com",
                                    "example.com/x",
                                    "example.com/8",
                                    "10.0.0.0/33",
                                    "10.0.0.0/",
                                    "10.0.0.0/08",
                                    "10.0.0.0/-1",
                                    "10.0.0.1/8",
                                    "10.0.0.0/8/8",
                                    "10.0.0/8",
                                    "10/8",
                                    "127.1",
                                    "0x7f000001",
                                    "2130706433",
                                    "0177.0.0.1",
                                    "1.2.3.4.",
                                    "*.1",
                                    "[::1",
                                    "::1]",
                                    "[::1]80",
                                    "[::1]:",
                                    "[127.0.0.1]",
                                    "[example.com]",
                                    "fd00::/129",
                                    "fd00::1/8",
                                    "fe80::1%eth0",
                                    "::ffff:10.0.0.1",
                                    "::ffff:10.0.0.0/104",
                                    "user@example.com",
                                    "example.com\n",
                                    "ex\xc3\xa4mple.com"};
  for (const std::string_view rule : rules) {
    OutboundPolicy policy;
    const Result<Done> result = policy.allow(rule);
    ASSERT_FALSE(result.ok()) << rule;
    EXPECT_EQ(result.error().kind, ErrorKind::Host);
    EXPECT_TRUE(policy.is_empty());
  }
}

TEST(OutboundPolicy, KnowsHostNames) {
  const std::string label(63, 'a');
  const std::string longest = label + "." + label + "." + label + "." + std::string(61, 'b');
  for (const std::string_view name :
       {std::string_view("a"), std::string_view("localhost"), std::string_view("example.com"),
        std::string_view("EXAMPLE.com."), std::string_view("_keybase_pages.example.com"), std::string_view("1.example"),
        std::string_view("xn--bcher-kva.example"), std::string_view("a-"), std::string_view("4a"),
        std::string_view(longest)}) {
    EXPECT_TRUE(is_host_name(name)) << name;
  }
  for (const std::string& name : {std::string(""),
                                  std::string("."),
                                  std::string(".."),
                                  std::string("a..b"),
                                  std::string(".a"),
                                  std::string("a.."),
                                  std::string("a b"),
                                  std::string("a/b"),
                                  std::string("a@b"),
                                  std::string("a%41"),
                                  std::string("a\\b"),
                                  std::string("127.1"),
                                  std::string("1"),
                                  std::string("1.2.3.4"),
                                  std::string("0x7f"),
                                  std::string("a.0x7f"),
                                  std::string("a.123"),
                                  std::string("a.123."),
                                  std::string("017700000001"),
                                  std::string("0X7F000001"),
                                  std::string("a\0b", 3),
                                  std::string("\xc2\xbd.example"),
                                  label + "a",
                                  longest + "b"}) {
    EXPECT_FALSE(is_host_name(name)) << name;
  }
}

}  // namespace
}  // namespace tfvm::hostcalls
