// The server as its clients see it: HTTP/1.1 on the wire, what is refused, limits, draining, the admin listener.
#include "cli/serve/server.hpp"

#include <cstdlib>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <string>

#include "cli/serve/test_server.hpp"

namespace tfvm::serve {
namespace {

constexpr auto hello_request = "GET /hello.wasm HTTP/1.1\r\nHost: test\r\n\r\n";

class ServerTest : public testing::Test {
 protected:
  void start() {
    server_.sites.add_function("/hello.wasm", "hello.wasm");
    server_.start();
  }
  int status_of(const std::string& bytes) {
    TestClient client(server_.port);
    const TestResponse response = client.ask(bytes);
    EXPECT_TRUE(response.status < 400 || client.is_closed()) << bytes;
    return response.status;
  }
  TestServer server_;
};

TEST_F(ServerTest, RunsAFunction) {
  start();
  const TestResponse response = server_.get("/hello.wasm");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body, "Hello World!\n");
  EXPECT_EQ(response.field("Content-Type"), "text/plain");
  EXPECT_EQ(response.field("Content-Length"), "13");
  EXPECT_EQ(response.field("Connection"), "close");
  EXPECT_EQ(response.field("Date").size(), 29u);
  EXPECT_EQ(response.field("X-Request-Id").size(), 16u);
  EXPECT_EQ(server_.get("/missing").status, 404);
}

TEST_F(ServerTest, KeepsConnectionsAndAnswersInOrder) {
  start();
  TestClient client(server_.port);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(client.ask(hello_request).body, "Hello World!\n");
  std::string pipelined;
  for (int i = 0; i < 100; ++i) {
    pipelined += hello_request;
    pipelined += "GET /missing HTTP/1.1\r\nHost: test\r\nX-Request-Id: id-" + std::to_string(i) + "\r\n\r\n";
  }
  client.send(pipelined);
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(client.receive().status, 200);
    const TestResponse missing = client.receive();
    EXPECT_EQ(missing.status, 404);
    EXPECT_EQ(missing.field("X-Request-Id"), "id-" + std::to_string(i));
  }
}

TEST_F(ServerTest, TakesRequestsByteByByte) {
  start();
  TestClient client(server_.port);
  for (const char byte : std::string_view(hello_request)) client.send({&byte, 1});
  EXPECT_EQ(client.receive().body, "Hello World!\n");
}

TEST_F(ServerTest, HeadHasTheSameHeadWithoutABody) {
  start();
  TestClient client(server_.port);
  const TestResponse head = client.send("HEAD /hello.wasm HTTP/1.1\r\nHost: test\r\n\r\n").receive(true);
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.field("Content-Length"), "13");
  EXPECT_EQ(client.ask(hello_request).body, "Hello World!\n");
}

TEST_F(ServerTest, Http10ClosesUnlessAsked) {
  start();
  TestClient client(server_.port);
  EXPECT_EQ(client.ask("GET /hello.wasm HTTP/1.0\r\n\r\n").field("Connection"), "close");
  EXPECT_TRUE(client.is_closed());
  TestClient keeping(server_.port);
  EXPECT_EQ(keeping.ask("GET /hello.wasm HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").field("Connection"),
            "keep-alive");
  EXPECT_EQ(keeping.ask("GET /hello.wasm HTTP/1.0\r\n\r\n").status, 200);
}

TEST_F(ServerTest, RefusesWhatCouldBeReadInTwoWays) {
  start();
  const std::string line = "POST /hello.wasm HTTP/1.1\r\n";
  for (const char* const fields : {
           "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n",
           "Transfer-Encoding: chunked\r\nContent-Length: 1\r\n",
           "Content-Length: 1\r\nContent-Length: 1\r\n",
           "Content-Length: 1, 1\r\n",
           "Content-Length: +1\r\n",
           "Content-Length: -1\r\n",
           "Content-Length: 0x1\r\n",
           "Content-Length:\r\n",
           "Content-Length: 99999999999999999999999\r\n",
           "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
           "X: 1\r\n 2\r\n",
           "X: 1\r\n\t2\r\n",
           "X : 1\r\n",
           " X: 1\r\n",
           "X: a\x01z\r\n",
           "X: a\nContent-Length: 3\r\n",
           "X\r\n",
           ": 1\r\n",
           "X(y): 1\r\n",
           "Host: other\r\n",
       })
    EXPECT_EQ(status_of(line + "Host: test\r\n" + fields + "\r\nx"), 400) << fields;
  EXPECT_EQ(status_of(line + "Host: test\r\nTransfer-Encoding: gzip, chunked\r\n\r\n"), 501);
  EXPECT_EQ(status_of(line + "Host: test\r\nTransfer-Encoding: xchunked\r\n\r\n"), 501);
  EXPECT_EQ(status_of("POST /hello.wasm HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"), 400);
  EXPECT_EQ(status_of(line + "\r\n"), 400);
  EXPECT_EQ(status_of(line + "Host: a/b\r\n\r\n"), 400);
}

