// Requests that guests send: checks 53 to 61 of the ABI.
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

#include "hostcalls/test_guest.hpp"
#include "hostcalls/test_services.hpp"

namespace tfvm::hostcalls {
namespace {

using World = TestGuest::World;
using Strings = std::vector<std::string>;

/// A puppet whose requests a fake answers: path "/fail" fails, all others get 200 and say who they are.
struct Sender {
  FakeHttpClient http{[](const HttpRequest& request) -> Result<HttpResponse> {
    if (request.target.ends_with("/fail")) return Error{ErrorKind::Host, "connection refused"};
    const std::uint16_t status = request.target.ends_with("/404") ? 404 : 200;
    return HttpResponse{status, {{"Content-Type", "text/plain"}, {"X-Two", "1"}, {"x-two", "2"}}, request.target};
  }};
  TestGuest guest;

  explicit Sender(HostcallLimits limits = {}, Bytes module = puppet()) : guest(std::move(module), setup(limits)) {}
  std::int32_t create(const std::string& path) { return guest.create("GET", "http://example.com" + path); }
  std::int32_t send(std::int32_t request) { return guest.call_i32("req_send", request); }
  std::int32_t send_async(const std::string& path) { return guest.call_i32("req_send_async", create(path)); }
  /// Response and chosen handle of pending_req_select.
  std::pair<std::int32_t, std::int32_t> select(const std::vector<std::int32_t>& handles) {
    for (std::size_t i = 0; i < handles.size(); ++i)
      guest.put_u32(static_cast<std::uint32_t>(256 + i * 4), static_cast<std::uint32_t>(handles[i]));
    guest.put_u32(128, 0xdead);
    const std::int32_t response = guest.call_i32("pending_req_select", 256, handles.size(), 128);
    return {response, static_cast<std::int32_t>(guest.load(128))};
  }

