// CGI heads in any pieces, and what is no head.
#include "cli/serve/cgi.hpp"

#include <gtest/gtest.h>

namespace tfvm::serve {
namespace {

class CollectingSink final : public CgiSink {
 public:
  void begin(std::uint16_t given_status, hostcalls::Headers given_headers) override {
    status = given_status;
    headers = std::move(given_headers);
  }
  wasi::Stream::Outcome body(std::span<const std::uint8_t> bytes) override {
    text.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    return {wasi::Stream::Status::Moved, bytes.size()};
  }
  bool is_ready() override { return true; }
  struct ::pollfd pending() const override { return {-1, 0, 0}; }

  std::uint16_t status = 0;
  hostcalls::Headers headers;
  std::string text;
};

// Writes as a guest does: until all is taken, at most `piece` bytes at once.
bool write(CgiOutput& output, std::string_view text, std::size_t piece) {
  while (!text.empty()) {
    const std::size_t size = std::min(piece, text.size());
    const auto outcome = output.write({reinterpret_cast<const std::uint8_t*>(text.data()), size});
    if (outcome.status != wasi::Stream::Status::Moved) return false;
    text.remove_prefix(outcome.bytes);
  }
  return true;
}

TEST(CgiTest, HeadsMayComeInAnyPieces) {
  for (const std::string& end : {std::string("\n"), std::string("\r\n")})
    for (std::size_t piece = 1; piece < 70; ++piece) {
      CollectingSink sink;
      CgiOutput output(sink, 1000, 10);
      const std::string text = "Status: 404 Not Found" + end + "X-A:  b " + end + end + "body\n\nmore";
      ASSERT_TRUE(write(output, text, piece)) << piece;
      EXPECT_TRUE(output.has_head());
      EXPECT_EQ(sink.status, 404);
      EXPECT_EQ(hostcalls::find_field(sink.headers, "x-a"), "b");
      EXPECT_EQ(sink.text, "body\n\nmore");
    }
}

TEST(CgiTest, RefusesWhatIsNoHead) {
  for (const char* const text :
       {"\nbody", "X-Only: 1\n\n", "Status: abc\n\n", "Status: 99\n\n", "Status: 101\n\n", "Status: 2000\n\n",
        "Hello\n", "Content-Type: a\x01z\n\n", "bad name: x\n\n", ": x\n\n"}) {
    CollectingSink sink;
    CgiOutput output(sink, 100, 2);
    EXPECT_FALSE(write(output, text, 1000) && output.has_head()) << text;
    EXPECT_FALSE(output.problem().empty()) << text;
    EXPECT_EQ(sink.status, 0) << text;
  }
  CollectingSink sink;
  CgiOutput many(sink, 100, 2);
  EXPECT_FALSE(write(many, "A: 1\nB: 2\nContent-Type: x\n\n", 1000));
  CgiOutput long_one(sink, 100, 2);
  EXPECT_FALSE(write(long_one, "Content-Type: " + std::string(200, 'x'), 7));
}

TEST(CgiTest, FieldsOfTheRequestBecomeVariables) {
  hostcalls::HttpRequest request;
  request.target = "/a.wasm/p?q=%20";
  request.headers = {{"Authorization", "Basic x"}, {"X-One", "1"}, {"X-One", "2"}, {"Proxy", "p"}, {"A_B", "c"}};
  const CgiRequest described{.request = request,
                             .script_name = "/a.wasm",
                             .path_info = "/p",
                             .host = "[::1]:80",
                             .client_address = "::1",
                             .user = "alice",
                             .request_id = "id",
                             .content_length = {},
                             .is_tls = true};
  const std::vector<std::string> variables = cgi_environment(described, {"A=1", "REMOTE_USER=mallory"});
  const auto has = [&](const std::string& variable) {
    return std::find(variables.begin(), variables.end(), variable) != variables.end();
  };
  for (const char* const variable : {"SERVER_NAME=[::1]", "QUERY_STRING=q=%20", "PATH_INFO=/p", "HTTPS=on",
                                     "REMOTE_USER=alice", "AUTH_TYPE=Basic", "HTTP_X_ONE=1, 2", "A=1"})
    EXPECT_TRUE(has(variable)) << variable;
  for (const std::string& variable : variables) {
    EXPECT_FALSE(variable.starts_with("HTTP_AUTHORIZATION") || variable.starts_with("HTTP_PROXY") ||
                 variable.starts_with("HTTP_A_B") || variable == "REMOTE_USER=mallory" ||
                 variable.starts_with("CONTENT_LENGTH"))
        << variable;
  }
}

}  // namespace
}  // namespace tfvm::serve
