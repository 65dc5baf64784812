// Functions on the server: fresh instances, limits, failures, concurrency, CGI.
#include <atomic>
#include <gtest/gtest.h>
#include <string>
#include <thread>
#include <vector>

#include "cli/serve/test_server.hpp"

namespace tfvm::serve {
namespace {

class RunFunctionTest : public testing::Test {
 protected:
  void add(const std::string& name, FunctionSettings settings = {}) {
    server_.sites.add_function('/' + name, name, std::move(settings));
  }
  static FunctionSettings with_timeout(std::chrono::milliseconds timeout) {
    FunctionSettings settings;
    settings.timeout = timeout;
    return settings;
  }
  TestServer server_;
};

TEST_F(RunFunctionTest, EveryRequestGetsAFreshInstance) {
  add("count.wasm");
  server_.start();
  for (int i = 0; i < 5; ++i) EXPECT_EQ(server_.get("/count.wasm").body, "11");
}

TEST_F(RunFunctionTest, TrapsAre500WithoutAnythingThatTheGuestSaid) {
  add("trap.wasm");
  add("hello.wasm");
  server_.start();
  const TestResponse response = server_.get("/trap.wasm", "X-Request-Id: trap-1\r\n");
  EXPECT_EQ(response.status, 500);
  EXPECT_EQ(response.body, "500 Internal Server Error\nrequest id: trap-1\n");
  const std::string log = server_.log.text();
  EXPECT_NE(log.find("request trap-1: trap.wasm trapped: unreachable"), std::string::npos) << log;
  EXPECT_NE(log.find("inner"), std::string::npos) << "the backtrace has names";
  EXPECT_EQ(server_.get("/hello.wasm").status, 200);
  EXPECT_NE(server_.admin("/metrics").body.find("tfvm_function_traps_total{function=\"trap.wasm\"} 1"),
            std::string::npos);
  EXPECT_NE(server_.admin("/").body.find("unreachable"), std::string::npos);
}

TEST_F(RunFunctionTest, RunawayGuestsEndAtTheirDeadlineAndNobodyElseWaits) {
  add("spin.wasm", with_timeout(std::chrono::milliseconds(3'000)));
  add("hello.wasm");
  server_.start();
  std::vector<std::thread> clients;
  std::atomic<int> ended{0};
  for (int i = 0; i < 3; ++i)
    clients.emplace_back([&] {
      EXPECT_EQ(server_.get("/spin.wasm").status, 504);
      ++ended;
    });
  while (server_.admin("/metrics").body.find("tfvm_requests_running 3") == std::string::npos) {
  }
  EXPECT_EQ(server_.get("/hello.wasm").status, 200);
  EXPECT_EQ(ended, 0);
  for (std::thread& client : clients) client.join();
  EXPECT_EQ(server_.get("/hello.wasm").status, 200);
}

TEST_F(RunFunctionTest, FuelMemoryAndStackAreBounded) {
  FunctionSettings little_fuel;
  little_fuel.fuel = 10'000;
  add("spin.wasm", little_fuel);
  FunctionSettings little_memory;
  little_memory.max_memory_bytes = 4u << 20;
  add("grow.wasm", little_memory);
  add("recurse.wasm");
  add("hello.wasm");
  server_.start();
  EXPECT_EQ(server_.get("/spin.wasm").status, 500);
  EXPECT_EQ(server_.get("/grow.wasm").body, "full");
  EXPECT_EQ(server_.get("/recurse.wasm").status, 500);
  EXPECT_NE(server_.log.text().find("call stack exhausted"), std::string::npos);
  EXPECT_EQ(server_.get("/hello.wasm").status, 200);
}

TEST_F(RunFunctionTest, MoreRequestsThanMayRunWaitAndThenAreRefused) {
  server_.config.pool.max_running = 1;
  server_.config.pool.max_waiting = 1;
  add("spin.wasm", with_timeout(std::chrono::milliseconds(1'000)));
  add("hello.wasm");
  server_.start();
  TestClient running(server_.port);
  running.send("GET /spin.wasm HTTP/1.1\r\nHost: test\r\n\r\n");
  while (server_.admin("/metrics").body.find("tfvm_requests_running 1") == std::string::npos) {
  }
  TestClient waiting(server_.port);
  waiting.send("GET /hello.wasm HTTP/1.1\r\nHost: test\r\n\r\n");
  while (server_.admin("/metrics").body.find("tfvm_requests_waiting 1") == std::string::npos) {
  }
  const TestResponse refused = server_.get("/hello.wasm");
  EXPECT_EQ(refused.status, 503);
  EXPECT_EQ(refused.field("Retry-After"), "1");
  EXPECT_EQ(running.receive().status, 504);
  EXPECT_EQ(waiting.receive().body, "Hello World!\n");
}

TEST_F(RunFunctionTest, OneFunctionCannotTakeAllPlaces) {
  FunctionSettings settings = with_timeout(std::chrono::milliseconds(1'000));
  settings.max_concurrent = 1;
  add("spin.wasm", settings);
  add("hello.wasm");
  server_.start();
  TestClient first(server_.port);
  TestClient second(server_.port);
  first.send("GET /spin.wasm HTTP/1.1\r\nHost: test\r\n\r\n");
  second.send("GET /spin.wasm HTTP/1.1\r\nHost: test\r\n\r\n");
  while (server_.admin("/metrics").body.find("tfvm_requests_waiting 1") == std::string::npos) {
  }
  EXPECT_EQ(server_.get("/hello.wasm").status, 200);
  EXPECT_EQ(first.receive().status, 504);
  EXPECT_EQ(second.receive().status, 504);
}

TEST_F(RunFunctionTest, ManyClientsNeverMix) {
  server_.config.workers = 2;
  add("hello.wasm");
  add("count.wasm");
  server_.start();
  std::vector<std::thread> clients;
  std::atomic<int> wrong{0};
  for (int i = 0; i < 8; ++i)
    clients.emplace_back([&, i] {
      TestClient client(server_.port);
      const std::string path = i % 2 == 0 ? "/hello.wasm" : "/count.wasm";
      for (int j = 0; j < 200; ++j)
        if (client.ask("GET " + path + " HTTP/1.1\r\nHost: test\r\n\r\n").body !=
            (i % 2 == 0 ? "Hello World!\n" : "11"))
          ++wrong;
    });
  for (std::thread& client : clients) client.join();
  EXPECT_EQ(wrong, 0);
}

TEST_F(RunFunctionTest, LargeBodiesArriveWhole) {
  add("large.wasm");
  server_.start();
  EXPECT_EQ(server_.get("/large.wasm").body, std::string(1u << 20, 'x'));
}

TEST_F(RunFunctionTest, CgiProgramsAnswerOnStandardOutput) {
  add("hello_cgi.wasm");
  server_.start();
  TestClient client(server_.port);
  for (int i = 0; i < 3; ++i) {
    const TestResponse response = client.ask("GET /hello_cgi.wasm HTTP/1.1\r\nHost: test\r\n\r\n");
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(response.body, "Hello World!\n");
    EXPECT_EQ(response.field("Content-Length"), "13");
  }
}

TEST_F(RunFunctionTest, CgiProgramsSeeTheRequestInTheirEnvironment) {
  FunctionSettings settings;
  settings.environment = {"COLOUR=red", "REQUEST_METHOD=FAKE", "HTTP_X=fake"};
  add("environment_cgi.wasm", settings);
  server_.start();
  TestClient client(server_.port);
  const std::string body = client
                               .ask(
                                   "POST /environment_cgi.wasm/a%20b/c?x=1&y HTTP/1.1\r\nHost: example.com:8080\r\n"
                                   "Accept: a\r\nAccept: b\r\nCookie: c=1\r\nCookie: d=2\r\nProxy: evil\r\n"
                                   "X_Y: confused\r\nContent-Type: text/x\r\nContent-Length: 2\r\n\r\nhi")
                               .body;
  for (const char* const line :
       {"GATEWAY_INTERFACE=CGI/1.1\n", "SERVER_PROTOCOL=HTTP/1.1\n", "REQUEST_METHOD=POST\n",
        "SERVER_NAME=example.com\n", "SCRIPT_NAME=/environment_cgi.wasm\n", "QUERY_STRING=x=1&y\n",
        "CONTENT_LENGTH=2\n", "CONTENT_TYPE=text/x\n", "HTTP_ACCEPT=a, b\n", "HTTP_COOKIE=c=1; d=2\n",
        "HTTP_HOST=example.com:8080\n", "REMOTE_ADDR=127.0.0.1\n", "COLOUR=red\n",
        "REQUEST_URI=/environment_cgi.wasm/a%20b/c?x=1&y\n"})
    EXPECT_NE(body.find(line), std::string::npos) << line << body;
  for (const char* const text : {"PROXY", "evil", "confused", "FAKE", "fake"})
    EXPECT_EQ(body.find(text), std::string::npos) << text;
}

TEST_F(RunFunctionTest, CgiBodiesStreamBothWays) {
  FunctionSettings settings;
  settings.max_request_body_bytes = 64u << 20;
  settings.hostcall_limits.max_response_bytes = 64u << 20;
  add("echo_cgi.wasm", settings);
  server_.start();
  TestClient client(server_.port);
  std::string body;
  for (int i = 0; body.size() < (3u << 20); ++i) body += std::to_string(i) + ',';
  client.send("POST /echo_cgi.wasm HTTP/1.1\r\nHost: test\r\nContent-Length: " + std::to_string(body.size()) +
              "\r\n\r\n");
  std::thread sender([&] { client.send(body); });
  const TestResponse response = client.receive();
  sender.join();
  EXPECT_EQ(response.status, 201);
  EXPECT_EQ(response.field("Transfer-Encoding"), "chunked");
  EXPECT_TRUE(response.body == body);
  EXPECT_EQ(client.ask("POST /echo_cgi.wasm HTTP/1.1\r\nHost: test\r\nContent-Length: 2\r\n\r\nok").body, "ok");
}

TEST_F(RunFunctionTest, CgiOutputIsSentWhileTheProgramWaits) {
  add("endless_cgi.wasm", with_timeout(std::chrono::milliseconds(1'500)));
  server_.start();
  TestClient client(server_.port);
  client.send("GET /endless_cgi.wasm HTTP/1.1\r\nHost: test\r\n\r\n");
  const TestResponse response = client.receive();
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body, "tick\n");
  EXPECT_TRUE(response.is_cut) << "an end would say that it was whole";
}

TEST_F(RunFunctionTest, CgiResponsesMayBeLarge) {
  add("large_cgi.wasm");
  server_.start();
  EXPECT_EQ(server_.get("/large_cgi.wasm").body, std::string(10'000'000, 'y'));
  TestClient old(server_.port);
  EXPECT_EQ(old.ask("GET /large_cgi.wasm HTTP/1.0\r\n\r\n").body.size(), 10'000'000u);
  TestClient head(server_.port);
  EXPECT_EQ(head.send("HEAD /large_cgi.wasm HTTP/1.1\r\nHost: test\r\n\r\n").receive(true).status, 200);
}

TEST_F(RunFunctionTest, CgiResponsesAreBounded) {
  FunctionSettings settings;
  settings.hostcall_limits.max_response_bytes = 1'000'000;
  add("large_cgi.wasm", settings);
  server_.start();
  const TestResponse response = server_.get("/large_cgi.wasm");
  EXPECT_TRUE(response.is_cut);
  EXPECT_LE(response.body.size(), 1'000'000u);
}

TEST_F(RunFunctionTest, CgiProgramsThatFailAre500) {
  add("exit_cgi.wasm");
  add("headless_cgi.wasm");
  add("redirect_cgi.wasm");
  server_.start();
  EXPECT_EQ(server_.get("/exit_cgi.wasm").status, 500);
  EXPECT_EQ(server_.get("/headless_cgi.wasm").status, 500);
  const std::string log = server_.log.text();
  EXPECT_NE(log.find("exit_cgi.wasm stderr: no luck"), std::string::npos) << log;
  EXPECT_NE(log.find("exit code 3"), std::string::npos) << log;
  EXPECT_NE(log.find("must write header fields"), std::string::npos) << log;
  const TestResponse redirect = server_.get("/redirect_cgi.wasm");
  EXPECT_EQ(redirect.status, 302);
  EXPECT_EQ(redirect.field("Location"), "/elsewhere?a=1");
}

}  // namespace
}  // namespace tfvm::serve
