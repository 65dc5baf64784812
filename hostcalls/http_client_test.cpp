// The HTTP client over plain connections: what it sends, what it reads, reuse, limits, cancellation.
#include "hostcalls/http_client.hpp"

#include <filesystem>
#include <gtest/gtest.h>
#include <set>

#include "hostcalls/test_http_server.hpp"
#include "hostcalls/test_process.hpp"

namespace tfvm::hostcalls {
namespace {

using test::get_of;
using test::response;
using test::ServerConnection;
using test::TestHttpServer;
using namespace std::string_literals;

class HttpClientTest : public test::ClientTest {};

TestHttpServer::Serve echo() {
  return TestHttpServer::answering([](const std::string& request) { return response(request); });
}

TEST_F(HttpClientTest, SendsWhatTheGuestSaid) {
  const TestHttpServer server(echo());
  const std::string host = "127.0.0.1:" + std::to_string(server.port());
  EXPECT_EQ(text(send({"GET",
                       server.url("127.0.0.1", "/a/%20b?q={}"),
                       {{"X-One", "1"}, {"x-two", " t\xffwo"}, {"X-One", "2"}},
                       ""})),
            "200 GET /a/%20b?q={} HTTP/1.1\r\nHost: " + host +
                "\r\nX-One: 1\r\nx-two:  t\xffwo\r\nX-One: 2\r\nUser-Agent: tfvm\r\n\r\n");
  EXPECT_EQ(text(send({"POST", server.url(), {{"User-Agent", "me"}}, "body\0\r\n\r\n"s})),
            "200 POST / HTTP/1.1\r\nHost: " + host + "\r\nUser-Agent: me\r\nContent-Length: 9\r\n\r\nbody\0\r\n\r\n"s);
  EXPECT_EQ(text(send({"POST", server.url(), {{"User-Agent", "me"}}, ""})),
            "200 POST / HTTP/1.1\r\nHost: " + host + "\r\nUser-Agent: me\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(
      text(send(
          {"purge", server.url(), {{"host", "other.example"}, {"Host", "third.example"}, {"User-Agent", ""}}, ""})),
      "200 purge / HTTP/1.1\r\nHost: other.example\r\nUser-Agent: \r\n\r\n");
}

TEST_F(HttpClientTest, FramesTheRequestItself) {
  const TestHttpServer server(echo());
  const Result<HttpResponse> sent = send({"POST",
                                          server.url(),
                                          {{"Content-Length", "1000"},
                                           {"transfer-encoding", "chunked"},
                                           {"Connection", "close, x"},
                                           {"TE", "trailers"},
                                           {"Upgrade", "websocket"},
                                           {"Expect", "100-continue"},
                                           {"Keep-Alive", "x"},
                                           {"Trailer", "x"},
                                           {"Proxy-Authorization", "x"},
                                           {"User-Agent", "me"}},
                                          "body"});
  EXPECT_EQ(text(sent), "200 POST / HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(server.port()) +
                            "\r\nUser-Agent: me\r\nContent-Length: 4\r\n\r\nbody");
}

TEST_F(HttpClientTest, NothingCanBeInjected) {
  const TestHttpServer server(echo());
  const std::string url = server.url();
  const HttpRequest requests[] = {
      {"GET / HTTP/1.1\r\nX: ", url, {}, ""},
      {"", url, {}, ""},
      {"G ET", url, {}, ""},
      {"GET\0"s, url, {}, ""},
      {"CONNECT", url, {}, ""},
      {"GET", url + " HTTP/1.1\r\nX: y\r\n\r\n", {}, ""},
      {"GET", url + "\n", {}, ""},
      {"GET", url + "\0"s, {}, ""},
      {"GET", url, {{"X", "a\r\nY: b"}}, ""},
      {"GET", url, {{"X", "a\nb"}}, ""},
      {"GET", url, {{"X", "a\0b"s}}, ""},
      {"GET", url, {{"X", "\r"}}, ""},
      {"GET", url, {{"X\r\nY", "a"}}, ""},
      {"GET", url, {{"X:", "a"}}, ""},
      {"GET", url, {{"X ", "a"}}, ""},
      {"GET", url, {{"", "a"}}, ""},
      {"GET", url, {{"Host", "a\r\nX: y"}}, ""},
      {"GET", "/", {}, ""},
      {"GET", "", {}, ""},
  };
  for (const HttpRequest& request : requests) EXPECT_TRUE(failed(send(request))) << request.method << request.target;
  EXPECT_EQ(server.connection_count(), 0);
}

TEST_F(HttpClientTest, ReadsResponsesOfAllKinds) {
  struct Case {
    std::string bytes, expected;
    std::string method = "GET";
  };
  const Case cases[] = {
      {response("body"), "200 body"},
      {response("a\0\xff\r\n"s), "200 a\0\xff\r\n"s},
      {response("", "", "404 Not Found"), "404 "},
      {response("oops", "", "500 X"), "500 oops"},
      {"HTTP/1.1 204 No Content\r\n\r\n", "204 "},
      {"HTTP/1.1 304 Not Modified\r\nContent-Length: 10\r\n\r\n", "304 "},
      {"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n", "200 ", "HEAD"},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "200 ", "HEAD"},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nTrailer: x\r\n\r\n",
       "200 abcde"},
      {"HTTP/1.1 200 OK\r\n\r\nuntil the end", "200 until the end"},
      {"HTTP/1.0 200 OK\r\n\r\nold", "200 old"},
      {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + response("late"), "200 late"},
      {"HTTP/1.1 299 Nobody knows\r\nContent-Length: 0\r\n\r\n", "299 "},
      {"HTTP/1.1 302 Found\r\nContent-Length: 4\r\n\r\nhere", "302 here"},  // leads nowhere
  };
  for (const Case& c : cases) {
    const TestHttpServer server(TestHttpServer::saying_once(c.bytes));
    EXPECT_EQ(text(send({c.method, server.url(), {}, ""})), c.expected) << c.bytes;
  }
}

