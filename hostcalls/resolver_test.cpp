// Resolver against servers that lie, fail, cut off and loop, and against dnsmasq.
#include "hostcalls/resolver.hpp"

#include <atomic>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <set>

#include "hostcalls/test_dns_server.hpp"
#include "hostcalls/test_process.hpp"

namespace tfvm::hostcalls {
namespace {

using test::a;
using test::answer_to;
using test::cname;
using test::DnsRecord;
using test::FakeDnsServer;
using test::u16;
using namespace std::string_literals;

constexpr std::chrono::milliseconds patient{20'000}, impatient{150};

std::unique_ptr<Resolver> resolver_of(std::vector<std::string> servers, std::chrono::milliseconds timeout = patient,
                                      unsigned tries = 1, std::string hosts_file = {}) {
  Result<std::unique_ptr<Resolver>> resolver =
      make_resolver({std::move(servers), timeout, tries, std::move(hosts_file)});
  EXPECT_TRUE(resolver.ok());
  return std::move(*resolver);
}

std::string found(const Resolver::Addresses& result) {
  if (result.status != LookupStatus::Found) return "status " + std::to_string(static_cast<int>(result.status));
  std::string text;
  for (const Address& address : result.addresses) text += (text.empty() ? "" : " ") + address.to_string();
  return text;
}

std::string lookup(Resolver& resolver, std::string_view name, bool v6 = false) {
  return found(resolver.addresses(name, v6, {}));
}

std::string status(LookupStatus status) { return "status " + std::to_string(static_cast<int>(status)); }

FakeDnsServer::ByUdp always(std::vector<DnsRecord> records, unsigned flags = 0x8180) {
  return [=](const std::string& query) { return std::vector{answer_to(query, records, flags)}; };
}

TEST(Resolver, FindsAddresses) {
  FakeDnsServer server([](const std::string& query) {
    const bool v6 = query[query.size() - 3] == 28;
    return std::vector{answer_to(query, v6 ? std::vector{a("example.com", "2001:db8::1")}
                                           : std::vector{a("example.com", "192.0.2.1"), a("EXAMPLE.com", "192.0.2.2"),
                                                         a("other.com", "192.0.2.3")})};
  });
  const auto resolver = resolver_of({server.address()});
  EXPECT_EQ(lookup(*resolver, "example.com"), "192.0.2.1 192.0.2.2");
  EXPECT_EQ(lookup(*resolver, "Example.COM.", true), "2001:db8::1");
}

TEST(Resolver, AsksNobodyWhatItKnows) {
  const test::TemporaryFolder folder;
  std::ofstream(folder / "hosts") << "# comment\n192.0.2.7 Seven.example seven\t7.example # eight\n"
                                     "2001:db8::7 seven.example\n127.1 short\nbad-line\n";
  FakeDnsServer server(always({a("x", "192.0.2.9")}));
  const auto resolver = resolver_of({server.address()}, patient, 1, folder / "hosts");
  EXPECT_EQ(lookup(*resolver, "192.0.2.1"), "192.0.2.1");
  EXPECT_EQ(lookup(*resolver, "2001:db8::5", true), "2001:db8::5");
  EXPECT_EQ(lookup(*resolver, "192.0.2.1", true), status(LookupStatus::NoData));
  EXPECT_EQ(lookup(*resolver, "seven.example"), "192.0.2.7");
  EXPECT_EQ(lookup(*resolver, "SEVEN.example.", true), "2001:db8::7");
  EXPECT_EQ(lookup(*resolver, "seven", true), status(LookupStatus::NoData));
  EXPECT_EQ(lookup(*resolver, "7.example"), "192.0.2.7");
  EXPECT_EQ(lookup(*resolver, "localhost"), "127.0.0.1");
  EXPECT_EQ(lookup(*resolver, "a.localhost", true), "::1");
  for (const std::string_view name : {"", ".", "a b", "127.1", "0x7f000001", "2130706433", "a..b", "a/b", "\xff"}) {
    EXPECT_EQ(lookup(*resolver, name), status(LookupStatus::BadName)) << name;
    EXPECT_EQ(resolver->texts(name, {}).status, LookupStatus::BadName) << name;
  }
  EXPECT_EQ(server.query_count(), 0u);
  // A changed file counts at once.
  std::ofstream(folder / "hosts") << "192.0.2.70 seven.example\n";
  EXPECT_EQ(lookup(*resolver, "seven.example"), "192.0.2.70");
}

TEST(Resolver, TakesOnlyTheAnswerToItsQuestion) {
  FakeDnsServer server([](const std::string& query) {
    std::string other_id = answer_to(query, {a("example.com", "192.0.2.66")});
    other_id[0] = static_cast<char>(other_id[0] ^ 1);
    std::string other_name = query;
    other_name[13] = 'f';
    std::string other_type = query;
    other_type[other_type.size() - 3] = 28;
    return std::vector{""s,
                       "x"s,
                       query,
                       other_id,
                       answer_to(other_name, {a("example.com", "192.0.2.66")}),
                       answer_to(other_type, {a("example.com", "192.0.2.66")}),
                       std::string(60'000, '\xff'),
                       answer_to(query, {a("example.com", "192.0.2.1")})};
  });
  EXPECT_EQ(lookup(*resolver_of({server.address()}), "example.com"), "192.0.2.1");
}

TEST(Resolver, TakesNothingFromOthers) {
  std::atomic<FakeDnsServer*> self = nullptr;
  FakeDnsServer server([&](const std::string& query) {
    // Somebody who knows everything but sends from another socket.
    const int stranger = ::socket(AF_INET, SOCK_DGRAM, 0);
    const SocketAddress client(*Address::parse("127.0.0.1"), self.load()->ports().back());
    const std::string forged = answer_to(query, {a("example.com", "192.0.2.66")});
    ::sendto(stranger, forged.data(), forged.size(), 0, client.get(), client.size());
    ::close(stranger);
    return std::vector{answer_to(query, {a("example.com", "192.0.2.1")})};
  });
  self = &server;
  EXPECT_EQ(lookup(*resolver_of({server.address()}), "example.com"), "192.0.2.1");
}

TEST(Resolver, ForgeriesAloneAreNoAnswer) {
  FakeDnsServer server([](const std::string& query) {
    std::string forged = answer_to(query, {a("example.com", "192.0.2.66")});
    forged[1] = static_cast<char>(forged[1] ^ 0x80);
    return std::vector{forged};
  });
  EXPECT_EQ(lookup(*resolver_of({server.address()}, impatient), "example.com"), status(LookupStatus::TimedOut));
}

TEST(Resolver, IdsAndPortsAreRandom) {
  FakeDnsServer server(always({a("example.com", "192.0.2.1", 0)}));
  const auto resolver = resolver_of({server.address()});
  for (int i = 0; i < 100; ++i) EXPECT_EQ(lookup(*resolver, "example.com"), "192.0.2.1");
  std::set<std::uint16_t> ids;
  for (const std::string& query : server.queries()) ids.insert(dns::transaction_id(query));
  const std::vector<std::uint16_t> all_ports = server.ports();
  const std::set<std::uint16_t> ports(all_ports.begin(), all_ports.end());
  EXPECT_GT(ids.size(), 90u);
  EXPECT_GT(ports.size(), 50u);
}

TEST(Resolver, FollowsAliases) {
  std::vector<DnsRecord> chain;
  for (int i = 10; i > 0; --i) {  // in no order
    chain.push_back(cname("n" + std::to_string(i) + ".example", "n" + std::to_string(i + 1) + ".example"));
  }
  chain.push_back(a("n11.example", "192.0.2.11"));
  chain.push_back(a("n1.example", "192.0.2.66"));  // an alias has no other data
  FakeDnsServer server(always(chain));
  EXPECT_EQ(lookup(*resolver_of({server.address()}), "n1.example"), "192.0.2.11");
}

TEST(Resolver, AsksAgainForWhatAnAliasLeadsTo) {
  FakeDnsServer server([](const std::string& query) {
    if (query.find("www") != std::string::npos)
      return std::vector{answer_to(query, {cname("www.a.example", "web.b.example")})};
    return std::vector{answer_to(query, {a("web.b.example", "192.0.2.1")})};
  });
  EXPECT_EQ(lookup(*resolver_of({server.address()}), "www.a.example"), "192.0.2.1");
  EXPECT_EQ(server.query_count(), 2u);
}

TEST(Resolver, AliasesEnd) {
  const std::vector<std::vector<DnsRecord>> answers = {
      {cname("a.example", "a.example")},
      {cname("a.example", "b.example"), cname("b.example", "a.example")},
      {cname("a.example", "b.example"), cname("b.example", "c.example"), cname("c.example", "b.example"),
       a("a.example", "192.0.2.66")},
  };
  for (const std::vector<DnsRecord>& records : answers) {
    FakeDnsServer server(always(records));
    EXPECT_EQ(lookup(*resolver_of({server.address()}), "a.example"), status(LookupStatus::ServerFailed));
  }
  // Through ever new questions.
  int number = 0;
  FakeDnsServer server([&](const std::string& query) {
    const std::string name = query.substr(12, query.find('\0', 12) + 1 - 12);
    return std::vector{answer_to(query, {{name, 5, dns::encode_name("n" + std::to_string(++number) + ".example")}})};
  });
  EXPECT_EQ(lookup(*resolver_of({server.address()}), "a.example"), status(LookupStatus::ServerFailed));
  EXPECT_LT(server.query_count(), 10u);
}

TEST(Resolver, MalformedAnswersFail) {
  const std::vector<DnsRecord> bad[] = {
      {{"\xc0\x1d"s, 1, "1234"}},       // a name that is itself
      {{"\xc0\xff"s, 1, "1234"}},       // beyond the end
      {{"a.example", 5, "\xc0\x31"s}},  // an alias to itself, by pointer
      {{"a.example", 5, "\1x\1"s}},    {{"a.example", 1, "12345"}, {"a.example", 1, "1"}},  // no addresses
  };
  for (const std::vector<DnsRecord>& records : bad) {
    FakeDnsServer server(always(records));
    const std::string result = lookup(*resolver_of({server.address()}), "a.example");
    EXPECT_TRUE(result == status(LookupStatus::ServerFailed) || result == status(LookupStatus::NoData)) << result;
  }
  FakeDnsServer counts([](const std::string& query) {
    std::string message = answer_to(query, {a("a.example", "192.0.2.1")});
    message[7] = static_cast<char>(0xff);  // 65281 and more records
    message[6] = static_cast<char>(0xff);
    return std::vector{message};
  });
  EXPECT_EQ(lookup(*resolver_of({counts.address()}), "a.example"), status(LookupStatus::ServerFailed));
}

TEST(Resolver, AsksByTcpWhenCutOff) {
  std::vector<DnsRecord> many;
  for (int i = 0; i < 200; ++i) many.push_back(a("a.example", "192.0.2." + std::to_string(i)));
  FakeDnsServer server(always({a("a.example", "192.0.2.66")}, 0x8380), [&](const std::string& query) {
    const std::string message = answer_to(query, many);
    return u16(static_cast<unsigned>(message.size())) + message;
  });
  const Resolver::Addresses result = resolver_of({server.address()})->addresses("a.example", false, {});
  EXPECT_EQ(result.status, LookupStatus::Found);
  EXPECT_EQ(result.addresses.size(), 200u);
}

TEST(Resolver, TcpIsNoMoreTrusted) {
  const FakeDnsServer::ByTcp answers[] = {
      [](const std::string&) { return ""s; },
      [](const std::string&) { return "x"s; },
      [](const std::string&) { return "\0\0"s; },
      [](const std::string&) { return "\xff\xff"s + "short"; },
      [](const std::string& query) { return u16(static_cast<unsigned>(query.size())) + query; },
      [](const std::string& query) {
        std::string message = answer_to(query, {a("a.example", "192.0.2.66")});
        message[0] = static_cast<char>(message[0] ^ 1);
        return u16(static_cast<unsigned>(message.size())) + message;
      },
      [](const std::string& query) {
        const std::string message = answer_to(query, {a("a.example", "192.0.2.66")});
        return u16(static_cast<unsigned>(message.size()) - 1) + message;
      },
  };
  for (const FakeDnsServer::ByTcp& by_tcp : answers) {
    FakeDnsServer server(always({}, 0x8380), by_tcp);
    EXPECT_EQ(lookup(*resolver_of({server.address()}), "a.example"), status(LookupStatus::ServerFailed));
  }
}

TEST(Resolver, SaysWhyThereIsNothing) {
  struct Case {
    unsigned flags;
    LookupStatus status;
    std::size_t queries;  ///< for two lookups by two tries each
  };
  for (const Case& c : {Case{0x8180, LookupStatus::NoData, 1}, Case{0x8183, LookupStatus::NoSuchName, 1},
                        Case{0x8182, LookupStatus::ServerFailed, 4}, Case{0x8185, LookupStatus::ServerFailed, 4}}) {
    FakeDnsServer server(always({}, c.flags));
    const auto resolver = resolver_of({server.address()}, patient, 2);
    EXPECT_EQ(lookup(*resolver, "a.example"), status(c.status));
    EXPECT_EQ(lookup(*resolver, "a.example"), status(c.status));
    EXPECT_EQ(server.query_count(), c.queries) << "that there is none is kept, that a server fails is not";
  }
  FakeDnsServer silent([](const std::string&) { return std::vector<std::string>(); });
  EXPECT_EQ(lookup(*resolver_of({silent.address()}, impatient), "a.example"), status(LookupStatus::TimedOut));
}

TEST(Resolver, AsksTheNextServer) {
  FakeDnsServer good(always({a("a.example", "192.0.2.1", 0)}));
  FakeDnsServer failing(always({}, 0x8182));
  FakeDnsServer silent([](const std::string&) { return std::vector<std::string>(); });
  const std::string nobody = "127.0.0.1:" + std::to_string(test::free_port(SOCK_DGRAM));
  EXPECT_EQ(lookup(*resolver_of({failing.address(), good.address()}), "a.example"), "192.0.2.1");
  EXPECT_EQ(lookup(*resolver_of({nobody, good.address()}), "a.example"), "192.0.2.1");
  EXPECT_EQ(lookup(*resolver_of({silent.address(), good.address()}, std::chrono::seconds(1), 2), "a.example"),
            "192.0.2.1");
}

TEST(Resolver, KeepsAddressesAsLongAsTheyLast) {
  FakeDnsServer server([](const std::string& query) {
    const bool short_lived = query.find("short") != std::string::npos;
    const std::string name = query.substr(12, query.find('\0', 12) + 1 - 12);
    return std::vector{answer_to(query, {{name, 1, "\1\2\3\4", short_lived ? 0u : 1'000'000u}})};
  });
  const auto resolver = resolver_of({server.address()});
  for (int i = 0; i < 3; ++i) EXPECT_EQ(lookup(*resolver, "long.example"), "1.2.3.4");
  EXPECT_EQ(server.query_count(), 1u);
  EXPECT_EQ(lookup(*resolver, "LONG.example."), "1.2.3.4");
  EXPECT_EQ(server.query_count(), 1u);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(lookup(*resolver, "short.example"), "1.2.3.4");
  EXPECT_EQ(server.query_count(), 4u);
  for (int i = 0; i < 10'000; ++i) lookup(*resolver, "n" + std::to_string(i) + ".example");  // bounded; stays correct
  EXPECT_EQ(lookup(*resolver, "long.example"), "1.2.3.4");
}

TEST(Resolver, CanBeCancelled) {
  FakeDnsServer silent([](const std::string&) { return std::vector<std::string>(); });
  const auto resolver = resolver_of({silent.address()}, std::chrono::minutes(10), 5);
  int looks = 0;
  const Resolver::IsCancelled after_three = [&] { return ++looks > 3; };
  EXPECT_EQ(resolver->addresses("a.example", false, after_three).status, LookupStatus::Cancelled);
  EXPECT_EQ(resolver->texts("a.example", after_three).status, LookupStatus::Cancelled);
  EXPECT_EQ(resolver->query(dns::make_query("\1a\0"s, dns::Type::A), after_three).status, LookupStatus::Cancelled);
}

TEST(Resolver, FindsTexts) {
  const std::string long_part(255, 'x');
  FakeDnsServer server(always({{"a.example", 16, "\3abc\2de"},
                               {"a.example", 16, "\xff" + long_part + "\1y"},
                               {"other.example", 16, "\1z"},
                               {"a.example", 16, "\5bad"},
                               {"a.example", 1, "1234"}}));
  const auto resolver = resolver_of({server.address()});
  for (std::size_t i = 1; i <= 2; ++i) {
    const Resolver::Texts result = resolver->texts("a.example", {});
    EXPECT_EQ(result.status, LookupStatus::Found);
    EXPECT_EQ(result.texts, (std::vector<std::string>{"abcde", long_part + "y"}));
    EXPECT_EQ(server.query_count(), i);
  }
  EXPECT_EQ(resolver->texts("b.example", {}).status, LookupStatus::NoData);
}

TEST(Resolver, SendsRawQueries) {
  FakeDnsServer server(always({{"a.example", 99, "data"}}, 0x8183));
  const auto resolver = resolver_of({server.address()});
  std::string query = dns::make_query(dns::encode_name("a.example"), static_cast<dns::Type>(99));
  dns::set_transaction_id(query, 0xbeef);
  std::set<std::uint16_t> ids;
  for (int i = 0; i < 20; ++i) {
    const Resolver::Message answer = resolver->query(query, {});
    ASSERT_EQ(answer.status, LookupStatus::Found);
    EXPECT_EQ(answer.bytes, answer_to(query, {{"a.example", 99, "data"}}, 0x8183));
    ids.insert(dns::transaction_id(server.queries().back()));
    EXPECT_EQ(server.queries().back().substr(2), query.substr(2));
  }
  EXPECT_GT(ids.size(), 15u);
  std::string update = query;
  update[2] = 0x28;
  for (const std::string& bad : {""s, "x"s, update, std::string(12, '\0'), std::string(70'000, '\0')}) {
    EXPECT_EQ(resolver->query(bad, {}).status, LookupStatus::BadName);
  }
  EXPECT_EQ(server.query_count(), 20u);
}

TEST(Resolver, SendsLongRawQueriesByTcp) {
  FakeDnsServer server([](const std::string&) { return std::vector<std::string>(); },
                       [](const std::string& query) {
                         const std::string message = answer_to(query, {a("a.example", "192.0.2.1")});
                         return u16(static_cast<unsigned>(message.size())) + message;
                       });
  const std::string query = dns::make_query(dns::encode_name("a.example"), dns::Type::A) + std::string(5'000, 'x');
  EXPECT_EQ(resolver_of({server.address()})->query(query, {}).status, LookupStatus::Found);
  EXPECT_EQ(server.queries().back().size(), query.size());
}

TEST(Resolver, RefusesWrongServers) {
  for (const char* server : {"", "localhost", "127.0.0.1:", "127.0.0.1:0", "127.0.0.1:65536", "127.0.0.1:x", "[::1",
                             "::1]:53", "[127.0.0.1]:53", "127.1:53", "127.0.0.1 "}) {
    const Result<std::unique_ptr<Resolver>> resolver = make_resolver({{server}});
    ASSERT_FALSE(resolver.ok()) << server;
    EXPECT_EQ(resolver.error().kind, ErrorKind::Host);
  }
  for (const char* server : {"127.0.0.1", "127.0.0.1:5353", "::1", "[::1]:53", "2001:db8::1"}) {
    EXPECT_TRUE(make_resolver({{server}}).ok()) << server;
  }
}

// ---- A real server
// ----------------------------------------------------------------------------------------------------

class Dnsmasq {
 public:
  explicit Dnsmasq(const std::vector<std::string>& options) {
    for (int attempt = 0; attempt < 20 && !is_running_; ++attempt) {
      port_ = test::free_port(SOCK_DGRAM);
      std::vector<std::string> argv = {"dnsmasq",
                                       "--keep-in-foreground",
                                       "--conf-file=/dev/null",
                                       "--no-resolv",
                                       "--no-hosts",
                                       "--no-poll",
                                       "--log-facility=-",
                                       "--pid-file=",
                                       "--bind-interfaces",
                                       "--listen-address=127.0.0.1",
                                       "--port=" + std::to_string(port_),
                                       "--user=",
                                       "--group="};
      argv.insert(argv.end(), options.begin(), options.end());
      process_.emplace(argv);
      is_running_ = process_->has_said("started, version");
    }
    EXPECT_TRUE(is_running_) << "dnsmasq does not start (Debian package dnsmasq-base):\n" << process_->said();
  }
  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }

 private:
  std::uint16_t port_ = 0;
  bool is_running_ = false;
  std::optional<test::ChildProcess> process_;
};

TEST(ResolverWithDnsmasq, AnswersAllKinds) {
  std::vector<std::string> options = {"--local=/test/",
                                      "--host-record=host.test,192.0.2.5,2001:db8::5",
                                      "--cname=alias.test,host.test",
                                      "--local-ttl=60",
                                      "--txt-record=_keybase_pages.site.test,kbp=/keybase/private/alice",
                                      "--txt-record=_keybase_pages.site.test,other"};
  std::string large = "--txt-record=large.test";
  for (int i = 0; i < 10; ++i) large += "," + std::string(200, static_cast<char>('a' + i));
  options.push_back(large);
  const Dnsmasq server(options);
  const auto resolver = resolver_of({server.address()});
  EXPECT_EQ(lookup(*resolver, "host.test"), "192.0.2.5");
  EXPECT_EQ(lookup(*resolver, "host.test", true), "2001:db8::5");
  EXPECT_EQ(lookup(*resolver, "alias.test"), "192.0.2.5");
  EXPECT_EQ(lookup(*resolver, "none.test"), status(LookupStatus::NoSuchName));
  EXPECT_EQ(lookup(*resolver, "large.test"), status(LookupStatus::NoData));
  const Resolver::Texts texts = resolver->texts("_keybase_pages.site.test", {});
  EXPECT_EQ(std::set<std::string>(texts.texts.begin(), texts.texts.end()),
            (std::set<std::string>{"kbp=/keybase/private/alice", "other"}));
  const Resolver::Texts large_text = resolver->texts("large.test", {});  // does not fit a datagram
  ASSERT_EQ(large_text.texts.size(), 1u);
  EXPECT_EQ(large_text.texts[0].size(), 2'000u);
  const Resolver::Message raw = resolver->query(dns::make_query(dns::encode_name("host.test"), dns::Type::A), {});
  ASSERT_EQ(raw.status, LookupStatus::Found);
  EXPECT_EQ(dns::read_answer(raw.bytes)->records.size(), 1u);
}

}  // namespace
}  // namespace tfvm::hostcalls
