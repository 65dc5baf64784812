// HTTPS: certificates by name, reading them again, what is refused. openssl makes the certificates, curl is the client.
#include "cli/serve/tls.hpp"

#include <cstdlib>
#include <filesystem>
#include <gtest/gtest.h>
#include <string>

#include "cli/serve/test_server.hpp"

namespace tfvm::serve {
namespace {

std::string output_of(const std::string& command) {
  std::string text;
  std::FILE* const pipe = ::popen(command.c_str(), "re");
  if (pipe == nullptr) return text;
  char buffer[4096];
  while (const std::size_t count = std::fread(buffer, 1, sizeof(buffer), pipe)) text.append(buffer, count);
  ::pclose(pipe);
  return text;
}

class TlsTest : public testing::Test {
 protected:
  TlsTest() {
    folder_ = testing::TempDir() + "tfvm-tls-XXXXXX";
    if (::mkdtemp(folder_.data()) == nullptr) std::abort();
  }
  ~TlsTest() override { std::filesystem::remove_all(folder_); }

  void make_certificate(const std::string& domain, const std::string& organisation) {
    const std::string place = folder_ + '/' + domain;
    std::filesystem::create_directories(place);
    const std::string command =
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj '/O=" + organisation +
        "/CN=" + domain + "' -addext 'subjectAltName=DNS:" + domain + "' -keyout " + place + "/privkey.pem -out " +
        place + "/fullchain.pem 2>/dev/null";
    ASSERT_EQ(std::system(command.c_str()), 0);
  }
  void start() {
    auto loaded = load_certificates(
        {"", folder_ + "/default.test/fullchain.pem", folder_ + "/default.test/privkey.pem"}, folder_);
    ASSERT_TRUE(loaded.ok()) << loaded.error().to_string();
    certificates_ = std::move(*loaded);
    server_.sites.add_function("/hello.wasm", "hello.wasm");
    server_.sites.add_function("/large_cgi.wasm", "large_cgi.wasm");
    server_.sites.add_function("/large.wasm", "large.wasm");
    FunctionSettings settings;
    settings.max_request_body_bytes = 8u << 20;
    server_.sites.add_function("/echo_cgi.wasm", "echo_cgi.wasm", settings);
    server_.start(certificates_.get());
  }
  std::string curl(const std::string& host, const std::string& path, const std::string& options = {}) {
    const std::string port = std::to_string(server_.tls_port);
    return output_of("curl -s --max-time 60 --cacert " + folder_ + '/' + host + "/fullchain.pem --resolve " + host +
                     ':' + port + ":127.0.0.1 " + options + " https://" + host + ':' + port + path);
  }
  std::string subject(const std::string& options) {
    return output_of("openssl s_client -connect 127.0.0.1:" + std::to_string(server_.tls_port) + ' ' + options +
                     " </dev/null 2>/dev/null | openssl x509 -noout -subject 2>/dev/null");
  }

  std::string folder_;
  std::unique_ptr<Certificates> certificates_;
  TestServer server_;
};

TEST_F(TlsTest, ServesWithTheCertificateOfTheName) {
  make_certificate("default.test", "Default");
  make_certificate("one.test", "One");
  start();
  EXPECT_EQ(curl("one.test", "/hello.wasm"), "Hello World!\n");
  EXPECT_EQ(curl("default.test", "/hello.wasm"), "Hello World!\n");
  EXPECT_NE(subject("-servername one.test").find("One"), std::string::npos);
  EXPECT_NE(subject("-servername other.test").find("Default"), std::string::npos);
  EXPECT_NE(subject("-noservername").find("Default"), std::string::npos);
  EXPECT_EQ(subject("-tls1_1"), "") << "too old";
  EXPECT_NE(subject("-tls1_2"), "");
}

TEST_F(TlsTest, BodiesOfAllKindsArrive) {
  make_certificate("default.test", "Default");
  start();
  EXPECT_EQ(curl("default.test", "/large.wasm", "--http1.1"), std::string(1u << 20, 'x'));
  EXPECT_EQ(curl("default.test", "/large_cgi.wasm"), std::string(10'000'000, 'y'));
  std::string body;
  for (int i = 0; body.size() < 1'000'000; ++i) body += std::to_string(i) + ' ';
  const std::string file = folder_ + "/body";
  {
    std::ofstream out(file);
    out << body;
  }
  EXPECT_TRUE(curl("default.test", "/echo_cgi.wasm", "--data-binary @" + file) == body);
}

TEST_F(TlsTest, ReadsCertificatesAgain) {
  make_certificate("default.test", "Default");
  make_certificate("one.test", "First");
  start();
  EXPECT_NE(subject("-servername one.test").find("First"), std::string::npos);
  make_certificate("one.test", "Second");
  make_certificate("two.test", "New");
  EXPECT_TRUE(certificates_->reload(false).empty());
  EXPECT_NE(subject("-servername one.test").find("Second"), std::string::npos);
  EXPECT_NE(subject("-servername two.test").find("New"), std::string::npos);
  {
    std::ofstream broken(folder_ + "/one.test/fullchain.pem");
    broken << "nonsense";
  }
  EXPECT_EQ(certificates_->reload(false).size(), 1u);
  EXPECT_TRUE(certificates_->reload(false).empty()) << "said once";
  EXPECT_NE(subject("-servername one.test").find("Second"), std::string::npos) << "the old one stays";
  EXPECT_EQ(curl("default.test", "/hello.wasm"), "Hello World!\n");
}

TEST_F(TlsTest, PlainTextOnTheTlsPortIsNotServed) {
  make_certificate("default.test", "Default");
  start();
  TestClient client(server_.tls_port);
  client.send("GET /hello.wasm HTTP/1.1\r\nHost: test\r\n\r\n");
  EXPECT_TRUE(client.is_closed());
}

TEST_F(TlsTest, KeysMustFit) {
  make_certificate("one.test", "One");
  make_certificate("two.test", "Two");
  EXPECT_FALSE(
      load_certificates({"", folder_ + "/one.test/fullchain.pem", folder_ + "/two.test/privkey.pem"}, "").ok());
  EXPECT_FALSE(load_certificates({"", "", ""}, folder_ + "/absent").ok());
}

}  // namespace
}  // namespace tfvm::serve
