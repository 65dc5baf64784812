// The HTTP client where guests and servers mean harm: addresses that must not be reached in every spelling, names that
// change their mind, redirects, certificates.
#include <gtest/gtest.h>

#include "hostcalls/http_client.hpp"
#include "hostcalls/test_http_server.hpp"
#include "hostcalls/test_process.hpp"

namespace tfvm::hostcalls {
namespace {

using test::get_of;
using test::response;
using test::ServerConnection;
using test::TestHttpServer;

class HttpClientSecurityTest : public test::ClientTest {};

TestHttpServer::Serve echo() {
  return TestHttpServer::answering([](const std::string& request) { return response(request); });
}

// ---- Addresses
// ---------------------------------------------------------------------------------------------------------

TEST_F(HttpClientSecurityTest, NoSpellingOfASpecialAddressIsReached) {
  const TestHttpServer server(echo());
  policy = {};
  allow("*");
  const char* const hosts[] = {"127.0.0.1",
                               "localhost",
                               "127.1",
                               "127.0.1",
                               "2130706433",
                               "0x7f000001",
                               "0x7f.0.0.1",
                               "0x7f.1",
                               "0177.0.0.1",
                               "017700000001",
                               "0177.1",
                               "127.0.0.01",
                               "127.000.000.001",
                               "0",
                               "0.0.0.0",
                               "0.0.0.1",
                               "00.0.0.0",
                               "127.0.0.1.",
                               "[::1]",
                               "[::]",
                               "[::ffff:127.0.0.1]",
                               "[::ffff:7f00:1]",
                               "[0:0:0:0:0:ffff:127.0.0.1]",
                               "[::127.0.0.1]",
                               "[64:ff9b::127.0.0.1]",
                               "[64:ff9b::7f00:1]",
                               "[2002:7f00:1::]",
                               "[2001:0:7f00:1::]",
                               "[::ffff:0:127.0.0.1]",
                               "[fe80::1]",
                               "[fc00::1]",
                               "[ff02::1]",
                               "127.0.0.2",
                               "127.255.255.254",
                               "10.0.0.1",
                               "172.16.0.1",
                               "192.168.0.1",
                               "169.254.169.254",
                               "[::ffff:169.254.169.254]",
                               "[fd00:ec2::254]",
                               "100.100.100.200",
                               "168.63.129.16",
                               "192.0.0.192",
                               "224.0.0.1",
                               "255.255.255.255",
                               "%31%32%37.0.0.1",
                               "127.0.0.1%00.example.com",
                               "example.com@127.0.0.1",
                               "127.0.0.1#@example.com",
                               "\xe2\x91\xa0\xe2\x91\xa1\xe2\x91\xa6.0.0.1",
                               "127\xe3\x80\x82"
                               "0\xe3\x80\x82"
                               "0\xe3\x80\x82"
                               "1"};
  resolver.put("localhost", {{"127.0.0.1", "::1"}});
  for (const char* host : hosts) EXPECT_TRUE(failed(get(server.url(host)))) << host;
  // Names that say them. Nothing of what they say may be connected to.
  for (const char* address : {"127.0.0.1", "0.0.0.0", "::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "::127.0.0.1",
                              "2002:7f00:1::", "10.0.0.1", "169.254.169.254", "fe80::1", "fd00:ec2::254"}) {
    resolver.put("evil.test", {{address}});
    EXPECT_TRUE(failed(get(server.url("evil.test")), "may not be reached")) << address;
  }
  EXPECT_EQ(server.connection_count(), 0);
}

TEST_F(HttpClientSecurityTest, OnlyCheckedAddressesAreConnectedTo) {
  const TestHttpServer good(echo());
  policy = {};
  allow("127.0.0.1:" + std::to_string(good.port()));
  resolver.put("mixed.test", {{"169.254.169.254", "127.0.0.2", "127.0.0.1", "10.0.0.1"}});
  EXPECT_TRUE(get(good.url("mixed.test")).ok());
  const TestHttpServer other_port(echo());
  EXPECT_TRUE(failed(get(other_port.url("mixed.test")), "may not be reached"));
  EXPECT_EQ(other_port.connection_count(), 0);
}

TEST_F(HttpClientSecurityTest, ANameThatChangesItsMindGainsNothing) {
  // The address that was checked is the one that is connected to: one lookup for each request, and no other.
  const TestHttpServer allowed(echo());
  resolver.put("rebind.test", {{"127.0.0.1"}, {"127.0.0.2"}, {"169.254.169.254"}, {"127.0.0.1"}});
  EXPECT_TRUE(get(allowed.url("rebind.test")).ok());
  EXPECT_EQ(resolver.lookups(), 1);
  // Neither is what an idle connection leads to taken for granted: now the name is somewhere else.
  EXPECT_TRUE(failed(get(allowed.url("rebind.test")), "may not be reached"));
  EXPECT_EQ(allowed.connection_count(), 1);
}

TEST_F(HttpClientSecurityTest, IdleConnectionsAreOfNoUseToThoseWhoMayNot) {
  const TestHttpServer server(echo());
  resolver.put("shared.test", {{"127.0.0.1"}});
  EXPECT_TRUE(get(server.url("shared.test")).ok());
  policy = {};
  allow("*");  // another guest
  EXPECT_TRUE(failed(get(server.url("shared.test")), "may not be reached"));
  policy = {};
  EXPECT_TRUE(failed(get(server.url("shared.test")), "nothing may be reached"));
}

// ---- Redirects
// ---------------------------------------------------------------------------------------------------------

std::string redirect_to(const std::string& location, const std::string& status = "302 Found") {
  return response("ignored", "Location: " + location + "\r\n", status);
}

TEST_F(HttpClientSecurityTest, RedirectsAreCheckedAgain) {
  const TestHttpServer secret(echo());
  std::string location;
  const TestHttpServer server(TestHttpServer::answering([&](const std::string& request) {
    return request.starts_with("GET /end") ? response("end") : redirect_to(location);
  }));
  policy = {};
  allow("127.0.0.1:" + std::to_string(server.port()));
  resolver.put("inner.test", {{"127.0.0.1"}});
  const std::string secret_port = std::to_string(secret.port());
  for (const std::string& bad :
       {secret.url(), secret.url("inner.test"), secret.url("[::ffff:127.0.0.1]"), secret.url("127.1"),
        secret.url("0x7f000001"), secret.url("2130706433"), secret.url("localhost"), "//127.0.0.1:" + secret_port + "/",
        "http://127.0.0.1:" + secret_port + "@127.0.0.1:" + std::to_string(server.port()) + "/",
        std::string("http://169.254.169.254/latest/meta-data/"), std::string("http://[fd00:ec2::254]/"),
        std::string("file:///etc/passwd"), std::string("gopher://127.0.0.1/"), std::string("http://"),
        std::string("//"), std::string("http://none.test/")}) {
    location = bad;
    EXPECT_TRUE(failed(get(server.url()))) << bad;
  }
  EXPECT_EQ(secret.connection_count(), 0);
  for (const std::string& good :
       {std::string("/end"), std::string("end"), std::string("?x/../../end"), server.url("127.0.0.1", "/end"),
        server.url("inner.test", "/end"), std::string("/caf\xc3\xa9/../end")}) {
    location = good;
    if (good.starts_with('?'))
      EXPECT_TRUE(failed(get(server.url()), "too many redirects"));  // /?x/../../end is still /
    else EXPECT_EQ(text(get(server.url())), "200 end") << good;
  }
}

TEST_F(HttpClientSecurityTest, RedirectsAreBounded) {
  std::atomic<int> requests{0};
  const TestHttpServer server(
      TestHttpServer::answering([&](const std::string&) { return redirect_to("/" + std::to_string(++requests)); }));
  limits.max_redirects = 5;
  EXPECT_TRUE(failed(get(server.url()), "too many redirects"));
  EXPECT_EQ(requests, 6);
  limits.max_redirects = 0;  // not followed: the guest's own affair
  EXPECT_EQ(text(get(server.url())), "302 ignored");
  EXPECT_EQ(requests, 7);
}

TEST_F(HttpClientSecurityTest, RedirectsKeepOrChangeTheMethod) {
  struct Case {
    const char* method;
    const char* status;
    const char* next;  ///< method, body
  };
  const Case cases[] = {
      {"GET", "301", "GET "},       {"GET", "302", "GET "},           {"GET", "303", "GET "},
      {"GET", "307", "GET "},       {"GET", "308", "GET "},           {"POST", "301", "GET "},
      {"POST", "302", "GET "},      {"POST", "303", "GET "},          {"POST", "307", "POST body"},
      {"POST", "308", "POST body"}, {"PUT", "301", "PUT body"},       {"PUT", "302", "PUT body"},
      {"PUT", "303", "GET "},       {"DELETE", "307", "DELETE body"}, {"PATCH", "303", "GET "},
  };
  for (const Case& c : cases) {
    const TestHttpServer server(TestHttpServer::answering([&](const std::string& request) {
      if (request.find(" /next ") == std::string::npos) return redirect_to("/next", std::string(c.status) + " Moved");
      return response(request.substr(0, request.find(' ') + 1) + request.substr(request.find("\r\n\r\n") + 4) +
                      (request.find("Content-Type") != std::string::npos ? "+type" : ""));
    }));
    const bool keeps = std::string_view(c.next).ends_with("body") || std::string_view(c.method) == "GET";
    EXPECT_EQ(
        text(
            send({c.method, server.url(), {{"Content-Type", "x"}}, std::string_view(c.method) == "GET" ? "" : "body"})),
        "200 " + std::string(c.next) + (keeps ? "+type" : ""))
        << c.method << " " << c.status;
  }
  const TestHttpServer server(TestHttpServer::answering([](const std::string& request) {
    if (request.starts_with("HEAD / "))
      return std::string("HTTP/1.1 303 See\r\nLocation: /next\r\nContent-Length: 5\r\n\r\n");
    return "HTTP/1.1 " + std::string(request.starts_with("HEAD /next ") ? "201" : "500") +
           " X\r\nContent-Length: 5\r\n\r\n";
  }));
  EXPECT_EQ(text(send({"HEAD", server.url(), {}, ""})), "201 ");
}

TEST_F(HttpClientSecurityTest, CredentialsStayWithTheirOrigin) {
  const TestHttpServer other(echo());
  std::string location;
  const TestHttpServer server(TestHttpServer::answering([&](const std::string& request) {
    return request.starts_with("GET /end") ? response(request) : redirect_to(location);
  }));
  const Headers fields = {{"Authorization", "secret"}, {"cookie", "secret"}, {"Host", "secret.example"}, {"X", "kept"}};
  resolver.put("other.test", {{"127.0.0.1"}});
  for (const std::string& elsewhere : {other.url(), server.url("other.test", "/end")}) {
    location = elsewhere;
    const Result<HttpResponse> sent = send({"GET", server.url(), fields, ""});
    ASSERT_TRUE(sent.ok());
    EXPECT_EQ(sent->body.find("secret"), std::string::npos) << sent->body;
    EXPECT_NE(sent->body.find("X: kept"), std::string::npos);
  }
  location = "/end";
  EXPECT_NE(text(send({"GET", server.url(), fields, ""})).find("Authorization: secret\r\ncookie: secret"),
            std::string::npos);
}

// ---- TLS
// ---------------------------------------------------------------------------------------------------------------

/// A certification authority and server certificates, made with the openssl tool; the authority is trusted by clients
/// that are made while this lives.
class Certificates {
 public:
  Certificates() {
    make_authority("ca");
    make_authority("stranger");
    ::setenv("SSL_CERT_FILE", (folder_ / "ca.pem").c_str(), 1);
  }
  ~Certificates() { ::unsetenv("SSL_CERT_FILE"); }
  Certificates(const Certificates&) = delete;
  Certificates& operator=(const Certificates&) = delete;

