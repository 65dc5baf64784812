// Getters of the incoming request, what they allocate, and how bad arguments end: checks 11 to 32 of the ABI.
#include <gtest/gtest.h>
#include <set>

#include "hostcalls/test_guest.hpp"

namespace tfvm::hostcalls {
namespace {

using World = TestGuest::World;
using Strings = std::vector<std::string>;

World with_headers(Headers headers) {
  World setup;
  setup.request.headers = std::move(headers);
  return setup;
}

TEST(Request, Check11_NamesComeOnceEachInOrder) {
  TestGuest guest(puppet(), with_headers({{"User-Agent", "curl/8.0"}, {"Accept", "*/*"}}));
  EXPECT_EQ(guest.names("req_get_headers", 0), (Strings{"user-agent", "accept"}));
}

TEST(Request, Check12_ARepeatedNameIsOneNameWithAllValues) {
  TestGuest guest(puppet(), with_headers({{"X-Test", "one"}, {"Accept", "*/*"}, {"x-test", "two"}}));
  EXPECT_EQ(guest.names("req_get_headers", 0), (Strings{"x-test", "accept"}));
  EXPECT_EQ(guest.fields("req_get_header", 0, "x-test"), (Strings{"one", "two"}));
}

TEST(Request, Check13_LookUpIgnoresCase) {
  TestGuest guest(puppet(), with_headers({{"Content-TYPE", "text/plain"}}));
  for (const char* const name : {"content-type", "CONTENT-TYPE", "Content-Type"})
    EXPECT_EQ(guest.fields("req_get_header", 0, name), Strings{"text/plain"});
}

TEST(Request, Check14_AMissingHeaderIsAnEmptyListWithoutAllocation) {
  TestGuest guest(puppet(), with_headers({{"a", "b"}}));
  guest.put_u32(TestGuest::out, 7);
  guest.put_u32(TestGuest::out + 4, 7);
  EXPECT_EQ(guest.fields("req_get_header", 0, "x-missing"), Strings{});
  EXPECT_EQ(guest.load(TestGuest::out), 0u);
  EXPECT_EQ(guest.mallocs(), 0u);
  TestGuest none(puppet());
  EXPECT_EQ(none.names("req_get_headers", 0), Strings{});
  EXPECT_EQ(none.mallocs(), 0u);
}

TEST(Request, Check15_AnEmptyHeaderValueIsAnElementThatCanBeFreed) {
  TestGuest guest(puppet(), with_headers({{"X-Empty", ""}}));
  EXPECT_EQ(guest.fields("req_get_header", 0, "x-empty"), Strings{""});
  const std::uint32_t list = guest.load(TestGuest::out);
  guest.call("default_free_impl", guest.load(list));
  EXPECT_FALSE(guest.trap().has_value());
  guest.call("default_free_impl", list);
  EXPECT_FALSE(guest.trap().has_value());
}

TEST(Request, Check16_HostIsVisible) {
  TestGuest guest(puppet(), with_headers({{"Host", "example.com:8080"}}));
  EXPECT_EQ(guest.names("req_get_headers", 0), Strings{"host"});
  EXPECT_EQ(guest.fields("req_get_header", 0, "host"), Strings{"example.com:8080"});
}

TEST(Request, Check17_WhatNoGuestCouldTakeIsNotVisible) {
  TestGuest guest(puppet(), with_headers({{":authority", "a"}, {"ok", "\xc3\xa9\t"}, {"bell", "\a"}, {"sp ace", "x"}}));
  EXPECT_EQ(guest.names("req_get_headers", 0), Strings{"ok"});
  EXPECT_EQ(guest.fields("req_get_header", 0, ":authority"), Strings{});
  EXPECT_EQ(guest.fields("req_get_header", 0, "bell"), Strings{});
  EXPECT_EQ(guest.fields("req_get_header", 0, "ok"), Strings{"\xc3\xa9\t"});
}

TEST(Request, Check18_TheMethodIsVerbatim) {
  for (const char* const method : {"GET", "POST", "PURGE", "get", "M-SEARCH"}) {
    World setup;
    setup.request.method = method;
    EXPECT_EQ(TestGuest(puppet(), std::move(setup)).get("req_get_method", 0), method);
  }
}

TEST(Request, Check19_And20_ThePathHasItsQueryAndStaysEncoded) {
  for (const char* const target : {"/hello.wasm?a=1&b=2", "/%41%20%c3%a9/../x?y=%2f", "http://example.com/x?y", "*"}) {
    World setup;
    setup.request.target = target;
    TestGuest guest(puppet(), std::move(setup));
    EXPECT_EQ(guest.get("req_get_path", 0), target);
    EXPECT_EQ(guest.get("req_get_path", 0), target) << "repeatable";
  }
}

TEST(Request, Check22_And23_BodiesAreExactAndRepeatable) {
  for (const std::size_t size : {std::size_t{1}, std::size_t{65'536}, std::size_t{1} << 20}) {
    std::string body(size, '\0');
    for (std::size_t i = 0; i < size; ++i) body[i] = static_cast<char>(i * 7 + i / 256);
    World setup;
    setup.request.body = body;
    TestGuest guest(puppet(), std::move(setup));
    EXPECT_TRUE(guest.get("req_get_body", 0) == body) << size;
    const std::uint32_t first = guest.load(TestGuest::out);
    EXPECT_TRUE(guest.get("req_get_body", 0) == body) << size;
    EXPECT_NE(guest.load(TestGuest::out), first);
  }
  TestGuest empty(puppet());
  EXPECT_EQ(empty.get("req_get_body", 0), std::nullopt);
  EXPECT_EQ(empty.mallocs(), 0u);
}

TEST(Request, Check24_ResultsEndWithNulThatIsNotCounted) {
  World setup = with_headers({{"name", "value"}});
  setup.request.body = std::string("a\0b", 3);
  TestGuest guest(puppet(), std::move(setup));
  // result() and list() look at the byte behind each; the memory that the allocator gives is all ones here.
  const std::string ones(4'096, '\xff');
  guest.put(8'192, ones);
  EXPECT_EQ(guest.get("req_get_path", 0), "/");
  EXPECT_EQ(guest.get("req_get_body", 0), std::string("a\0b", 3));
  EXPECT_EQ(guest.names("req_get_headers", 0), Strings{"name"});
  EXPECT_EQ(guest.fields("req_get_header", 0, "NAME"), Strings{"value"});
}

TEST(Request, Check25_EveryElementAndEveryListIsAnAllocationOfItsOwn) {
  TestGuest guest(puppet(), with_headers({{"a", "1"}, {"a", ""}, {"a", "333"}, {"bb", "4"}}));
  std::set<std::uint32_t> blocks;
  const auto collect = [&] {
    const std::uint32_t list = guest.load(TestGuest::out);
    EXPECT_TRUE(blocks.insert(list).second);
    for (std::uint32_t i = 0; i < guest.load(TestGuest::out + 4); ++i)
      EXPECT_TRUE(blocks.insert(guest.load(list + 8 * i)).second);
  };
  guest.names("req_get_headers", 0);
  collect();
  guest.fields("req_get_header", 0, "a");
  collect();
  EXPECT_EQ(blocks.size(), 7u);
  EXPECT_EQ(guest.mallocs(), 7u);
  for (const std::uint32_t block : blocks) {
    guest.call("default_free_impl", block);
    EXPECT_FALSE(guest.trap().has_value());
  }
  guest.call("default_free_impl", *blocks.begin());
  EXPECT_TRUE(guest.trap().has_value()) << "the allocator of the test does check";
}

TEST(Request, Check26_MemoryThatGrowsUnderAGetterCorruptsNothing) {
  Headers headers;
  Strings values;
  for (int i = 0; i < 200; ++i) {
    values.push_back(std::string(5'000, static_cast<char>('a' + i % 26)) + std::to_string(i));
    headers.push_back({"x", values.back()});
  }
  for (const bool guarded : {true, false}) {
    World setup = with_headers(headers);
    setup.limits.allow_guarded_memory = guarded;
    TestGuest guest(puppet(), std::move(setup));
    EXPECT_EQ(guest.fields("req_get_header", 0, "x"), values);
    EXPECT_GT(guest.store().memory_bytes(), 15 * page_size_bytes);
  }
}

TEST(Request, Check27_AnAllocatorThatGivesNoRoomEndsTheGuest) {
  const struct {
    const char* address;
    const char* reason;
  } cases[] = {{"0", "gave no room"},
               {"1025", "gave the address 1025 for a list"},
               {"65536", "outside of memory"},
               {"65530", "outside of memory"},
               {"-4", "outside of memory"}};
  for (const auto& each : cases) {
    TestGuest guest(
        puppet("(func (export \"malloc\") (param i32) (result i32) (i32.const " + std::string(each.address) + "))"),
        with_headers({{"name", "a longer value"}}));
    guest.put(TestGuest::scratch, "name");
    guest.call("req_get_header", 16, 20, 0, TestGuest::scratch, 4);
    ASSERT_EQ(guest.trap_kind(), TrapKind::HostFunctionFailed) << each.address;
    EXPECT_NE(guest.trap()->message.find(each.reason), std::string::npos) << guest.trap()->message;
    guest.call("resp_set_response_code", 0, 200);
    EXPECT_FALSE(guest.trap().has_value()) << "the host goes on";
  }
}

TEST(Request, Check27_AnAllocatorThatGivesTheSameBlockHarmsItselfOnly) {
  TestGuest guest(puppet("(func (export \"malloc\") (param i32) (result i32) (i32.const 64))"),
                  with_headers({{"name", "value"}, {"name", "other"}}));
  guest.put(TestGuest::scratch, "name");
  guest.call("req_get_header", 16, 20, 0, TestGuest::scratch, 4);
  EXPECT_FALSE(guest.trap().has_value());
  EXPECT_EQ(guest.load(20), 2u);
}

TEST(Request, Check28_ATrapInMallocEndsTheGuest) {
  TestGuest guest(
      puppet("(func (export \"malloc\") (param i32) (result i32) (i32.div_u (local.get 0) (i32.const 0)))"));
  guest.call("req_get_method", 16, 20, 0);
  EXPECT_EQ(guest.trap_kind(), TrapKind::IntegerDivideByZero);
}

TEST(Request, Check29_TheAllocatorIsFoundInTheTableThenAmongTheExports) {
  const std::string functions = R"(
    (table 8 funcref)
    (func $named (param i32) (result i32) (i32.const 4000))
    (func $other (param i32 i32) (result i32) (i32.const 5000))
    (elem (i32.const 3) $named $other))";
  const std::string exported = "(func (export \"default_malloc_impl\") (param i32) (result i32) (i32.const 6000))";
  const std::string plain = "(func (export \"malloc\") (param i32) (result i32) (i32.const 7000))";
  const std::string wrong = "(func (export \"default_malloc_impl\") (param i32 i32) (result i32) (i32.const 1))";
  const auto block = [](TestGuest& guest) {
    guest.call("req_get_method", 16, 20, 0);
    return guest.trap() ? 0 : guest.load(16);
  };
  TestGuest named(puppet(functions));
  EXPECT_EQ(block(named), 0u) << "not named, not exported";
  named.call("init_mm", 3, 3);
  EXPECT_EQ(block(named), 4'000u);

  TestGuest both(puppet(functions + exported + plain));
  EXPECT_EQ(block(both), 6'000u);
  both.call("init_mm", 3, 0);
  EXPECT_EQ(block(both), 4'000u);
  // An index that stands for no such function is what the Go host never looked at.
  for (const std::uint32_t index : {0u, 4u, 8u, UINT32_MAX}) {
    both.call("init_mm", index, 0);
    EXPECT_EQ(block(both), 6'000u) << index;
  }
  both.call("init_mm", 3, 0);
  EXPECT_EQ(block(both), 4'000u) << "the last call wins";

  TestGuest last(puppet(functions + wrong + plain));
  EXPECT_EQ(block(last), 7'000u);
  TestGuest external(puppet("(table 4 externref)" + plain));
  external.call("init_mm", 1, 1);
  EXPECT_EQ(block(external), 7'000u);
}

TEST(Request, Check30_OutPointersReachTheLastByteOfMemory) {
  TestGuest guest(puppet());
  constexpr std::uint32_t end = 65'536;
  guest.call("req_get_method", end - 4, 0, 0);
  EXPECT_FALSE(guest.trap().has_value());
  EXPECT_EQ(guest.load(end - 4), 8'192u);
  guest.call("req_get_method", 1, end - 4, 0);
  EXPECT_FALSE(guest.trap().has_value()) << "no alignment is asked for";
  EXPECT_EQ(guest.load(end - 4), 3u);
  for (const std::uint32_t address : {end - 3, end, UINT32_MAX}) {
    for (const char* const getter :
         {"req_get_method", "req_get_path", "req_get_body", "req_get_headers", "resp_get_body", "resp_get_headers"}) {
      guest.call(getter, address, 0, 0);
      EXPECT_EQ(guest.trap_kind(), TrapKind::OutOfBoundsMemoryAccess) << getter;
      guest.call(getter, 0, address, 0);
      EXPECT_EQ(guest.trap_kind(), TrapKind::OutOfBoundsMemoryAccess) << getter;
    }
  }
  EXPECT_EQ(guest.mallocs(), 2u) << "checked before anything is allocated";
}

TEST(Request, Check31_APointerThatWrapsTraps) {
  TestGuest guest(puppet(), with_headers({{"a", "b"}}));
  const auto traps = [&guest](auto... arguments) {
    guest.call(arguments...);
    return guest.trap_kind() == TrapKind::OutOfBoundsMemoryAccess;
  };
  constexpr std::uint32_t high = 0xffff'fff0u;
  EXPECT_TRUE(traps("req_get_header", 16, 20, 0, high, 0x20));
  EXPECT_TRUE(traps("resp_set_body", 0, high, 0x20));
  EXPECT_TRUE(traps("resp_set_header", 0, high, 0x20, 0, 0));
  EXPECT_TRUE(traps("resp_set_header", 0, 0, 1, high, 4));
  EXPECT_TRUE(traps("resp_set_header", 0, 0, 1, 0, 0x2000'0000));
  EXPECT_TRUE(traps("req_create", high, 0x20, 0, 0));
  EXPECT_TRUE(traps("req_create", 0, 3, high, 0x20));
  EXPECT_TRUE(traps("req_set_body", 1, high, 0x20));
  EXPECT_TRUE(traps("req_set_header", 1, high, 0x20, 0, 0));
  EXPECT_TRUE(traps("kvstore_get", 16, 20, high, 0x20));
  EXPECT_TRUE(traps("kvstore_insert", 0, 0, high, 0x20));
  EXPECT_TRUE(traps("kvstore_remove", high, 0x20));
  EXPECT_TRUE(traps("dns_query_raw", 16, 20, high, 0x20));
  EXPECT_TRUE(traps("dns_query_ip", 16, 20, high, 0x20, 0));
  EXPECT_TRUE(traps("pending_req_select", high, 4, 16));
  EXPECT_TRUE(traps("pending_req_select", 0, 0, high + 14));
  EXPECT_TRUE(traps("debug", high, 0x20));
  EXPECT_TRUE(traps("panic_hook", high, 0x20));
  EXPECT_TRUE(traps("time_now", high + 14));
  guest.call("resp_set_response_code", 0, 204);
  EXPECT_EQ(guest.hostcalls().take_response().status, 204);
  // The values of a list are looked at one by one.
  guest.put(TestGuest::scratch, "n");
  guest.put_u32(200, high);
  guest.put_u32(204, 0x20);
  EXPECT_TRUE(traps("resp_set_header", 0, TestGuest::scratch, 1, 200, 1));
}

TEST(Request, Check32_NoBytesAreFineAtAnyAddress) {
  TestGuest guest(puppet());
  EXPECT_EQ(guest.call("resp_set_body", 0, UINT32_MAX, 0), 0u);
  EXPECT_FALSE(guest.trap().has_value());
  EXPECT_EQ(guest.create("GET", "http://a/"), 1);
  EXPECT_EQ(guest.call("req_set_body", 1, UINT32_MAX, 0), 0u);
  EXPECT_FALSE(guest.trap().has_value());
  guest.put(TestGuest::scratch, "n");
  EXPECT_EQ(guest.call("resp_set_header", 0, TestGuest::scratch, 1, UINT32_MAX, 0), 0u);
  EXPECT_FALSE(guest.trap().has_value());
  guest.call("debug", UINT32_MAX, 0);
  EXPECT_FALSE(guest.trap().has_value());
}

TEST(Request, UnknownHandlesEndTheGuest) {
  TestGuest guest(puppet());
  for (const std::int32_t handle : {1, -1, INT32_MAX, INT32_MIN}) {
    for (const char* const getter :
         {"req_get_method", "req_get_path", "req_get_body", "req_get_headers", "resp_get_body", "resp_get_headers"}) {
      guest.call(getter, 16, 20, handle);
      EXPECT_EQ(guest.trap_kind(), TrapKind::HostFunctionFailed) << getter;
    }
    guest.call("resp_get_response_code", handle);
    EXPECT_EQ(guest.trap_kind(), TrapKind::HostFunctionFailed);
    guest.call("req_get_header", 16, 20, handle, 0, 0);
    EXPECT_EQ(guest.trap_kind(), TrapKind::HostFunctionFailed);
  }
}

// malloc changes what is being read: the getter gives what was there when it began.
TEST(Request, AGetterIsNotDisturbedByWhatMallocSets) {
  const std::string malloc = R"(
    (global $top (mut i32) (i32.const 8192))
    (global $armed (mut i32) (i32.const 0))
    (func (export "arm") (global.set $armed (i32.const 1)))
    (data (i32.const 512) "name")
    (func (export "malloc") (param i32) (result i32)
      (if (global.get $armed)
        (then
          (global.set $armed (i32.const 0))
          (drop (call $resp_set_header (i32.const 0) (i32.const 512) (i32.const 4) (i32.const 0) (i32.const 0)))
          (drop (call $resp_set_body (i32.const 0) (i32.const 0) (i32.const 0)))
          (drop (call $req_send (i32.const 1)))))
      (global.set $top (i32.add (global.get $top) (i32.const 128)))
      (global.get $top)))";
  TestGuest guest(puppet(malloc));
  guest.set_field("resp_set_header", 0, "name", {"one", "two", "three"});
  guest.set_body("resp_set_body", 0, "the body");
  EXPECT_EQ(guest.create("GET", "http://example.com/path"), 1);
  guest.call("arm");
  EXPECT_EQ(guest.fields("resp_get_header", 0, "name"), (Strings{"one", "two", "three"}));
  EXPECT_EQ(guest.fields("resp_get_header", 0, "name"), Strings{});
  EXPECT_EQ(guest.get("resp_get_body", 0), std::nullopt);
  EXPECT_EQ(guest.create("GET", "http://example.com/path"), 2);
  guest.call("arm");
  EXPECT_EQ(guest.get("req_get_path", 2), "http://example.com/path");
}

}  // namespace
}  // namespace tfvm::hostcalls