TEST_F(ServerTest, RefusesBadRequestLines) {
  start();
  for (const char* const line :
       {"GET /hello.wasm\r\n", "GET  / HTTP/1.1\r\n", "GET / HTTP/1.1 \r\n", "GET / http/1.1\r\n", "G@T / HTTP/1.1\r\n",
        "GET /\"x HTTP/1.1\r\n", "GET /\xc3\xa4 HTTP/1.1\r\n", "GET foo HTTP/1.1\r\n", "GET * HTTP/1.1\r\n",
        "\x16\x03\x01\r\n", "/ HTTP/1.1\r\n"})
    EXPECT_EQ(status_of(line + std::string("Host: test\r\n\r\n")), 400) << line;
  EXPECT_EQ(status_of("GET / HTTP/2.0\r\nHost: test\r\n\r\n"), 505);
  EXPECT_EQ(status_of("CONNECT a:1 HTTP/1.1\r\nHost: test\r\n\r\n"), 501);
  EXPECT_EQ(status_of("TRACE / HTTP/1.1\r\nHost: test\r\n\r\n"), 501);
  EXPECT_EQ(status_of("OPTIONS * HTTP/1.1\r\nHost: test\r\n\r\n"), 204);
  EXPECT_EQ(status_of("GET http://other/hello.wasm HTTP/1.1\r\nHost: test\r\n\r\n"), 200);
  EXPECT_EQ(status_of("\r\n\r\nGET /hello.wasm HTTP/1.1\r\nHost: test\r\n\r\n"), 200);
  EXPECT_EQ(status_of("purge /hello.wasm HTTP/1.1\r\nHost: test\r\n\r\n"), 200);
}