 private:
  World setup(const HostcallLimits& limits) {
    World result;
    result.services.http = &http;
    result.services.limits = limits;
    return result;
  }
};

TEST(Outbound, Check53_BadMethodsAndUrlsGiveNoHandle) {
  Sender sender;
  for (const char* const method : {"", "G T", "GET\r\n", "G\xc3\xa9T", "GET:"})
    EXPECT_EQ(sender.guest.create(method, "http://example.com/"), -1) << method;
  for (const char* const url : {"", "/relative", "example.com", "ftp://example.com/", "file:///etc/passwd", "http://",
                                "http:///x", "http://a b/", "http://exa\nmple.com/", "https:/x", "://x", "http://a:x/",
                                "http://a:65536/", "http://user@a/", "http://[::1/", "gopher://x", "http://\xc3\xa9/"})
    EXPECT_EQ(sender.guest.create("GET", url), -1) << url;
  for (const char* const url : {"http://a", "HTTPS://a/", "http://a:80/x?y=z", "http://[::1]:8080/", "http://127.0.0.1",
                                "https://a?x", "http://a/#fragment"})
    EXPECT_GT(sender.guest.create("get", url), 0) << url;
  EXPECT_EQ(sender.guest.get("req_get_path", 7), "http://a/");
}

TEST(Outbound, Check54_HandlesAreNumberedFrom1) {
  Sender sender;
  EXPECT_EQ(sender.create("/a"), 1);
  EXPECT_EQ(sender.create("/b"), 2);
  EXPECT_EQ(sender.send(2), 1);
  EXPECT_EQ(sender.send(1), 2);
  EXPECT_EQ(sender.guest.get("resp_get_body", 1), "http://example.com/b");
  EXPECT_EQ(sender.create("/c"), 3);
  EXPECT_EQ(sender.guest.call_i32("req_send_async", 3), 1);
}

TEST(Outbound, Check55_TheBodyIsCopiedWhenItIsSet) {
  Sender sender;
  const std::int32_t request = sender.guest.create("POST", "http://example.com/");
  EXPECT_EQ(sender.guest.set_body("req_set_body", request, "secret!"), 0u);
  EXPECT_EQ(sender.guest.set_field("req_set_header", request, "X-A", {"1", "2"}), 0u);
  sender.guest.put(TestGuest::scratch, std::string(4'096, 'X'));
  sender.guest.call("default_malloc_impl", 1'000'000);  // which grows memory
  EXPECT_EQ(sender.send(request), 1);
  ASSERT_EQ(sender.http.requests.size(), 1u);
  const HttpRequest& sent = sender.http.requests.front();
  EXPECT_EQ(sent.method, "POST");
  EXPECT_EQ(sent.target, "http://example.com/");
  EXPECT_EQ(sent.body, "secret!");
  ASSERT_EQ(sent.headers.size(), 2u);
  EXPECT_EQ(sent.headers[0].value + sent.headers[1].value, "12");
}

TEST(Outbound, Check56_WhatCannotBeSetOrSentSaysSo) {
  Sender sender;
  EXPECT_EQ(sender.guest.set_field("req_set_header", 0, "a", {"b"}), 1u);
  EXPECT_EQ(sender.guest.set_body("req_set_body", 0, "b"), 1u);
  EXPECT_EQ(sender.guest.set_field("req_set_header", 5, "a", {"b"}), 1u);
  EXPECT_EQ(sender.guest.set_body("req_set_body", -1, "b"), 1u);
  for (const std::int32_t handle : {0, -1, 5, INT32_MIN}) EXPECT_EQ(sender.send(handle), -1);
  const std::int32_t request = sender.create("/");
  EXPECT_EQ(sender.send(request), 1);
  EXPECT_EQ(sender.send(request), -1);
  EXPECT_EQ(sender.guest.call_i32("req_send_async", request), -1);
  EXPECT_EQ(sender.guest.set_body("req_set_body", request, "late"), 1u);
  sender.guest.call("req_get_body", 16, 20, request);
  EXPECT_TRUE(sender.guest.trap().has_value()) << "a handle that was sent is no longer known";
  EXPECT_EQ(sender.http.requests.size(), 1u);
  EXPECT_EQ(sender.guest.get("req_get_body", 0), std::nullopt);
}

TEST(Outbound, Check56_ARequestThatWasMadeCanBeRead) {
  Sender sender;
  const std::int32_t request = sender.guest.create("PATCH", "http://example.com/x?y");
  sender.guest.set_body("req_set_body", request, "body");
  sender.guest.set_field("req_set_header", request, "Host", {"other.example"});
  EXPECT_EQ(sender.guest.get("req_get_method", request), "PATCH");
  EXPECT_EQ(sender.guest.get("req_get_path", request), "http://example.com/x?y");
  EXPECT_EQ(sender.guest.get("req_get_body", request), "body");
  EXPECT_EQ(sender.guest.names("req_get_headers", request), Strings{"host"});
  EXPECT_EQ(sender.guest.fields("req_get_header", request, "HOST"), Strings{"other.example"});
}

TEST(Outbound, Check57_AFailureIsMinus1AndSaidInTheLog) {
  Sender sender;
  EXPECT_EQ(sender.send(sender.create("/fail")), -1);
  EXPECT_EQ(sender.guest.log().back().text, "hostcall_req_send: connection refused");
  World setup;
  TestGuest alone(puppet(), std::move(setup));
  EXPECT_EQ(alone.call_i32("req_send", alone.create("GET", "http://example.com/")), -1);
  EXPECT_EQ(alone.log().back().text, "hostcall_req_send: requests to others are off");
}

TEST(Outbound, Check58_AnErrorOfTheOtherSideIsAResponse) {
  Sender sender;
  const std::int32_t response = sender.send(sender.create("/404"));
  EXPECT_EQ(response, 1);
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(sender.guest.call("resp_get_response_code", response), 404u);
    EXPECT_EQ(sender.guest.get("resp_get_body", response), "http://example.com/404");
    EXPECT_EQ(sender.guest.names("resp_get_headers", response), (Strings{"content-type", "x-two"}));
    EXPECT_EQ(sender.guest.fields("resp_get_header", response, "X-TWO"), (Strings{"1", "2"}));
  }
  EXPECT_EQ(sender.guest.set_body("resp_set_body", response, "mine"), 1u) << "it was received";
}

/// A puppet with the real client, and a policy of one rule; no name is ever asked for.
struct RealSender {
  std::unique_ptr<Resolver> resolver = make_resolver({.servers = {"127.0.0.1:9"}}).value();
  std::unique_ptr<HttpClient> http = make_http_client(*resolver);
  TestGuest guest;

  explicit RealSender(const std::string& rule) : guest(puppet(), world(rule)) {}
  std::int32_t send(const std::string& url) { return guest.call_i32("req_send", guest.create("GET", url)); }

 private:
  World world(const std::string& rule) {
    World result;
    result.services.http = http.get();
    EXPECT_TRUE(result.services.outbound_policy.allow(rule).ok());
    return result;
  }
};

TEST(Outbound, Check57_ARefusedConnectionIsMinus1) {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  struct ::sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  // Bound, so that nobody else can listen there, and not listening.
  ASSERT_EQ(::bind(socket, reinterpret_cast<struct ::sockaddr*>(&address), size), 0);
  ASSERT_EQ(::getsockname(socket, reinterpret_cast<struct ::sockaddr*>(&address), &size), 0);
  RealSender sender("127.0.0.1");
  EXPECT_EQ(sender.send("http://127.0.0.1:" + std::to_string(ntohs(address.sin_port)) + "/"), -1);
  EXPECT_FALSE(sender.guest.trap().has_value());
  ASSERT_FALSE(sender.guest.log().empty());
  ::close(socket);
}

TEST(Outbound, Check59_AddressesThatThePolicyForbidsAreMinus1) {
  RealSender sender("*");
  for (const char* const url : {"http://127.0.0.1:1/", "http://[::1]:1/", "http://169.254.169.254/latest/meta-data/",
                                "http://10.0.0.1/", "http://[::ffff:127.0.0.1]/", "http://0.0.0.0/"}) {
    EXPECT_EQ(sender.send(url), -1) << url;
    EXPECT_FALSE(sender.guest.trap().has_value());
    ASSERT_FALSE(sender.guest.log().empty());
  }
}

TEST(Outbound, Check60_WaitPollAndSelect) {
  Sender sender;
  sender.http.holds_back = true;
  const std::int32_t first = sender.send_async("/1");
  const std::int32_t second = sender.send_async("/2");
  const std::int32_t third = sender.send_async("/3");
  EXPECT_EQ(sender.guest.call_i32("pending_req_poll", first), -2);
  EXPECT_EQ(sender.guest.call_i32("pending_req_poll", first), -2);
  sender.http.release(1);
  EXPECT_EQ(sender.select({first, second, third}), (std::pair{1, second}));
  EXPECT_EQ(sender.guest.get("resp_get_body", 1), "http://example.com/2");
  sender.http.release(0);
  EXPECT_EQ(sender.guest.call_i32("pending_req_poll", first), 2);
  std::thread other([&sender] { sender.http.release(2); });
  EXPECT_EQ(sender.guest.call_i32("pending_req_wait", third), 3);
  other.join();
  EXPECT_EQ(sender.guest.get("resp_get_body", 3), "http://example.com/3");
}

TEST(Outbound, Check60_SelectBlocksUntilOneIsReadyAndNamesItAlsoOnFailure) {
  Sender sender;
  sender.http.holds_back = true;
  const std::int32_t good = sender.send_async("/good");
  const std::int32_t bad = sender.send_async("/fail");
  std::thread other([&sender] { sender.http.release(1); });
  EXPECT_EQ(sender.select({good, bad, good}), (std::pair{-1, bad}));
  other.join();
  sender.http.release(0);
  EXPECT_EQ(sender.select({good}), (std::pair{1, good}));
  EXPECT_EQ(sender.select({}), (std::pair{-1, 0xdead}));
}

TEST(Outbound, Check61_AnAnsweredPendingHandleIsGone) {
  Sender sender;
  const std::int32_t pending = sender.send_async("/");
  EXPECT_EQ(sender.guest.call_i32("pending_req_wait", pending), 1);
  EXPECT_EQ(sender.guest.call_i32("pending_req_wait", pending), -1);
  EXPECT_EQ(sender.guest.call_i32("pending_req_poll", pending), -1);
  EXPECT_EQ(sender.select({pending}), (std::pair{-1, pending}));
  for (const std::int32_t handle : {0, -1, 99, INT32_MIN}) {
    EXPECT_EQ(sender.guest.call_i32("pending_req_poll", handle), -1);
    EXPECT_EQ(sender.select({handle}), (std::pair{-1, handle}));
  }
}

TEST(Outbound, FieldsThatFrameAreLeftOutAndOthersAreChecked) {
  Sender sender;
  const std::int32_t request = sender.create("/");
  EXPECT_EQ(sender.guest.set_field("req_set_header", request, "Transfer-Encoding", {"chunked"}), 0u);
  EXPECT_EQ(sender.guest.set_field("req_set_header", request, "a", {"b\r\nc: d"}), 1u);
  EXPECT_EQ(sender.guest.set_field("req_set_header", request, "Accept", {"x"}), 0u);
  EXPECT_EQ(sender.guest.names("req_get_headers", request), Strings{"accept"});
}

TEST(Outbound, LimitsOfRequestsAndBytes) {
  HostcallLimits limits;
  limits.max_outbound_requests = 3;
  limits.max_outbound_bytes = 100;
  limits.max_received_bytes = 120;
  Sender sender(limits);
  EXPECT_EQ(sender.create("/1"), 1);
  EXPECT_EQ(sender.create("/2"), 2);
  EXPECT_EQ(sender.create("/3"), 3);
  EXPECT_EQ(sender.create("/4"), -1);
  EXPECT_EQ(sender.guest.set_body("req_set_body", 1, std::string(101, 'x')), 1u);
  EXPECT_EQ(sender.guest.set_body("req_set_body", 1, std::string(60, 'x')), 0u);
  EXPECT_EQ(sender.guest.set_body("req_set_body", 2, std::string(60, 'x')), 0u);
  EXPECT_EQ(sender.send(1), 1);
  EXPECT_EQ(sender.send(2), -1) << "120 bytes together";
  EXPECT_EQ(sender.http.requests.size(), 1u);
  EXPECT_EQ(sender.send(3), 2);
  EXPECT_EQ(sender.create("/5"), -1) << "sending gives no new ones";
}

TEST(Outbound, LimitOfReceivedBytes) {
  HostcallLimits limits;
  limits.max_received_bytes = 70;
  Sender sender(limits);
  EXPECT_EQ(sender.send(sender.create("/1")), 1);
  EXPECT_EQ(sender.send(sender.create("/2")), -1);
  EXPECT_NE(sender.guest.log().back().text.find("larger than 70 bytes together"), std::string::npos);
}

}  // namespace
}  // namespace tfvm::hostcalls