TEST_F(HttpClientTest, GivesTheFieldsInOrder) {
  const TestHttpServer server(TestHttpServer::saying_once(
      "HTTP/1.1 200 OK\r\nSet-Cookie: a=1\r\nX-Empty:\r\nset-cookie: b=2\r\nContent-Encoding: gzip\r\n"
      "Connection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"));
  const Result<HttpResponse> sent = get(server.url());
  ASSERT_TRUE(sent.ok());
  std::multimap<std::string, std::string> fields;
  for (const HeaderField& field : sent->headers) fields.emplace(field.name, field.value);
  EXPECT_EQ(fields, (std::multimap<std::string, std::string>{
                        {"Set-Cookie", "a=1"}, {"X-Empty", ""}, {"set-cookie", "b=2"}, {"Content-Encoding", "gzip"}}));
}

TEST_F(HttpClientTest, RefusesBadResponses) {
  const std::string bad[] = {
      "",
      "x",
      "\r\n\r\n",
      "HTTP/1.1 200 OK\r\n",
      "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort",
      "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
      "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n",
      "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n0\r\n\r\n",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\nabc",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\nabc",
      "HTTP/1.1 20 OK\r\n\r\n",
      "HTTP/1.1 2000 OK\r\n\r\n",
      "HTTP/1.1 000 OK\r\n\r\n",
      "HTTP/2 200 OK\r\n\r\n",
      "SSH-2.0-x\r\n",
      "HTTP/1.1 200 OK\r\nBad Name: x\r\n\r\n",
      "HTTP/1.1 200 OK\r\nX: a\0b\r\n\r\n"s,
      "HTTP/1.1 200 OK\r\n: x\r\n\r\n",
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n",
      "HTTP/1.1 100 Continue\r\n\r\n",
      "220 ftp ready\r\n",
      "\x16\x03\x01"s,
  };
  for (const std::string& bytes : bad) {
    const TestHttpServer server(TestHttpServer::saying_once(bytes));
    EXPECT_TRUE(failed(get(server.url()))) << bytes;
  }
}

