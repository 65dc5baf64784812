// DNS messages as bytes: what is read from good ones, what is refused in bad ones.
#include "hostcalls/dns_message.hpp"

#include <gtest/gtest.h>

#include "hostcalls/test_dns_server.hpp"

namespace tfvm::hostcalls {
namespace {

using test::a;
using test::answer_to;
using test::cname;
using test::u16;
using namespace std::string_literals;

std::string query_of(const std::string& name, dns::Type type = dns::Type::A) {
  return dns::make_query(dns::encode_name(name), type);
}

TEST(DnsMessage, MakesQueries) {
  EXPECT_EQ(query_of("Www.example.COM"), "\0\0\x01\0\0\x01\0\0\0\0\0\0\3www\7example\3com\0\0\x01\0\x01"s);
  EXPECT_EQ(query_of("a.", dns::Type::Txt), "\0\0\x01\0\0\x01\0\0\0\0\0\0\1a\0\0\x10\0\x01"s);
  std::string query = query_of("a");
  dns::set_transaction_id(query, 0xabcd);
  EXPECT_EQ(dns::transaction_id(query), 0xabcd);
  EXPECT_TRUE(dns::is_plain_query(query));
}

TEST(DnsMessage, ReadsAnswers) {
  const std::string query = query_of("www.example.com");
  const std::string message = answer_to(query, {cname("www.example.com", "\3Web\xc0\x10"s, 5),
                                                {"\3wEb\xc0\x10"s, 1, test::a_data("1.2.3.4"), 0x80000000u}});
  ASSERT_TRUE(dns::is_answer_to(message, query));
  const std::optional<dns::Answer> answer = dns::read_answer(message);
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->code, dns::ResponseCode::NoError);
  ASSERT_EQ(answer->records.size(), 2u);
  EXPECT_EQ(answer->records[0].name, dns::encode_name("www.example.com"));
  EXPECT_EQ(answer->records[0].data, dns::encode_name("web.example.com"));
  EXPECT_EQ(answer->records[0].time_to_live, 5u);
  EXPECT_EQ(answer->records[1].name, dns::encode_name("web.example.com"));
  EXPECT_EQ(answer->records[1].data, "\1\2\3\4");
  EXPECT_EQ(answer->records[1].time_to_live, 0u);
}

TEST(DnsMessage, AnswersMatchTheirQuestion) {
  std::string query = query_of("example.com");
  dns::set_transaction_id(query, 0x1234);
  const std::string good = answer_to(query, {a("example.com", "1.2.3.4")});
  EXPECT_TRUE(dns::is_answer_to(good, query));
  std::string upper = good;
  upper[13] = 'E';
  EXPECT_TRUE(dns::is_answer_to(upper, query));
  const auto changed = [&](std::size_t index, char byte) {
    std::string message = good;
    message[index] = byte;
    return message;
  };
  const std::string bad[] = {
      "",
      good.substr(0, 11),
      good.substr(0, 20),
      query,
      changed(0, 0),
      changed(1, 0),
      changed(2, 0x01),                     // a query
      changed(2, static_cast<char>(0xa9)),  // another opcode
      changed(5, 0),
      changed(5, 2),  // no question, two
      changed(13, 'f'),
      changed(12, 6),  // another name
      changed(26, 28),
      changed(28, 3),  // type, class
  };
  for (const std::string& message : bad) EXPECT_FALSE(dns::is_answer_to(message, query));
  EXPECT_FALSE(dns::is_truncated(good));
  EXPECT_TRUE(dns::is_truncated(changed(2, static_cast<char>(0x83))));
}

TEST(DnsMessage, RefusesMalformedAnswers) {
  const std::string query = query_of("a.b");
  const std::string good = answer_to(query, {a("a.b", "1.2.3.4"), cname("a.b", "c.d")});
  ASSERT_TRUE(dns::read_answer(good));
  for (std::size_t size = 0; size < good.size(); ++size) EXPECT_FALSE(dns::read_answer(good.substr(0, size))) << size;
  const std::string label = "\x3f" + std::string(63, 'x');
  const std::string long_name = label + label + label + label + "\0"s;  // 257 bytes
  const std::string names[] = {
      "\xc0\x15"s,     // to itself: the record begins at 12 + 5 + 4
      "\xc0\x16"s,     // forwards
      "\xff\xff"s,     // beyond the end
      "\1x\xc0\x15"s,  // to its own begin
      "\xc0"s,        "\x40"s + "x\0"s,
      "\x80\0"s,  // kinds of labels that are not there (RFC 6891 withdrew them)
      long_name,      label + label + label + "\x3f"s + std::string(62, 'y'),
  };
  for (const std::string& name : names) {
    std::string message = answer_to(query, {a("a.b", "1.2.3.4")});
    message.replace(12 + 9, 5, name);
    EXPECT_FALSE(dns::read_answer(message));
  }
  // Names in data: must end where the data ends.
  for (const std::string& data : {"\1c\1d\0x"s, "\1c\1d"s, ""s, "\xc0"s}) {
    EXPECT_FALSE(dns::read_answer(answer_to(query, {{"a.b", 5, data}, a("a.b", "1.2.3.4")})));
  }
}

TEST(DnsMessage, PointersMustLeadBackwardsEachTime) {
  // Two names that point to each other through records' data.
  const std::string query = query_of("a.b");
  std::string message = answer_to(query, {{"a.b", 16, "\1x\xc0\x28"s}, {"\xc0\x24"s, 1, "1234"}});
  EXPECT_FALSE(dns::read_answer(message));
  // A chain of pointers, each to the one before: legal, and read once.
  std::string data = "\1z\0"s;
  std::size_t begin = 12 + 9 + 5 + 10;
  for (std::size_t i = 0; i < 100; ++i) {
    const std::size_t target = i == 0 ? begin : begin + 3 + (i - 1) * 2;
    data += u16(0xc000 | static_cast<unsigned>(target));
  }
  const std::size_t last = begin + 3 + 99 * 2;
  message = answer_to(query, {{"a.b", 16, data}, {u16(0xc000 | static_cast<unsigned>(last)), 1, "1234"}});
  const std::optional<dns::Answer> answer = dns::read_answer(message);
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->records[1].name, dns::encode_name("z"));
}

