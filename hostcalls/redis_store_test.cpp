// The Redis store: URLs, servers that go away, forget, refuse, or talk nonsense.
#include <array>
#include <gtest/gtest.h>
#include <thread>

#include "hostcalls/key_value_store.hpp"
#include "hostcalls/redis_connection.hpp"
#include "hostcalls/test_redis_server.hpp"

namespace tfvm::hostcalls {
namespace {

using test::RedisServer;

constexpr KeyValueLimits limits;

std::unique_ptr<KeyValueStore> open(const std::string& url) {
  Result<std::unique_ptr<KeyValueStore>> store = open_redis_store(url);
  EXPECT_TRUE(store.ok()) << store.error().message;
  return store ? std::move(*store) : nullptr;
}

bool is_host_error(const auto& result) { return !result.ok() && result.error().kind == ErrorKind::Host; }

TEST(RedisStore, ReadsUrls) {
  for (const char* url :
       {"redis://127.0.0.1", "redis://localhost:6379", "redis://cache.example.com/3", "redis://[::1]:1",
        "redis://:secret@localhost", "redis://me:s%40%3a%2Fx@localhost:6380/0", "redis://localhost/"}) {
    EXPECT_TRUE(open_redis_store(url).ok()) << url;
  }
  for (const char* url : {"",
                          "redis:",
                          "redis://",
                          "http://localhost",
                          "rediss://localhost",
                          "redis://localhost:",
                          "redis://localhost:0",
                          "redis://localhost:65536",
                          "redis://localhost:x",
                          "redis://localhost/x",
                          "redis://localhost/-1",
                          "redis://a b",
                          "redis://secret@localhost",
                          "redis://:@localhost",
                          "redis://:%4@localhost",
                          "redis://:%xx@localhost",
                          "redis://[::1",
                          "redis://[127.0.0.1]",
                          "redis://127.1",
                          "redis://::1",
                          "redis://localhost?x"}) {
    EXPECT_TRUE(is_host_error(open_redis_store(url))) << url;
  }
  EXPECT_EQ(open_redis_store("redis://:secret@a b").error().message.find("secret"), std::string::npos);
}

TEST(RedisStore, SurvivesARestartOfTheServer) {
  RedisServer server;
  const std::unique_ptr<KeyValueStore> store = open(server.url());
  EXPECT_TRUE(store->put("s", "k", "v", limits).value());
  server.kill();
  EXPECT_TRUE(is_host_error(store->get("s", "k")));
  EXPECT_TRUE(is_host_error(store->put("s", "k", "w", limits)));
  server.start();
  EXPECT_EQ(store->get("s", "k").value(), "v");  // what was acknowledged is in its log
  EXPECT_FALSE(store->append("s", "k", "w", limits).value());
  EXPECT_EQ(store->get("s", "k").value(), "vw");
}

TEST(RedisStore, GivesTheScriptAgainWhenTheServerForgetsIt) {
  RedisServer server;
  const std::unique_ptr<KeyValueStore> store = open(server.url());
  EXPECT_TRUE(store->put("s", "k", "v", limits).value());
  const std::string url = server.url();
  const auto port = static_cast<std::uint16_t>(std::stoi(url.substr(url.rfind(':') + 1)));
  const auto connection = RedisConnection::connect(*Address::parse("127.0.0.1"), port, std::chrono::seconds(5));
  ASSERT_TRUE(connection.ok());
  ASSERT_TRUE((*connection)->call(std::array<std::string_view, 2>{"SCRIPT", "FLUSH"}, std::chrono::seconds(5)).ok());
  EXPECT_FALSE(store->put("s", "k", "w", limits).value());
  EXPECT_EQ(store->get("s", "k").value(), "w");
}

TEST(RedisStore, LogsInAndSelects) {
  RedisServer server("pa ss@word");
  const std::string address = server.url().substr(server.url().rfind('@') + 1);
  const std::unique_ptr<KeyValueStore> store = open("redis://:pa%20ss%40word@" + address + "/2");
  EXPECT_TRUE(store->put("s", "k", "v", limits).value());
  EXPECT_EQ(open("redis://default:pa%20ss%40word@" + address + "/2")->get("s", "k").value(), "v");
  EXPECT_EQ(open("redis://:pa%20ss%40word@" + address + "/3")->get("s", "k").value(), std::nullopt);
  EXPECT_TRUE(is_host_error(open("redis://:wrong@" + address)->get("s", "k")));
  EXPECT_TRUE(is_host_error(open("redis://" + address)->get("s", "k")));
  EXPECT_TRUE(is_host_error(open("redis://:pa%20ss%40word@" + address + "/99")->get("s", "k")));
}

/// Answers every connection with the same bytes and closes it.
class FakeServer {
 public:
  explicit FakeServer(std::string answer) : answer_(std::move(answer)) {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ::bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof(address));
    ::listen(listener_, 16);
    socklen_t size = sizeof(address);
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  ~FakeServer() {
    ::shutdown(listener_, SHUT_RDWR);
    thread_.join();
    ::close(listener_);
  }
  FakeServer(const FakeServer&) = delete;
  FakeServer& operator=(const FakeServer&) = delete;
  std::string url() const { return "redis://127.0.0.1:" + std::to_string(port_); }

 private:
  void serve() {
    while (true) {
      const int connection = ::accept(listener_, nullptr, nullptr);
      if (connection < 0) return;
      char buffer[4096];
      static_cast<void>(::recv(connection, buffer, sizeof(buffer), 0));
      static_cast<void>(::send(connection, answer_.data(), answer_.size(), MSG_NOSIGNAL));
      ::close(connection);
    }
  }

  std::string answer_;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::thread thread_;
};

TEST(RedisStore, NonsenseIsAnError) {
  for (const std::string& answer :
       {std::string(), std::string("\r\n"), std::string("x"), std::string("HTTP/1.1 400 Bad Request\r\n\r\n"),
        std::string("$"), std::string("$5\r\nabc"), std::string("$3\r\nabcde\r\n"), std::string("$-2\r\n"),
        std::string("$99999999999999999999\r\n"), std::string("$4294967296\r\n"), std::string("*1\r\n:1\r\n"),
        std::string(":x\r\n"), std::string("-ERR no\r\n"), std::string("-NOSCRIPT again\r\n"),
        std::string("+\r\n+\r\n"), std::string(1'000'000, 'x'), std::string("\0\xff\r\n", 4)}) {
    const FakeServer server(answer);
    const std::unique_ptr<KeyValueStore> store = open(server.url());
    EXPECT_TRUE(is_host_error(store->get("s", "k"))) << answer.substr(0, 40);
    EXPECT_TRUE(is_host_error(store->put("s", "k", "v", limits))) << answer.substr(0, 40);
  }
}

TEST(RedisStore, NobodyThereIsAnError) {
  const std::string url = "redis://127.0.0.1:" + std::to_string(test::free_port(SOCK_STREAM));
  EXPECT_TRUE(is_host_error(open(url)->get("s", "k")));
  EXPECT_TRUE(is_host_error(open(url)->remove("s", "k")));
}

}  // namespace
}  // namespace tfvm::hostcalls