TEST_F(HttpClientTest, BoundsTheResponse) {
  limits.max_response_bytes = 10'000;
  const std::string large(10'000, 'x');
  const auto is_too_large = [&](const TestHttpServer::Serve& serve) {
    const TestHttpServer server(serve);
    const Result<HttpResponse> sent = get(server.url());
    return !sent && sent.error().kind == ErrorKind::Limit;
  };
  const auto endless = [](std::string begin, std::string again) {
    return [=](ServerConnection& connection) {
      connection.read_request();
      for (bool is_open = connection.write(begin); is_open;) is_open = connection.write(again);
    };
  };
  EXPECT_TRUE(is_too_large(TestHttpServer::saying_once(response(large))));
  EXPECT_TRUE(is_too_large(TestHttpServer::saying_once(response("", "X: " + large + "\r\n"))));
  EXPECT_TRUE(
      is_too_large(TestHttpServer::saying_once(response(large.substr(3'000), "X: " + large.substr(3'000) + "\r\n"))));
  EXPECT_TRUE(is_too_large(TestHttpServer::saying_once("HTTP/1.1 200 OK\r\nContent-Length: 100000000000\r\n\r\n")));
  EXPECT_TRUE(is_too_large(endless("HTTP/1.1 200 OK\r\n\r\n", large)));
  EXPECT_TRUE(is_too_large(endless("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "5\r\nabcde\r\n")));
  EXPECT_TRUE(is_too_large(endless("HTTP/1.1 200 OK\r\n", "X: y\r\n")));
  EXPECT_TRUE(is_too_large(endless("", "HTTP/1.1 100 Continue\r\n\r\n")));
  limits.max_response_bytes = 16u << 20;
  EXPECT_TRUE(is_too_large(endless("HTTP/1.1 200 OK\r\n", "X: y\r\n")));
  const TestHttpServer server(endless("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", "X: y\r\n"));
  EXPECT_TRUE(failed(get(server.url())));
  const TestHttpServer extensions(endless("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;", "x=y;"));
  EXPECT_TRUE(failed(get(extensions.url())));
  const std::string all(4u << 20, 'y');
  const TestHttpServer fits(TestHttpServer::saying_once(response(all)));
  EXPECT_EQ(text(get(fits.url())), "200 " + all);
}

// ---- Connections
// -----------------------------------------------------------------------------------------------------

TEST_F(HttpClientTest, UsesConnectionsAgain) {
  const TestHttpServer server(echo());
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(get(server.url()).ok());
  EXPECT_EQ(server.connection_count(), 1);
  EXPECT_TRUE(send({"POST", server.url(), {}, "x"}).ok());  // may not be sent twice: not on one that may be closing
  EXPECT_EQ(server.connection_count(), 2);
  EXPECT_TRUE(get(server.url()).ok());
  EXPECT_EQ(server.connection_count(), 2);
}

TEST_F(HttpClientTest, OtherOriginsHaveTheirOwnConnections) {
  const TestHttpServer server(echo());
  resolver.put("a.test", {{"127.0.0.1"}});
  resolver.put("b.test", {{"127.0.0.1"}});
  for (const char* host : {"a.test", "b.test", "127.0.0.1", "a.test", "A.test.", "b.test"}) {
    EXPECT_TRUE(get(server.url(host)).ok()) << host;
  }
  EXPECT_EQ(server.connection_count(), 3);
}

TEST_F(HttpClientTest, DoesNotUseWhatIsNotCleanlyAtItsEnd) {
  for (const std::string& bytes : {response("a") + "more", response("a", "Connection: close\r\n"),
                                   "HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\na"s}) {
    const TestHttpServer server(TestHttpServer::answering([=](const std::string&) { return bytes; }));
    for (int i = 0; i < 3; ++i) EXPECT_EQ(text(get(server.url())), "200 a");
    EXPECT_EQ(server.connection_count(), 3) << bytes;
  }
}

TEST_F(HttpClientTest, AsksAgainWhenAConnectionWasClosedMeanwhile) {
  // Each connection serves one request as if more could follow, and closes when the second has come.
  const TestHttpServer server([](ServerConnection& connection) {
    connection.read_request();
    connection.write(response("a"));
    connection.read_request();
  });
  for (int i = 0; i < 10; ++i) EXPECT_EQ(text(get(server.url())), "200 a");
  EXPECT_EQ(server.connection_count(), 10);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(text(send({"POST", server.url(), {}, "x"})), "200 a");
}

TEST_F(HttpClientTest, ServesManyAtOnce) {
  const TestHttpServer server(echo());
  std::vector<std::thread> guests;
  for (int guest = 0; guest < 8; ++guest) {
    guests.emplace_back([&, guest] {
      for (int round = 0; round < 5; ++round) {
        std::vector<std::unique_ptr<PendingResponse>> pending;
        for (int i = 0; i < 10; ++i) {
          const std::string name = std::to_string(guest) + "-" + std::to_string(i);
          pending.push_back(start({"POST", server.url(), {}, "<" + name + ">"}));
        }
        for (int i = 9; i >= 0; --i) {
          const Result<HttpResponse> sent = wait(*pending[static_cast<std::size_t>(i)]);
          ASSERT_TRUE(sent.ok()) << sent.error().message;
          EXPECT_NE(sent->body.find("<" + std::to_string(guest) + "-" + std::to_string(i) + ">"), std::string::npos);
        }
      }
    });
  }
  for (std::thread& guest : guests) guest.join();
}

TEST_F(HttpClientTest, TriesAllAddressesThatMayBeReached) {
  const TestHttpServer server(echo());
  allow("127.0.0.2");
  resolver.put("two.test", {{"127.0.0.2", "127.0.0.1"}});  // nobody listens at the first
  EXPECT_TRUE(get(server.url("two.test")).ok());
  resolver.put("six.test", {{"::1"}});
  EXPECT_TRUE(failed(get(server.url("six.test")), "may not be reached"));
}

TEST_F(HttpClientTest, ReachesIpv6) {
  const int probe = ::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const SocketAddress loopback(*Address::parse("::1"), 0);
  const bool has_ipv6 = ::bind(probe, loopback.get(), loopback.size()) == 0;
  ::close(probe);
  const TestHttpServer server(echo(), nullptr, has_ipv6 ? "::1" : "127.0.0.1");
  resolver.put("six.test", {{"::1"}});
  allow("::1");
  EXPECT_EQ(get(server.url("six.test")).ok(), has_ipv6);
  EXPECT_EQ(get(server.url("[::1]")).ok(), has_ipv6);
}

// ---- Failure and time
// ------------------------------------------------------------------------------------------------

TEST_F(HttpClientTest, SaysWhatFailed) {
  const std::string nobody = std::to_string(test::free_port(SOCK_STREAM));
  EXPECT_TRUE(failed(get("http://127.0.0.1:" + nobody + "/"), "onnect"));
  EXPECT_TRUE(failed(get("http://none.test/"), "no such name"));
  EXPECT_TRUE(failed(get("http://127.0.0.3/"), "may not be reached"));
  EXPECT_TRUE(failed(get("gopher://127.0.0.1/"), "http"));
  policy = {};
  EXPECT_TRUE(failed(get("http://127.0.0.1/"), "nothing may be reached"));
  EXPECT_EQ(resolver.lookups(), 2);  // both families of none.test
}

TEST_F(HttpClientTest, DoesNotWaitForever) {
  const TestHttpServer silent([](ServerConnection& connection) {
    while (connection.read_more()) {
    }
  });
  limits.first_byte_timeout = std::chrono::milliseconds(50);
  EXPECT_TRUE(failed(get(silent.url()), "no response in time"));
  limits.first_byte_timeout = std::chrono::seconds(60);
  limits.total_timeout = std::chrono::milliseconds(50);
  EXPECT_TRUE(failed(get(silent.url()), "no whole response in time"));

  const TestHttpServer dripping([](ServerConnection& connection) {
    connection.read_request();
    connection.write("HTTP/1.1 200 OK\r\n\r\n");
    while (connection.write("x")) ::poll(nullptr, 0, 5);
  });
  limits.first_byte_timeout = std::chrono::seconds(60);
  limits.total_timeout = std::chrono::milliseconds(100);
  EXPECT_TRUE(failed(get(dripping.url()), "no whole response in time"));
  resolver.hang("slow.test");
  EXPECT_TRUE(failed(get("http://slow.test/"), "no whole response in time"));
}

/// Listens, but connections stay half open: its queue is full.
class FullListener {
 public:
  FullListener() {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const SocketAddress any_port(*Address::parse("127.0.0.1"), 0);
    ::bind(listener_, any_port.get(), any_port.size());
    ::listen(listener_, 0);
    sockaddr_in bound{};
    socklen_t size = sizeof(bound);
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&bound), &size);
    port_ = ntohs(bound.sin_port);
    for (int& filler : fillers_) {
      filler = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
      ::connect(filler, reinterpret_cast<const sockaddr*>(&bound), size);
    }
  }
  ~FullListener() {
    for (const int filler : fillers_) ::close(filler);
    ::close(listener_);
  }
  FullListener(const FullListener&) = delete;
  FullListener& operator=(const FullListener&) = delete;
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_) + "/"; }

 private:
  int listener_ = -1, fillers_[4] = {-1, -1, -1, -1};
  std::uint16_t port_ = 0;
};

