// The response that a guest gives: checks 33 to 43 of the ABI.
#include <gtest/gtest.h>

#include "hostcalls/test_guest.hpp"

namespace tfvm::hostcalls {

static bool operator==(const HeaderField& left, const HeaderField& right) {
  return left.name == right.name && left.value == right.value;
}
static void PrintTo(const HeaderField& field, std::ostream* stream) { *stream << field.name << ": " << field.value; }

namespace {

using World = TestGuest::World;
using LogKind = HostcallServices::LogKind;

TEST(Response, Check33_WithoutAnyCallItIs200AndEmpty) {
  TestGuest guest(program("(func (export \"run\"))"));
  const HttpResponse response = guest.run();
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body, "");
  EXPECT_EQ(response.headers, Headers{});
}

TEST(Response, Check34_TheOrderOfCallsDoesNotMatter) {
  for (const std::string order : {"bhs", "sbh", "hsb", "hbs", "shb", "bsh"}) {
    TestGuest guest(puppet());
    for (const char step : order) {
      if (step == 'b') {
        EXPECT_EQ(guest.set_body("resp_set_body", 0, "the body"), 0u);
      }
      if (step == 'h') {
        EXPECT_EQ(guest.set_field("resp_set_header", 0, "X-Name", {"value"}), 0u);
      }
      if (step == 's') {
        EXPECT_EQ(guest.call("resp_set_response_code", 0, 418), 0u);
      }
    }
    const HttpResponse response = guest.hostcalls().take_response();
    EXPECT_EQ(response.status, 418);
    EXPECT_EQ(response.body, "the body");
    EXPECT_EQ(response.headers, (Headers{{"X-Name", "value"}}));
  }
}

TEST(Response, Check35_And36_TheLastBodyAndTheLastStatusWin) {
  TestGuest guest(puppet());
  guest.set_body("resp_set_body", 0, "first, and longer");
  guest.set_body("resp_set_body", 0, "second");
  guest.call("resp_set_response_code", 0, 404);
  guest.call("resp_set_response_code", 0, 201);
  const HttpResponse response = guest.hostcalls().take_response();
  EXPECT_EQ(response.body, "second");
  EXPECT_EQ(response.status, 201);
  guest.set_body("resp_set_body", 0, "third");
  guest.set_body("resp_set_body", 0, "");
  EXPECT_EQ(guest.hostcalls().take_response().body, "");
}

TEST(Response, Check37_EachValueIsALineOfItsOwn) {
  TestGuest guest(puppet());
  EXPECT_EQ(guest.set_field("resp_set_header", 0, "Set-Cookie", {"a=1", "b=2; Path=/"}), 0u);
  EXPECT_EQ(guest.hostcalls().take_response().headers, (Headers{{"Set-Cookie", "a=1"}, {"Set-Cookie", "b=2; Path=/"}}));
}

TEST(Response, Check38_SettingAgainReplacesAndNoValueRemoves) {
  TestGuest guest(puppet());
  guest.set_field("resp_set_header", 0, "A", {"1", "2"});
  guest.set_field("resp_set_header", 0, "B", {"3"});
  EXPECT_EQ(guest.set_field("resp_set_header", 0, "a", {"4"}), 0u);
  EXPECT_EQ(guest.names("resp_get_headers", 0), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(guest.set_field("resp_set_header", 0, "b", {}), 0u);
  EXPECT_EQ(guest.hostcalls().take_response().headers, (Headers{{"a", "4"}}));
}

TEST(Response, Check39_IllegalNamesAndValuesChangeNothing) {
  TestGuest guest(puppet());
  guest.set_field("resp_set_header", 0, "good", {"value"});
  for (const std::string& value : {std::string("a\r\nb: c"), std::string("a\nb"), std::string("a\rb"),
                                   std::string("a\0b", 3), std::string("\x7f"), std::string("\x1b[0m")}) {
    EXPECT_EQ(guest.set_field("resp_set_header", 0, "good", {"other", value}), 1u);
    EXPECT_EQ(guest.set_field("resp_set_header", 0, "new", {value}), 1u);
  }
  for (const char* const name : {"", " ", "a b", "a:", ":status", "a\r\n", "\xc3\xa9", "a(b)"})
    EXPECT_EQ(guest.set_field("resp_set_header", 0, name, {"x"}), 1u) << name;
  EXPECT_EQ(guest.set_field("resp_set_header", 0, "tab", {"a\tb \xc3\xa9\xff"}), 0u);
  EXPECT_EQ(guest.hostcalls().take_response().headers, (Headers{{"good", "value"}, {"tab", "a\tb \xc3\xa9\xff"}}));
}

TEST(Response, Check40_OnlyCodesOfFinalResponsesAreTaken) {
  TestGuest guest(puppet());
  guest.call("resp_set_response_code", 0, 299);
  for (const std::uint32_t code : {99u, 0u, 600u, 65'535u, 101u, 100u, 199u, 0x1'0000u, 0xffff'0064u})
    EXPECT_EQ(guest.call("resp_set_response_code", 0, code), 1u) << code;
  EXPECT_EQ(guest.call("resp_get_response_code", 0), 299u);
  for (const std::uint32_t code : {200u, 599u, 999u - 400u})
    EXPECT_EQ(guest.call("resp_set_response_code", 0, code), 0u);
  EXPECT_EQ(guest.call("resp_set_response_code", 0, 0xabcd'0000u | 404), 0u) << "the upper bits are undefined";
  EXPECT_EQ(guest.hostcalls().take_response().status, 404);
}

TEST(Response, Check41_OnlyHandle0CanBeSet) {
  TestGuest guest(puppet());
  for (const std::int32_t handle : {1, -1, 2, INT32_MIN}) {
    EXPECT_EQ(guest.set_field("resp_set_header", handle, "a", {"b"}), 1u);
    EXPECT_EQ(guest.set_body("resp_set_body", handle, "b"), 1u);
    EXPECT_EQ(guest.call("resp_set_response_code", handle, 404), 1u);
    EXPECT_FALSE(guest.trap().has_value());
  }
  const HttpResponse response = guest.hostcalls().take_response();
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body, "");
  EXPECT_EQ(response.headers, Headers{});
}

TEST(Response, Check42_FieldsThatFrameTheMessageAreLeftOut) {
  TestGuest guest(puppet());
  for (const char* const name : {"Content-Length", "transfer-encoding", "CONNECTION", "Keep-Alive", "upgrade", "te",
                                 "trailer", "Proxy-Connection"})
    EXPECT_EQ(guest.set_field("resp_set_header", 0, name, {"5"}), 0u) << name;
  EXPECT_EQ(guest.set_field("resp_set_header", 0, "content-length", {"5\r\n"}), 1u);
  EXPECT_EQ(guest.hostcalls().take_response().headers, Headers{});
}

TEST(Response, WhatWasSetCanBeRead) {
  TestGuest guest(puppet());
  EXPECT_EQ(guest.call("resp_get_response_code", 0), 200u);
  EXPECT_EQ(guest.get("resp_get_body", 0), std::nullopt);
  guest.set_body("resp_set_body", 0, "so far");
  guest.set_field("resp_set_header", 0, "X-A", {"1", "2"});
  EXPECT_EQ(guest.get("resp_get_body", 0), "so far");
  EXPECT_EQ(guest.names("resp_get_headers", 0), std::vector<std::string>{"x-a"});
  EXPECT_EQ(guest.fields("resp_get_header", 0, "x-a"), (std::vector<std::string>{"1", "2"}));
}

TEST(Response, LimitsRefuseAndSayWhy) {
  World setup;
  setup.services.limits.max_headers = 4;
  setup.services.limits.max_header_bytes = 100;
  setup.services.limits.max_response_bytes = 1'000;
  TestGuest guest(puppet(), std::move(setup));
  EXPECT_EQ(guest.set_body("resp_set_body", 0, std::string(1'001, 'x')), 1u);
  EXPECT_EQ(guest.set_body("resp_set_body", 0, std::string(1'000, 'x')), 0u);
  EXPECT_EQ(guest.set_field("resp_set_header", 0, "a", {"1", "2", "3", "4", "5"}), 1u);
  EXPECT_EQ(guest.set_field("resp_set_header", 0, "a", {"1", "2", "3", "4"}), 0u);
  EXPECT_EQ(guest.set_field("resp_set_header", 0, "b", {"1"}), 1u);
  EXPECT_EQ(guest.set_field("resp_set_header", 0, "a", {std::string(100, 'y')}), 1u);
  EXPECT_EQ(guest.set_field("resp_set_header", 0, "a", {std::string(99, 'y')}), 0u);
  const HttpResponse response = guest.hostcalls().take_response();
  EXPECT_EQ(response.headers, (Headers{{"a", std::string(99, 'y')}}));
  EXPECT_EQ(guest.log(), (std::vector<TestGuest::LogLine>{
                             {LogKind::Failure, "hostcall_resp_set_body: the response is larger than 1000 bytes"},
                             {LogKind::Failure, "hostcall_resp_set_header: too many fields"},
                             {LogKind::Failure, "hostcall_resp_set_header: too many fields"},
                             {LogKind::Failure, "hostcall_resp_set_header: the fields are too long together"}}));
}

}  // namespace
}  // namespace tfvm::hostcalls
