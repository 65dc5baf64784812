// OutboundUrl: what is a URL that may be asked, every spelling of addresses that is none, and redirects.
#include "hostcalls/outbound_url.hpp"

#include <gtest/gtest.h>

namespace tfvm::hostcalls {
namespace {

/// "tls|plain host port authority target"
std::string text_of(const Result<OutboundUrl>& url) {
  if (!url) return "error";
  return std::string(url->is_tls ? "tls " : "plain ") + url->host + (url->literal ? "! " : " ") +
         std::to_string(url->port) + " " + url->authority() + " " + url->target;
}

TEST(OutboundUrl, IsParsed) {
  struct Case {
    const char* text;
    const char* parts;
  };
  const Case cases[] = {
      {"http://example.com", "plain example.com 80 example.com /"},
      {"HTTPS://Example.COM/Path?Query", "tls example.com 443 example.com /Path?Query"},
      {"http://example.com.:80/", "plain example.com 80 example.com /"},
      {"https://example.com:80/", "tls example.com 80 example.com:80 /"},
      {"http://example.com:?q", "plain example.com 80 example.com /?q"},
      {"http://example.com#fragment", "plain example.com 80 example.com /"},
      {"http://example.com/a#b?c", "plain example.com 80 example.com /a"},
      {"http://192.0.2.1:8080/x", "plain 192.0.2.1! 8080 192.0.2.1:8080 /x"},
      {"http://[2001:DB8::1]/", "plain 2001:db8::1! 80 [2001:db8::1] /"},
      {"https://[::1]:444/", "tls ::1! 444 [::1]:444 /"},
      {"http://a_b-c.example/../%41?{|}", "plain a_b-c.example 80 a_b-c.example /../%41?{|}"},
      {"http://example.com/a@b:c", "plain example.com 80 example.com /a@b:c"},
  };
  for (const Case& c : cases) EXPECT_EQ(text_of(OutboundUrl::parse(c.text)), c.parts) << c.text;
}

TEST(OutboundUrl, NothingElseIs) {
  const std::string_view texts[] = {
      "", "/", "example.com", "//example.com/", "ftp://example.com/", "file:///etc/passwd", "http:example.com",
      "http:/x", "http://", "http:///", "http://:80/", "http://?q", "http://user@example.com/",
      "http://user:pass@example.com/", "http://example.com@127.0.0.1/", "http://@example.com/",
      "http://example.com\\@evil.example/", "http://example.com:0/", "http://example.com:65536/",
      "http://example.com:080x/", "http://example.com:-1/", "http://example.com:80:80/", "http://exa mple.com/",
      "http://example.com/a b", "http://example.com/\r\nX: y", "http://example.com/\x7f", "http://example.com/\xc3\xa4",
      "http://ex\xc3\xa4mple.com/", "http://example.com/<>", "http://%31%32%37.0.0.1/", "http://example..com/",
      "http://.example.com/", "http://*/", " http://example.com/", "http://example.com/\"", "http://ex\tample.com/",
      "http://example.com%00.evil.example/",
      // addresses in spellings that some libraries read
      "http://2130706433/", "http://0x7f000001/", "http://0x7f.0.0.1/", "http://0177.0.0.1/", "http://017700000001/",
      "http://127.1/", "http://127.0.1/", "http://127.0.0.1./", "http://127.0.0.01/", "http://127.0.0.256/",
      "http://0/", "http://169.254.43518/", "http://1.2.3.4.5/", "http://[127.0.0.1]/", "http://[::1", "http://::1/",
      "http://[::1%25lo]/", "http://[::ffff:0x7f.0.0.1]/", "http://[]/", "http://[::1]x/", "http://[::1]80/",
      "http://[example.com]/", "http://\xe2\x91\xa0\xe2\x91\xa1\xe2\x91\xa6.0.0.1/",
      "http://127\xe3\x80\x82"
      "0\xe3\x80\x82"
      "0\xe3\x80\x82"
      "1/"};
  for (const std::string_view text : texts) EXPECT_EQ(text_of(OutboundUrl::parse(text)), "error") << text;
}

TEST(OutboundUrl, ReferencesAreResolved) {
  const Result<OutboundUrl> base = OutboundUrl::parse("http://a.example:81/b/c/d?q");
  struct Case {
    const char* reference;
    const char* target;  ///< at a.example:81
  };
  const Case same_origin[] = {
      {"g", "/b/c/g"},
      {"./g", "/b/c/g"},
      {"g/", "/b/c/g/"},
      {"/g", "/g"},
      {"?y", "/b/c/d?y"},
      {"g?y", "/b/c/g?y"},
      {"", "/b/c/d?q"},
      {"#s", "/b/c/d?q"},
      {".", "/b/c/"},
      {"./", "/b/c/"},
      {"..", "/b/"},
      {"../", "/b/"},
      {"../g", "/b/g"},
      {"../..", "/"},
      {"../../g", "/g"},
      {"../../../g", "/g"},
      {"/../../g", "/g"},
      {"/./g", "/g"},
      {"g.", "/b/c/g."},
      {"..g", "/b/c/..g"},
      {"/a/./b/../c", "/a/c"},
      {"g;x=1/../y", "/b/c/y"},
      {"http://a.example:81/x", "/x"},
      {"//a.example:81", "/"},
      {"g?y/../x", "/b/c/g?y/../x"},
      {"/caf\xc3\xa9 1|", "/caf%C3%A9%201%7C"},
      {"/%41", "/%41"},
  };
  for (const Case& c : same_origin) {
    EXPECT_EQ(text_of(base->resolve(c.reference)), std::string("plain a.example 81 a.example:81 ") + c.target)
        << c.reference;
    const Result<OutboundUrl> url = base->resolve(c.reference);
    EXPECT_TRUE(url.ok() && url->has_origin_of(*base)) << c.reference;
  }
  EXPECT_EQ(text_of(base->resolve("//b.example/x")), "plain b.example 80 b.example /x");
  EXPECT_EQ(text_of(base->resolve("HTTPS://b.example")), "tls b.example 443 b.example /");
  for (const char* elsewhere : {"https://a.example:81/", "http://a.example/", "http://b.example:81/"}) {
    EXPECT_FALSE(base->resolve(elsewhere)->has_origin_of(*base)) << elsewhere;
  }
  for (const char* bad : {"ftp://a.example/", "mailto:a@b.example", "javascript:alert(1)", "http:", "http:g", "//",
                          "///x", "//user@b.example/", "//127.1/", "http://0x7f000001/", "//b.example:0/"}) {
    EXPECT_EQ(text_of(base->resolve(bad)), "error") << bad;
  }
}

}  // namespace
}  // namespace tfvm::hostcalls
