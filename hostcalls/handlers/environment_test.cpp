// Terrarium's extras: key-value store, time, chance, log and DNS. Checks 62 to 67 of the ABI.
#include <array>
#include <gtest/gtest.h>

#include "hostcalls/test_guest.hpp"
#include "hostcalls/test_services.hpp"

namespace tfvm::hostcalls {
namespace {

using World = TestGuest::World;
using LogKind = HostcallServices::LogKind;

struct Stored {
  FakeKeyValueStore store;
  TestGuest guest;
  explicit Stored(HostcallLimits limits = {}) : guest(puppet(), setup(limits)) {}
  std::uint64_t write(std::string_view function, std::string_view key, std::string_view value) {
    guest.put(TestGuest::scratch, key);
    guest.put(TestGuest::scratch + 1'024, value);
    return guest.call(function, TestGuest::scratch, key.size(), TestGuest::scratch + 1'024, value.size());
  }
  std::optional<std::string> get(std::string_view key) {
    guest.put(TestGuest::scratch, key);
    const std::uint64_t found =
        guest.call("kvstore_get", TestGuest::out, TestGuest::out + 4, TestGuest::scratch, key.size());
    EXPECT_EQ(found, guest.load(TestGuest::out) != 0 ? 1u : 0u);
    return guest.result();
  }
  std::uint64_t remove(std::string_view key) {
    guest.put(TestGuest::scratch, key);
    return guest.call("kvstore_remove", TestGuest::scratch, key.size());
  }

 private:
  World setup(const HostcallLimits& limits) {
    World result;
    result.services.key_value = &store;
    result.services.key_value_space = "example.com/a.wasm";
    result.services.limits = limits;
    return result;
  }
};

TEST(KeyValue, Check62_InsertUpsertAppendRemoveGet) {
  Stored stored;
  EXPECT_EQ(stored.get("key"), std::nullopt);
  EXPECT_EQ(stored.guest.mallocs(), 0u);
  EXPECT_EQ(stored.write("kvstore_insert", "key", "one"), 1u);
  EXPECT_EQ(stored.write("kvstore_insert", "key", "two"), 0u) << "overwrites";
  EXPECT_EQ(stored.get("key"), "two");
  EXPECT_EQ(stored.write("kvstore_upsert", "key", "three"), 0u) << "stores only what is absent";
  EXPECT_EQ(stored.get("key"), "two");
  EXPECT_EQ(stored.write("kvstore_upsert", "new", "four"), 1u);
  EXPECT_EQ(stored.write("kvstore_append", "key", "+"), 0u);
  EXPECT_EQ(stored.get("key"), "two+");
  EXPECT_EQ(stored.write("kvstore_append", "absent", "x"), 1u);
  EXPECT_EQ(stored.remove("key"), 1u);
  EXPECT_EQ(stored.remove("key"), 0u);
  EXPECT_EQ(stored.get("key"), std::nullopt);
  const std::string key("a\0b", 3);
  EXPECT_EQ(stored.write("kvstore_insert", key, std::string("\0\xff", 2)), 1u);
  EXPECT_EQ(stored.store.values.at({"example.com/a.wasm", key}), std::string("\0\xff", 2));
}

TEST(KeyValue, Check63_AnEmptyValueHasAPointer) {
  Stored stored;
  EXPECT_EQ(stored.write("kvstore_insert", "key", ""), 1u);
  EXPECT_EQ(stored.get("key"), "");
  EXPECT_NE(stored.guest.load(TestGuest::out), 0u);
  stored.guest.call("default_free_impl", stored.guest.load(TestGuest::out));
  EXPECT_FALSE(stored.guest.trap().has_value());
}

TEST(KeyValue, FailuresAre0AndSaidInTheLog) {
  HostcallLimits limits;
  limits.key_value.max_key_bytes = 4;
  limits.key_value.max_value_bytes = 4;
  Stored stored(limits);
  EXPECT_EQ(stored.write("kvstore_insert", "12345", "x"), 0u);
  EXPECT_EQ(stored.guest.log().back().text, "hostcall_kvstore_insert: the key is longer than 4 bytes");
  EXPECT_EQ(stored.write("kvstore_insert", "1234", "12345"), 0u);
  EXPECT_EQ(stored.guest.log().back().text, "hostcall_kvstore_insert: the value is longer than 4 bytes");
  EXPECT_EQ(stored.get("12345"), std::nullopt);
  EXPECT_EQ(stored.remove("12345"), 0u);
  stored.store.fails = true;
  EXPECT_EQ(stored.write("kvstore_append", "k", "v"), 0u);
  EXPECT_EQ(stored.get("k"), std::nullopt);
  EXPECT_EQ(stored.remove("k"), 0u);
  EXPECT_EQ(stored.guest.log().back().text, "hostcall_kvstore_remove: the disk is on fire");

  TestGuest none(puppet());
  none.put_u32(TestGuest::out, 1);
  EXPECT_EQ(none.call("kvstore_get", TestGuest::out, TestGuest::out + 4, 0, 0), 0u);
  EXPECT_EQ(none.load(TestGuest::out), 0u);
  EXPECT_EQ(none.call("kvstore_insert", 0, 1, 0, 1), 0u);
}

TEST(Environment, Check64_TimeWritesNanosecondsOnlyWhereItIsTold) {
  World setup;
  setup.services.clock = [] { return std::chrono::nanoseconds(1'700'000'000'123'456'789); };
  TestGuest guest(puppet(), std::move(setup));
  guest.put_u32(0, 0x1234'5678);
  EXPECT_EQ(guest.call("time_now", 0), 1'700'000'000u);
  EXPECT_EQ(guest.load(0), 0x1234'5678u);
  EXPECT_EQ(guest.call("time_now", 32), 1'700'000'000u);
  EXPECT_EQ(guest.load(32), 123'456'789u);
  TestGuest real(puppet());
  EXPECT_GT(real.call("time_now", 32), 1'700'000'000u);
  EXPECT_LT(real.load(32), 1'000'000'000u);
}

TEST(Environment, Check65_RandomNumbersDiffer) {
  TestGuest guest(puppet());
  const std::uint64_t first = guest.call("rng_next_u64");
  EXPECT_NE(first, guest.call("rng_next_u64"));
  World setup;
  setup.services.random = [](std::span<std::uint8_t> bytes) {
    for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(i + 1);
  };
  TestGuest injected(puppet(), std::move(setup));
  EXPECT_EQ(injected.call("rng_next_u64"), 0x0807'0605'0403'0201u);
}

TEST(Environment, Check66_DebugOfLengthMinus1EndsAtNulOrAtTheEndOfMemory) {
  TestGuest guest(puppet());
  const auto last_line = [&guest] { return guest.log().empty() ? std::string() : guest.log().back().text; };
  guest.put(100, std::string("hello\nworld\n\0rest", 17));
  guest.call("debug", 100, -1);
  EXPECT_EQ(last_line(), "hello\\0aworld");
  EXPECT_EQ(guest.log().back().kind, LogKind::Debug);
  guest.put(65'530, "abcdef");
  guest.call("debug", 65'530, -1);
  EXPECT_FALSE(guest.trap().has_value());
  EXPECT_EQ(last_line(), "abcdef");
  guest.call("debug", 65'536, -1);
  EXPECT_EQ(guest.trap_kind(), TrapKind::OutOfBoundsMemoryAccess);
  guest.call("debug", 100, 5);
  EXPECT_EQ(last_line(), "hello");
}

TEST(Environment, Check66_LinesAndTheirNumberAreBounded) {
  World setup;
  setup.services.limits.max_log_lines = 3;
  setup.services.limits.max_log_line_bytes = 10;
  TestGuest guest(puppet(), std::move(setup));
  guest.put(0, std::string(100, 'x'));
  guest.put(200, std::string(100, '\1'));
  guest.call("debug", 0, 100);
  guest.call("debug", 0, -1);
  guest.call("debug", 200, 100);
  guest.call("debug", 0, 1);
  guest.call("panic_hook", 0, 50);
  ASSERT_EQ(guest.log().size(), 3u);
  EXPECT_EQ(guest.log()[0].text, "xxxxxxxxxx");
  EXPECT_EQ(guest.log()[1].text, "xxxxxxxxxx");
  EXPECT_EQ(guest.log()[2].text.size(), 10u);
  EXPECT_EQ(guest.hostcalls().panic_message(), "xxxxxxxxxx") << "a panic is remembered all the same";
}

TEST(Dns, Check67_AddressesHave4Or16Bytes) {
  FakeResolver resolver;
  Address v4;
  v4.bytes = {192, 0, 2, 7};
  Address v6;
  v6.is_v6 = true;
  for (std::size_t i = 0; i < 16; ++i) v6.bytes[i] = static_cast<std::uint8_t>(i);
  resolver.names["example.com"] = {v4, v6, v4};
  World setup;
  setup.services.resolver = &resolver;
  TestGuest guest(puppet(), std::move(setup));
  const auto query = [&guest](std::string_view name, int wants_v6) {
    guest.put(TestGuest::scratch, name);
    const std::uint64_t found =
        guest.call("dns_query_ip", TestGuest::out, TestGuest::out + 4, TestGuest::scratch, name.size(), wants_v6);
    EXPECT_EQ(found, guest.load(TestGuest::out) != 0 ? 1u : 0u);
    return guest.list();
  };
  const std::string four("\xc0\0\2\7", 4);
  EXPECT_EQ(query("example.com", 0), (std::vector<std::string>{four, four}));
  EXPECT_EQ(query("example.com", 1), (std::vector<std::string>{{v6.bytes.begin(), v6.bytes.end()}}));
  EXPECT_EQ(query("example.org", 0), std::vector<std::string>{});
  EXPECT_EQ(guest.log().back().text, "hostcall_dns_query_ip: no such name");
  EXPECT_EQ(query(std::string(300, 'a'), 0), std::vector<std::string>{});
  guest.put(TestGuest::scratch, "question");
  EXPECT_EQ(guest.call("dns_query_raw", TestGuest::out, TestGuest::out + 4, TestGuest::scratch, 8), 1u);
  EXPECT_EQ(guest.result(), "answer:question");
  EXPECT_EQ(guest.call("dns_query_raw", TestGuest::out, TestGuest::out + 4, 0, 0), 0u);
  EXPECT_EQ(guest.result(), std::nullopt);
}

TEST(Dns, QuestionsAreBoundedAndNeedAResolver) {
  FakeResolver resolver;
  World setup;
  setup.services.resolver = &resolver;
  setup.services.limits.max_dns_queries = 2;
  TestGuest guest(puppet(), std::move(setup));
  for (int i = 0; i < 2; ++i) EXPECT_EQ(guest.call("dns_query_raw", 16, 20, 100, 8), 1u);
  EXPECT_EQ(guest.call("dns_query_raw", 16, 20, 100, 8), 0u);
  EXPECT_EQ(guest.load(16), 0u);
  TestGuest none(puppet());
  EXPECT_EQ(none.call("dns_query_raw", 16, 20, 100, 8), 0u);
  EXPECT_EQ(none.call("dns_query_ip", 16, 20, 100, 8, 0), 0u);
}

}  // namespace
}  // namespace tfvm::hostcalls