TEST_F(HttpClientTest, GivesUpConnecting) {
  const FullListener full;
  limits.connect_timeout = std::chrono::milliseconds(100);
  EXPECT_TRUE(failed(get(full.url()), "connecting took too long"));
}

TEST_F(HttpClientTest, TheEventStaysReadable) {
  const TestHttpServer server(echo());
  const std::unique_ptr<PendingResponse> pending = start(get_of(server.url()));
  pollfd waiting{pending->ready_fd(), POLLIN, 0};
  EXPECT_EQ(::poll(&waiting, 1, 60'000), 1);
  EXPECT_TRUE(pending->is_ready());
  EXPECT_EQ(::poll(&waiting, 1, 0), 1);
  EXPECT_TRUE(pending->take().ok());
  EXPECT_EQ(::poll(&waiting, 1, 0), 1);
}

TEST_F(HttpClientTest, CanBeCancelled) {
  std::atomic<int> closed{0};
  const TestHttpServer silent([&](ServerConnection& connection) {
    while (connection.read_more()) {
    }
    ++closed;
  });
  resolver.hang("slow.test");
  for (int i = 0; i < 20; ++i) {
    const auto connected = start(get_of(silent.url()));
    const auto looking = start(get_of("http://slow.test/"));
    if (i % 2 == 0) {
      while (silent.connection_count() <= i / 2) std::this_thread::yield();
    }
  }
  while (closed < 10) std::this_thread::yield();  // the server sees them go
  const auto first = start(get_of(silent.url())), second = start(get_of("http://slow.test/"));
  client.reset();  // with requests under way
  EXPECT_FALSE(first->is_ready());
}

TEST_F(HttpClientTest, HasNoThreadBeforeTheFirstRequest) {
  std::set<std::string> known;  // threads of earlier tests may be about to vanish
  const auto count_new = [&] {
    int count = 0;
    for (const auto& entry : std::filesystem::directory_iterator("/proc/self/task")) {
      count += known.insert(entry.path().filename().string()).second;
    }
    return count;
  };
  count_new();
  const std::unique_ptr<HttpClient> other = make_http_client(resolver);
  EXPECT_EQ(count_new(), 0);
  EXPECT_TRUE(failed(wait(*other->start(get_of("http://127.0.0.1/"), OutboundPolicy(), limits))));
  EXPECT_EQ(count_new(), 1);
}

TEST_F(HttpClientTest, ReadsNoProxyFromTheEnvironment) {
  const std::string nobody = "http://127.0.0.1:" + std::to_string(test::free_port(SOCK_STREAM));
  for (const char* name : {"http_proxy", "HTTP_PROXY", "https_proxy", "all_proxy", "ALL_PROXY"}) {
    ::setenv(name, nobody.c_str(), 1);
  }
  const TestHttpServer server(echo());
  EXPECT_TRUE(get(server.url()).ok());
  for (const char* name : {"http_proxy", "HTTP_PROXY", "https_proxy", "all_proxy", "ALL_PROXY"}) ::unsetenv(name);
}

}  // namespace
}  // namespace tfvm::hostcalls