  /// Settings of a server with a certificate for these subjectAltNames.
  std::shared_ptr<SSL_CTX> server(const std::string& names, const std::string& authority = "ca",
                                  const std::string& days = "2") {
    const std::string name = "server" + std::to_string(++count_);
    run({"openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout",
         file(name, "key"), "-out", file(name, "csr"), "-subj", "/CN=ignored.test", "-addext",
         "subjectAltName=" + names});
    run({"openssl", "x509", "-req", "-in", file(name, "csr"), "-CA", file(authority, "pem"), "-CAkey",
         file(authority, "key"), "-CAcreateserial", "-days", days, "-copy_extensions", "copyall", "-out",
         file(name, "pem")});
    return context(name);
  }
  std::shared_ptr<SSL_CTX> self_signed(const std::string& names) {
    const std::string name = "self" + std::to_string(++count_);
    run({"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout",
         file(name, "key"), "-out", file(name, "pem"), "-subj", "/CN=good.test", "-addext", "subjectAltName=" + names,
         "-days", "2"});
    return context(name);
  }

 private:
  std::string file(const std::string& name, const std::string& kind) { return folder_ / (name + "." + kind); }
  void make_authority(const std::string& name) {
    run({"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout",
         file(name, "key"), "-out", file(name, "pem"), "-subj", "/CN=" + name, "-days", "2"});
  }
  static void run(const std::vector<std::string>& argv) {
    test::ChildProcess process(argv);
    process.has_said("no text that it says, so to its end");
    EXPECT_EQ(process.wait(), 0) << process.said();
  }
  std::shared_ptr<SSL_CTX> context(const std::string& name) {
    std::shared_ptr<SSL_CTX> context(SSL_CTX_new(TLS_server_method()), SSL_CTX_free);
    EXPECT_EQ(SSL_CTX_use_certificate_file(context.get(), file(name, "pem").c_str(), SSL_FILETYPE_PEM), 1);
    EXPECT_EQ(SSL_CTX_use_PrivateKey_file(context.get(), file(name, "key").c_str(), SSL_FILETYPE_PEM), 1);
    return context;
  }

