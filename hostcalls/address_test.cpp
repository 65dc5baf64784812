// Address: which texts are addresses, and which addresses a guest must not reach by a name.
#include "hostcalls/address.hpp"

#include <gtest/gtest.h>

namespace tfvm::hostcalls {
namespace {

TEST(Address, ReadsTheUsualForms) {
  struct Case {
    const char* text;
    const char* canonical;
  };
  const Case cases[] = {
      {"0.0.0.0", "0.0.0.0"},
      {"127.0.0.1", "127.0.0.1"},
      {"255.255.255.255", "255.255.255.255"},
      {"::", "::"},
      {"::1", "::1"},
      {"2001:DB8:0:0:8:800:200C:417A", "2001:db8::8:800:200c:417a"},
      {"fe80::1", "fe80::1"},
      {"::ffff:192.0.2.1", "::ffff:192.0.2.1"},
      {"64:ff9b::1.2.3.4", "64:ff9b::102:304"},
      {"1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"},
  };
  for (const Case& c : cases) {
    const std::optional<Address> address = Address::parse(c.text);
    ASSERT_TRUE(address) << c.text;
    EXPECT_EQ(address->to_string(), c.canonical);
    EXPECT_EQ(Address::parse(address->to_string()), address);
  }
}

TEST(Address, TakesNoOtherSpelling) {
  const std::string_view texts[] = {"",
                                    "1",
                                    "127.1",
                                    "127.0.1",
                                    "2130706433",
                                    "0x7f000001",
                                    "0x7f.0.0.1",
                                    "017700000001",
                                    "0177.0.0.1",
                                    "127.0.0.01",
                                    "127.0.0.1.",
                                    ".127.0.0.1",
                                    "127..0.1",
                                    "127.0.0.256",
                                    "127.0.0.1000",
                                    "127.0.0.-1",
                                    "+127.0.0.1",
                                    " 127.0.0.1",
                                    "127.0.0.1 ",
                                    "127.0.0.1\n",
                                    "127.0.0.1/8",
                                    "127.0.0.1:80",
                                    "[::1]",
                                    "::1%lo",
                                    "fe80::1%1",
                                    ":::",
                                    "1::2::3",
                                    "1:2:3:4:5:6:7",
                                    "1:2:3:4:5:6:7:8:9",
                                    "12345::",
                                    "::g",
                                    "::127.1",
                                    "::ffff:0x7f.0.0.1",
                                    ":1",
                                    "1:",
                                    "0000:0000:0000:0000:0000:0000:0000:0000:0000:0000",
                                    "１２７.0.0.1",
                                    "localhost",
                                    std::string_view("127.0.0.1\0", 10),
                                    std::string_view("127.0.0.1\0.example", 18)};
  for (const std::string_view text : texts) EXPECT_FALSE(Address::parse(text)) << text;
}

TEST(Address, SpecialAddressesAreNotPublic) {
  const char* const texts[] = {
      "0.0.0.0", "0.0.0.1", "0.255.255.255", "10.0.0.0", "10.255.255.255", "100.64.0.0", "100.100.100.200",
      "100.127.255.255", "127.0.0.1", "127.255.255.255", "168.63.129.16", "169.254.0.1", "169.254.169.254",
      "172.16.0.0", "172.31.255.255", "192.0.0.1", "192.0.0.192", "192.0.2.1", "192.88.99.1", "192.168.0.0",
      "192.168.255.255", "198.18.0.0", "198.19.255.255", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.255",
      "240.0.0.1", "255.255.255.255",
      // IPv6 of its own
      "::", "::1", "100::1", "1::1", "2001:db8::1", "2001:2::1", "2001:10::1", "2001:20::1", "3fff::1", "3fff:fff::1",
      "5f00::1", "4000::1", "fc00::1", "fd00:ec2::254", "fd20:ce::254", "fe80::1", "fe80::a9fe:a9fe", "febf::1",
      "fec0::1", "ff02::1", "ff0e::1",
      // IPv4 within
      "::127.0.0.1", "::8.8.8.8", "::ffff:127.0.0.1", "::ffff:10.1.2.3", "::ffff:169.254.169.254", "::ffff:0.0.0.0",
      "::ffff:0:127.0.0.1", "64:ff9b::127.0.0.1", "64:ff9b::10.0.0.1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::8.8.8.8",
      "64:ff9b:1:a00:0:100::", "2002:7f00:1::", "2002:a9fe:a9fe::1", "2002:808:808::1",
      "2001:0:4136:e378:8000:63bf:3fff:fdd2", "2001::1"};
  for (const char* text : texts) {
    const std::optional<Address> address = Address::parse(text);
    ASSERT_TRUE(address) << text;
    EXPECT_FALSE(address->is_public()) << text;
  }
}

TEST(Address, OthersArePublicToTheEdges) {
  const char* const texts[] = {"1.0.0.0",
                               "1.1.1.1",
                               "8.8.8.8",
                               "9.255.255.255",
                               "11.0.0.0",
                               "100.63.255.255",
                               "100.128.0.0",
                               "126.255.255.255",
                               "128.0.0.0",
                               "168.63.129.15",
                               "169.253.255.255",
                               "169.255.0.0",
                               "172.15.255.255",
                               "172.32.0.0",
                               "191.255.255.255",
                               "192.0.1.0",
                               "192.0.3.0",
                               "192.88.98.255",
                               "192.88.100.0",
                               "192.167.255.255",
                               "192.169.0.0",
                               "198.17.255.255",
                               "198.20.0.0",
                               "198.51.99.255",
                               "203.0.112.255",
                               "203.0.114.0",
                               "223.255.255.255",
                               "2001:200::1",
                               "2001:4860:4860::8888",
                               "2001:db7:ffff::1",
                               "2001:db9::1",
                               "2003::1",
                               "2606:4700::1111",
                               "3ffe::1",
                               "3fff:1000::1",
                               "::ffff:8.8.8.8",
                               "64:ff9b::8.8.8.8"};
  for (const char* text : texts) {
    const std::optional<Address> address = Address::parse(text);
    ASSERT_TRUE(address) << text;
    EXPECT_TRUE(address->is_public()) << text;
  }
}

TEST(Address, IsInANetworkOfItsFamily) {
  struct Case {
    const char* address;
    const char* network;
    unsigned bits;
    bool is_in;
  };
  const Case cases[] = {
      {"10.1.2.3", "10.0.0.0", 8, true},
      {"11.1.2.3", "10.0.0.0", 8, false},
      {"10.1.2.3", "10.1.2.3", 32, true},
      {"10.1.2.2", "10.1.2.3", 32, false},
      {"10.1.2.3", "0.0.0.0", 0, true},
      {"172.31.0.1", "172.16.0.0", 12, true},
      {"172.32.0.1", "172.16.0.0", 12, false},
      {"fd00::1", "fd00::", 8, true},
      {"fe00::1", "fd00::", 8, false},
      {"fd00::1", "fd00::1", 128, true},
      {"fd00::2", "fd00::1", 127, false},
      {"fd00::2", "fd00::3", 127, true},
      {"10.1.2.3", "::", 0, false},
      {"::", "0.0.0.0", 0, false},
      {"10.1.2.3", "10.1.2.3", 33, false},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(Address::parse(c.address)->is_in(*Address::parse(c.network), c.bits), c.is_in)
        << c.address << " in " << c.network << "/" << c.bits;
  }
}

TEST(Address, UnmapsOnlyMappedOnes) {
  EXPECT_EQ(Address::parse("::ffff:10.1.2.3")->unmapped(), Address::parse("10.1.2.3"));
  EXPECT_EQ(Address::parse("::ffff:a01:203")->unmapped(), Address::parse("10.1.2.3"));
  for (const char* text : {"10.1.2.3", "::10.1.2.3", "64:ff9b::10.1.2.3", "fd00::1"}) {
    EXPECT_EQ(Address::parse(text)->unmapped(), Address::parse(text));
  }
}

}  // namespace
}  // namespace tfvm::hostcalls