TEST_F(ServerTest, BoundsHeads) {
  server_.config.request = {.max_target_bytes = 100, .max_header_bytes = 1000, .max_headers = 5};
  start();
  EXPECT_EQ(status_of("GET /" + std::string(200, 'a') + " HTTP/1.1\r\nHost: test\r\n\r\n"), 414);
  EXPECT_EQ(status_of("GET /" + std::string(20'000, 'a')), 414);
  EXPECT_EQ(status_of("GET / HTTP/1.1\r\nHost: test\r\nX: " + std::string(2'000, 'a') + "\r\n\r\n"), 431);
  EXPECT_EQ(status_of("GET / HTTP/1.1\r\nHost: test\r\nX: " + std::string(20'000, 'a')), 431);
  EXPECT_EQ(status_of("GET / HTTP/1.1\r\nHost: test\r\na: 1\r\nb: 1\r\nc: 1\r\nd: 1\r\ne: 1\r\n\r\n"), 431);
}

TEST_F(ServerTest, TakesBodiesOfBothFramings) {
  FunctionSettings settings;
  settings.max_request_body_bytes = 1'000;
  server_.sites.add_function("/echo.wasm", "echo_cgi.wasm", settings);
  start();
  TestClient client(server_.port);
  const std::string line = "POST /echo.wasm HTTP/1.1\r\nHost: test\r\n";
  EXPECT_EQ(client.ask(line + "Content-Length: 5\r\n\r\nhello").body, "hello");
  EXPECT_EQ(
      client.ask(line + "Transfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2;x=\"y\"\r\nlo\r\n0\r\nT: 1\r\n\r\n").body,
      "hello");
  EXPECT_EQ(client.ask(line + "Content-Length: 0\r\n\r\n").body, "");
  EXPECT_EQ(client.ask(line + "Content-Length: 1000\r\n\r\n" + std::string(1'000, 'b')).body.size(), 1'000u);
  EXPECT_EQ(status_of(line + "Content-Length: 1001\r\n\r\n"), 413);
  EXPECT_EQ(status_of(line + "Transfer-Encoding: chunked\r\n\r\n3e9\r\n" + std::string(1'001, 'b') + "\r\n0\r\n\r\n"),
            413);
  EXPECT_EQ(status_of(line + "Transfer-Encoding: chunked\r\n\r\nzz\r\n"), 400);
  EXPECT_EQ(status_of(line + "Transfer-Encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n"), 400);
}

TEST_F(ServerTest, SaysContinueWhenTheBodyIsWanted) {
  server_.sites.add_function("/echo.wasm", "echo_cgi.wasm");
  start();
  TestClient client(server_.port);
  const std::string fields = "Host: test\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n";
  EXPECT_EQ(client.ask("POST /echo.wasm HTTP/1.1\r\n" + fields).status, 100);
  EXPECT_EQ(client.ask("hello").body, "hello");
  EXPECT_EQ(status_of("POST /missing HTTP/1.1\r\n" + fields), 404);
  EXPECT_EQ(status_of("POST /echo.wasm HTTP/1.1\r\nHost: test\r\nExpect: magic\r\n\r\n"), 417);
}

TEST_F(ServerTest, SendsFilesWithRangesAndConditions) {
  std::string path = testing::TempDir() + "tfvm-file-XXXXXX";
  const int file = ::mkstemp(path.data());
  std::string content;
  for (int i = 0; i < 50'000; ++i) content += std::to_string(i) + ' ';
  ASSERT_EQ(::write(file, content.data(), content.size()), static_cast<ssize_t>(content.size()));
  ::unlink(path.c_str());
  server_.sites.add_file("/numbers.txt", file, "numbers.txt");
  start();
  const TestResponse whole = server_.get("/numbers.txt");
  EXPECT_EQ(whole.status, 200);
  EXPECT_EQ(whole.body, content);
  EXPECT_EQ(whole.field("Accept-Ranges"), "bytes");
  const auto range = [&](const std::string& value) { return server_.get("/numbers.txt", "Range: " + value + "\r\n"); };
  EXPECT_EQ(range("bytes=2-5").status, 206);
  EXPECT_EQ(range("bytes=2-5").body, content.substr(2, 4));
  EXPECT_EQ(range("bytes=2-5").field("Content-Range"), "bytes 2-5/" + std::to_string(content.size()));
  EXPECT_EQ(range("bytes=-7").body, content.substr(content.size() - 7));
  EXPECT_EQ(range("bytes=1000-").body, content.substr(1000));
  EXPECT_EQ(range("bytes=99999999-").status, 416);
  EXPECT_EQ(range("bytes=5-2").status, 200);
  EXPECT_EQ(range("bytes=0-1,4-5").status, 200);
  const std::string etag = whole.field("ETag");
  EXPECT_EQ(server_.get("/numbers.txt", "If-None-Match: \"x\", " + etag + "\r\n").status, 304);
  EXPECT_EQ(server_.get("/numbers.txt", "If-Modified-Since: " + whole.field("Last-Modified") + "\r\n").status, 304);
  EXPECT_EQ(server_.get("/numbers.txt", "If-Match: \"x\"\r\n").status, 412);
  EXPECT_EQ(server_.get("/numbers.txt", "Range: bytes=0-1\r\nIf-Range: \"x\"\r\n").status, 200);
  EXPECT_EQ(server_.get("/numbers.txt", "Range: bytes=0-1\r\nIf-Range: " + etag + "\r\n").status, 206);
  TestClient client(server_.port);
  EXPECT_EQ(client.ask("POST /numbers.txt HTTP/1.1\r\nHost: test\r\nContent-Length: 0\r\n\r\n").status, 405);
  EXPECT_EQ(client.send("HEAD /numbers.txt HTTP/1.1\r\nHost: test\r\n\r\n").receive(true).field("Content-Length"),
            std::to_string(content.size()));
}

TEST_F(ServerTest, RequestIdsThatAreNotSaneAreReplaced) {
  start();
  EXPECT_EQ(server_.get("/hello.wasm", "X-Request-Id: my.id-1\r\n").field("X-Request-Id"), "my.id-1");
  EXPECT_EQ(server_.get("/hello.wasm", "X-Request-Id: <script>\r\n").field("X-Request-Id").size(), 16u);
  EXPECT_EQ(server_.get("/hello.wasm", "X-Request-Id: " + std::string(65, 'a') + "\r\n").field("X-Request-Id").size(),
            16u);
}

TEST_F(ServerTest, SlowClientsAreSentAway) {
  server_.config.timeouts.header = std::chrono::milliseconds(50);
  server_.config.timeouts.body = std::chrono::milliseconds(50);
  server_.config.timeouts.idle = std::chrono::milliseconds(50);
  start();
  TestClient silent(server_.port);
  EXPECT_TRUE(silent.is_closed());
  TestClient slow_head(server_.port);
  EXPECT_EQ(slow_head.ask("GET /hello.wasm HT").status, 408);
  EXPECT_TRUE(slow_head.is_closed());
  TestClient slow_body(server_.port);
  EXPECT_EQ(slow_body.ask("POST /hello.wasm HTTP/1.1\r\nHost: test\r\nContent-Length: 9\r\n\r\nab").status, 408);
  TestClient idle(server_.port);
  EXPECT_EQ(idle.ask(hello_request).status, 200);
  EXPECT_TRUE(idle.is_closed());
}

TEST_F(ServerTest, ClientsThatDoNotReadAreSentAway) {
  server_.config.timeouts.write = std::chrono::milliseconds(50);
  server_.config.timeouts.min_bytes_per_second = 1u << 30;
  server_.sites.add_function("/large.wasm", "large.wasm");
  start();
  TestClient client(server_.port);
  for (int i = 0; i < 40; ++i) client.send("GET /large.wasm HTTP/1.1\r\nHost: test\r\n\r\n");
  while (server_.admin("/metrics").body.find("tfvm_client_timeouts_total 0") != std::string::npos) {
  }
  EXPECT_EQ(server_.get("/hello.wasm").status, 200);
}

TEST_F(ServerTest, BodiesThatWaitAreBoundedTogether) {
  server_.config.max_buffered_bytes = 100'000;
  server_.sites.add_function("/large.wasm", "large.wasm");
  start();
  const std::string head = "POST /hello.wasm HTTP/1.1\r\nHost: test\r\nContent-Length: 90000\r\n\r\n";
  TestClient first(server_.port);
  first.send(head + std::string(80'000, 'a'));
  while (server_.admin("/metrics").body.find("tfvm_buffered_body_bytes 80000") == std::string::npos) {
  }
  TestClient second(server_.port);
  EXPECT_EQ(second.ask(head + std::string(80'000, 'b')).status, 503);
  EXPECT_EQ(server_.get("/large.wasm").status, 503);
  EXPECT_EQ(first.ask(std::string(10'000, 'a')).status, 200);
  EXPECT_NE(server_.admin("/metrics").body.find("tfvm_buffered_body_bytes 0"), std::string::npos);
}

TEST_F(ServerTest, MayEndWithConnectionsOpen) {
  server_.config.shutdown_grace = std::chrono::milliseconds(1);
  start();
  TestClient busy(server_.port);
  busy.send("POST /hello.wasm HTTP/1.1\r\nHost: test\r\nContent-Length: 5\r\n\r\nhel");
  TestClient idle(server_.port);
  EXPECT_EQ(idle.ask(hello_request).status, 200);
  server_.stop();
  server_.server.reset();
  EXPECT_TRUE(busy.is_closed());
}

TEST_F(ServerTest, ConnectionsAreBounded) {
  server_.config.max_connections = 2;
  start();
  TestClient first(server_.port);
  EXPECT_EQ(first.ask(hello_request).status, 200);
  TestClient second(server_.port);
  EXPECT_EQ(second.ask(hello_request).status, 200);
  TestClient third(server_.port);
  EXPECT_TRUE(third.is_closed());
  EXPECT_EQ(server_.admin("/healthz").status, 200);
}

TEST_F(ServerTest, DrainingFinishesWhatIsUnderWay) {
  start();
  TestClient idle(server_.port);
  EXPECT_EQ(idle.ask(hello_request).status, 200);
  TestClient busy(server_.port);
  busy.send("POST /hello.wasm HTTP/1.1\r\nHost: test\r\nContent-Length: 5\r\n\r\nhel");
  while (server_.admin("/metrics").body.find("tfvm_connections_open 3") == std::string::npos) {
  }
  server_.server->drain();
  EXPECT_TRUE(idle.is_closed());
  const TestResponse response = busy.ask("lo");
  EXPECT_EQ(response.status, 200);
  EXPECT_TRUE(busy.is_closed());
  server_.wait();
  EXPECT_FALSE(TestClient(server_.port).is_connected());
}

TEST_F(ServerTest, AdminTellsHowItIs) {
  start();
  EXPECT_EQ(server_.get("/hello.wasm").status, 200);
  EXPECT_EQ(server_.admin("/healthz").body, "ok\n");
  EXPECT_EQ(server_.admin("/readyz").status, 200);
  EXPECT_EQ(server_.admin("/nothing").status, 404);
  const std::string metrics = server_.admin("/metrics").body;
  EXPECT_NE(metrics.find("tfvm_function_responses_total{function=\"hello.wasm\",class=\"2xx\"} 1\n"),
            std::string::npos);
  EXPECT_NE(metrics.find("tfvm_function_start_seconds_count{function=\"hello.wasm\"} 1\n"), std::string::npos);
  EXPECT_NE(server_.admin("/").body.find("hello.wasm"), std::string::npos);
  EXPECT_EQ(server_.get("/healthz").status, 404) << "only on the admin listener";
}

TEST_F(ServerTest, RedirectsAndAnswersChallenges) {
  std::string folder = testing::TempDir() + "tfvm-acme-XXXXXX";
  ASSERT_NE(::mkdtemp(folder.data()), nullptr);
  ASSERT_EQ(std::system(("mkdir -p " + folder + "/.well-known/acme-challenge && printf key >" + folder +
                         "/.well-known/acme-challenge/tok_en-1")
                            .c_str()),
            0);
  server_.config.acme_webroot = folder;
  start();
  TestClient client(server_.redirect_port);
  const TestResponse redirect = client.ask("GET /a?b=c HTTP/1.1\r\nHost: example.com:80\r\n\r\n");
  EXPECT_EQ(redirect.status, 308);
  EXPECT_EQ(redirect.field("Location"), "https://example.com/a?b=c");
  const std::string challenge = "/.well-known/acme-challenge/";
  EXPECT_EQ(client.ask("GET " + challenge + "tok_en-1 HTTP/1.1\r\nHost: example.com\r\n\r\n").body, "key");
  EXPECT_EQ(server_.get(challenge + "tok_en-1").body, "key");
  EXPECT_EQ(server_.get(challenge + "..%2f..%2fx").status, 404);
  EXPECT_EQ(server_.get(challenge + "absent").status, 404);
  EXPECT_EQ(std::system(("rm -r " + folder).c_str()), 0);
}

TEST_F(ServerTest, BelievesTrustedProxiesOnly) {
  start();
  EXPECT_EQ(server_.get("/hello.wasm?untrusted", "X-Forwarded-For: 192.0.2.1\r\n").status, 200);
  EXPECT_NE(server_.log.text().find("127.0.0.1 GET /hello.wasm?untrusted"), std::string::npos);
  TestServer trusting;
  trusting.config.trusted_proxies.push_back({*hostcalls::Address::parse("127.0.0.0"), 8});
  trusting.sites.add_function("/hello.wasm", "hello.wasm");
  trusting.start();
  EXPECT_EQ(trusting.get("/hello.wasm", "X-Forwarded-For: 203.0.113.9, 192.0.2.1, 127.0.0.7\r\n").status, 200);
  EXPECT_NE(trusting.log.text().find("192.0.2.1 GET /hello.wasm"), std::string::npos);
}

TEST_F(ServerTest, SlowRoutesDoNotHoldTheLoop) {
  server_.sites.is_slow = true;
  start();
  EXPECT_EQ(server_.get("/hello.wasm").status, 200);
}

}  // namespace
}  // namespace tfvm::serve