TEST(DnsMessage, KnowsPlainQueries) {
  const std::string good = query_of("example.com");
  EXPECT_TRUE(dns::is_plain_query(good));
  std::string with_edns = good + "\0\0\x29\x04\xd0\0\0\0\0\0\0"s;
  with_edns[11] = 1;
  EXPECT_TRUE(dns::is_plain_query(with_edns));
  EXPECT_TRUE(dns::is_plain_query(query_of("example.com", static_cast<dns::Type>(65))));
  const auto changed = [&](std::size_t index, char byte) {
    std::string message = good;
    message[index] = byte;
    return message;
  };
  const std::string bad[] = {
      "",
      "x",
      good.substr(0, 12),
      good.substr(0, good.size() - 1),
      changed(2, static_cast<char>(0x81)),
      changed(2, 0x29),  // dynamic update
      changed(2, 0x21),  // notify
      changed(5, 0),
      changed(5, 2),
      changed(7, 1),
      changed(9, 1),
      changed(12, static_cast<char>(0xc0)),
      query_of("example.com", static_cast<dns::Type>(252)),  // transfers
      query_of("example.com", static_cast<dns::Type>(251)),
      query_of("example.com", static_cast<dns::Type>(255)),
      good + std::string(65'536, '\0'),
  };
  for (const std::string& message : bad) EXPECT_FALSE(dns::is_plain_query(message));
}

TEST(DnsMessage, JoinsTexts) {
  EXPECT_EQ(dns::join_text("\3abc\2de"), "abcde");
  EXPECT_EQ(dns::join_text("\0"s), "");
  EXPECT_EQ(dns::join_text("\1a\0\1b"s), "ab");
  EXPECT_EQ(dns::join_text(""), std::nullopt);
  EXPECT_EQ(dns::join_text("\4abc"), std::nullopt);
  EXPECT_EQ(dns::join_text("\1a\5b"), std::nullopt);
}

}  // namespace
}  // namespace tfvm::hostcalls