  test::TemporaryFolder folder_;
  int count_ = 0;
};

class HttpClientTlsTest : public test::ClientTest {
 protected:
  HttpClientTlsTest() {
    for (const char* name : {"good.test", "bad.test", "a.wild.test", "a.b.wild.test", "wild.test", "ignored.test"}) {
      resolver.put(name, {{"127.0.0.1"}});
    }
  }
  Certificates certificates;
};

TEST_F(HttpClientTlsTest, ReachesServersWhoseCertificatesAreGood) {
  const auto context = certificates.server("DNS:good.test,DNS:*.wild.test,IP:127.0.0.1");
  const TestHttpServer server(
      [](ServerConnection& connection) {
        const char* const name = SSL_get_servername(connection.tls(), TLSEXT_NAMETYPE_host_name);
        for (std::string request; !(request = connection.read_request()).empty();) {
          connection.write(
              response(std::string(name == nullptr ? "none" : name) + " " + SSL_get_version(connection.tls())));
        }
      },
      context.get());
  EXPECT_EQ(text(get(server.url("good.test"))), "200 good.test TLSv1.3");
  EXPECT_EQ(text(get(server.url("GOOD.test."))), "200 good.test TLSv1.3");
  EXPECT_EQ(text(get(server.url("a.wild.test"))), "200 a.wild.test TLSv1.3");
  EXPECT_EQ(text(get(server.url("127.0.0.1"))), "200 none TLSv1.3");
  EXPECT_EQ(server.connection_count(), 3);  // used again
  // A Host field of the guest's does not change who the server must be.
  EXPECT_EQ(text(send({"POST", server.url("good.test"), {{"Host", "bad.test"}}, std::string(200'000, 'x')})),
            "200 good.test TLSv1.3");
}

TEST_F(HttpClientTlsTest, RefusesAllOthers) {
  struct Case {
    const char* what;
    std::shared_ptr<SSL_CTX> context;
    const char* host;
  };
  const auto good = certificates.server("DNS:good.test,DNS:*.wild.test");
  const Case cases[] = {
      {"another name", good, "bad.test"},
      {"the common name counts for nothing", good, "ignored.test"},
      {"an address that it does not name", good, "127.0.0.1"},
      {"a wildcard is one label", good, "a.b.wild.test"},
      {"a wildcard is a label", good, "wild.test"},
      {"unknown authority", certificates.server("DNS:good.test", "stranger"), "good.test"},
      {"self-signed", certificates.self_signed("DNS:good.test"), "good.test"},
      {"expired", certificates.server("DNS:good.test", "ca", "-1"), "good.test"},
      {"a name that is no address", certificates.server("DNS:127.0.0.1"), "127.0.0.1"},
  };
  for (const Case& c : cases) {
    std::atomic<bool> has_request{false};
    const TestHttpServer server([&](ServerConnection& connection) { has_request = connection.read_more(); },
                                c.context.get());
    EXPECT_TRUE(failed(get(server.url(c.host)), "TLS")) << c.what;
    EXPECT_FALSE(has_request) << c.what;
  }
}

TEST_F(HttpClientTlsTest, RefusesOldVersionsAndOtherProtocols) {
  const auto old = certificates.server("DNS:good.test");
  SSL_CTX_set_min_proto_version(old.get(), TLS1_VERSION);
  SSL_CTX_set_max_proto_version(old.get(), TLS1_1_VERSION);
  SSL_CTX_set_security_level(old.get(), 0);
  const TestHttpServer old_server(echo(), old.get());
  EXPECT_TRUE(failed(get(old_server.url("good.test")), "TLS"));
  const auto tls_1_2 = certificates.server("DNS:good.test");
  SSL_CTX_set_max_proto_version(tls_1_2.get(), TLS1_2_VERSION);
  const TestHttpServer server(echo(), tls_1_2.get());
  EXPECT_TRUE(get(server.url("good.test")).ok());
  const TestHttpServer plain([](ServerConnection& connection) {
    connection.read_more();
    connection.write(response("x"));
  });
  EXPECT_TRUE(failed(get("https://good.test:" + std::to_string(plain.port()) + "/")));
  EXPECT_TRUE(failed(get("http://good.test:" + std::to_string(server.port()) + "/")));
}

TEST_F(HttpClientTlsTest, ACutOffBodyIsNoBody) {
  const auto context = certificates.server("DNS:good.test");
  std::atomic<bool> says_goodbye{false};
  const TestHttpServer server(
      [&](ServerConnection& connection) {
        connection.read_request();
        connection.write("HTTP/1.1 200 OK\r\n\r\nuntil the end");
        if (says_goodbye) connection.close_notify();
      },
      context.get());
  EXPECT_TRUE(failed(get(server.url("good.test"))));
  says_goodbye = true;
  EXPECT_EQ(text(get(server.url("good.test"))), "200 until the end");
}

TEST_F(HttpClientTlsTest, ASilentServerIsGivenUp) {
  const TestHttpServer silent([](ServerConnection& connection) {
    while (connection.read_more()) {
    }
  });
  limits.connect_timeout = std::chrono::milliseconds(100);
  EXPECT_TRUE(failed(get("https://good.test:" + std::to_string(silent.port()) + "/"), "TLS handshake took too long"));
}

TEST_F(HttpClientTlsTest, WithoutCertificatesNothingIsTrusted) {
  const auto context = certificates.server("DNS:good.test");
  const TestHttpServer server(echo(), context.get());
  ::setenv("SSL_CERT_FILE", "/nonexistent", 1);
  EXPECT_TRUE(failed(get(server.url("good.test")), "no certificates"));
}

TEST_F(HttpClientTlsTest, ARedirectMayLeadToAndFromTls) {
  const auto context = certificates.server("DNS:good.test");
  const TestHttpServer secure(echo(), context.get());
  const TestHttpServer plain(
      TestHttpServer::answering([&](const std::string&) { return redirect_to(secure.url("good.test", "/x")); }));
  EXPECT_TRUE(text(get(plain.url())).starts_with("200 GET /x HTTP/1.1"));
}

}  // namespace
}  // namespace tfvm::hostcalls
