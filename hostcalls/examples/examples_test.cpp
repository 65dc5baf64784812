// The examples, in C and in Rust, answer as their comments say; and so does what today's compilers make of the sources,
// where there are compilers (see CMakeLists.txt).
#include <gtest/gtest.h>

#include "hostcalls/test_guest.hpp"
#include "hostcalls/test_services.hpp"

namespace tfvm::hostcalls {
namespace {

using World = TestGuest::World;

/// Where modules come from: a name, and their folder.
struct Way {
  const char* name;
  const char* folder;
};
const Way ways[] = {
    {"CommittedC", TFVM_SOURCE_DIR "/hostcalls/examples/c"},
#ifdef TFVM_COMPILED_C
    {"CompiledC", TFVM_COMPILED_C},
#endif
#ifdef TFVM_COMPILED_RUST
    {"CompiledRust", TFVM_COMPILED_RUST},
#endif
};

class Example : public testing::TestWithParam<Way> {
 protected:
  HttpResponse answer(const std::string& name, HttpRequest request, HostcallServices services = {}) {
    World world;
    world.request = std::move(request);
    world.services = std::move(services);
    TestGuest guest(read_file(GetParam().folder + ("/" + name) + ".wasm"), std::move(world));
    EXPECT_EQ(guest.error(), "");
    HttpResponse response = guest.run();
    EXPECT_FALSE(guest.trap().has_value()) << guest.trap()->to_string();
    return response;
  }
};

HttpRequest request(const std::string& method, const std::string& target) { return {method, target, {}, {}}; }

TEST_P(Example, HelloAnswers) {
  const HttpResponse response = answer("hello", request("GET", "/hello.wasm"));
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body, "Hello, world!\n");
  EXPECT_EQ(find_field(response.headers, "content-type"), "text/plain; charset=utf-8");
}

TEST_P(Example, CounterCounts) {
  FakeKeyValueStore store;
  HostcallServices services;
  services.key_value = &store;
  services.key_value_space = "counter";
  EXPECT_EQ(answer("counter", request("GET", "/"), services).body, "{\"visits\": 0}\n");
  for (int i = 1; i <= 12; ++i)
    EXPECT_EQ(answer("counter", request("POST", "/"), services).body, "{\"visits\": " + std::to_string(i) + "}\n");
  EXPECT_EQ(answer("counter", request("GET", "/"), services).body, "{\"visits\": 12}\n");
}

TEST_P(Example, ProxyAnswersAllPages) {
  FakeHttpClient http([](const HttpRequest& sent) -> Result<HttpResponse> {
    if (sent.target == "http://broken.example/") return Error{ErrorKind::Host, "connection refused"};
    return HttpResponse{200, {}, "\"" + sent.target + "\""};
  });
  HostcallServices services;
  services.http = &http;
  const HttpResponse response = answer(
      "proxy",
      request("GET", "/proxy.wasm?url=http://a.example/&x=y&url=http%3A%2F%2Fbroken.example/&url=http://b.example/"),
      services);
  EXPECT_EQ(response.status, 200);
  EXPECT_NE(response.body.find(R"("http://a.example/": "\"http://a.example/\"")"), std::string::npos) << response.body;
  EXPECT_NE(response.body.find(R"("http://b.example/": "\"http://b.example/\"")"), std::string::npos) << response.body;
  EXPECT_NE(response.body.find(R"("http://broken.example/": null)"), std::string::npos) << response.body;
  EXPECT_EQ(http.requests.size(), 3u);
  EXPECT_EQ(answer("proxy", request("GET", "/proxy.wasm"), services).status, 400);
}

/// The scraper's answer for a page.
class Scraper : public Example {
 protected:
  FakeHttpClient http_{[this](const HttpRequest& sent) -> Result<HttpResponse> {
    if (sent.target == "http://down.example/") return Error{ErrorKind::Host, "connection refused"};
    return HttpResponse{sent.target.ends_with("/missing") ? std::uint16_t{404} : std::uint16_t{200}, {}, page_};
  }};
  std::string page_;

  HttpResponse scrape(const std::string& query) {
    HostcallServices services;
    services.http = &http_;
    return answer("scraper", request("GET", "/scraper.wasm/" + query), services);
  }
  /// Of `page` by an encoded selector: the list of elements.
  std::string elements(const std::string& selector, std::string page) {
    page_ = std::move(page);
    const HttpResponse response = scrape("?url=news.example&selector=" + selector);
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(http_.requests.back().target, "http://news.example");
    const std::size_t begin = response.body.find("\"elements\": ");
    return response.body.substr(begin + 12, response.body.size() - begin - 14);
  }
};

TEST_P(Scraper, AnswersTheElementsOfAPage) {
  page_ =
      "<!doctype html><html><head><title>a < b</title><script>if (a<b) document.write('<td class=title>');</script>"
      "</head><body><!-- <a class=storylink> --><table>"
      "<tr><td class=\"title first\"><a href='/1' class=storylink>One &amp; <b>\"two\"</b></a><td>points"
      "<tr><td class=title><a class=\"x storylink\" href=/2>Two</a></td></tr></table>"
      "<a class=storylink>outside</a></body></html>";
  const HttpResponse response = scrape("?url=https://news.example/front%20page&selector=td.title%3Ea.storylink");
  EXPECT_EQ(http_.requests.size(), 0u) << "a space is no part of a URL";
  EXPECT_EQ(response.status, 502);
  const HttpResponse good = scrape("?url=https://news.example/front&selector=td.title%3Ea.storylink");
  EXPECT_EQ(http_.requests.back().target, "https://news.example/front");
  EXPECT_EQ(find_field(good.headers, "content-type"), "application/json");
  EXPECT_EQ(good.body, R"({"selector": "td.title>a.storylink", "elements": [)"
                       R"({"inner_html": "One &amp; <b>\"two\"</b>", "inner_text": ["One &amp; ", "\"two\""]}, )"
                       R"({"inner_html": "Two", "inner_text": ["Two"]}]})"
                       "\n");
}

TEST_P(Scraper, KnowsTheSelectorsThatItSays) {
  const std::string page =
      "<div id=top><p class='a b'>1</p><p>2<p data-x=\"v w\">3</p><ul><li>x<li>y<li><ul><li>z</ul></ul><img "
      "alt=i></div>"
      "<section><p>4</p></section>";
  const auto inner = [&](const std::string& selector) {
    std::string texts;
    const std::string list = elements(selector, page);
    const std::string key = "\"inner_html\": \"";
    for (std::size_t at = list.find(key); at != std::string::npos; at = list.find(key, at + 1)) {
      const std::size_t begin = at + key.size();
      texts += "[" + list.substr(begin, list.find('"', begin) - begin) + "]";
    }
    return texts;
  };
  EXPECT_EQ(inner("p"), "[1][2][3][4]");
  EXPECT_EQ(inner("P"), "[1][2][3][4]");
  EXPECT_EQ(inner(".a"), "[1]");
  EXPECT_EQ(inner("p.a.b"), "[1]");
  EXPECT_EQ(inner(".c"), "");
  EXPECT_EQ(inner("%23top%20p"), "[1][2][3]");
  EXPECT_EQ(inner("section%3Ep"), "[4]");
  EXPECT_EQ(inner("section%20%3E%20p"), "[4]");
  EXPECT_EQ(inner("[data-x]"), "[3]");
  EXPECT_EQ(inner("p[data-x='v%20w']"), "[3]");
  EXPECT_EQ(inner("[data-x=v]"), "");
  EXPECT_EQ(inner("div%3Ep:nth-of-type(2)"), "[2]");
  EXPECT_EQ(inner("p:first-child"), "[1][4]");
  EXPECT_EQ(inner("ul%20ul%20li"), "[z]");
  EXPECT_EQ(inner("div%3Eul%3Eli:nth-child(2)"), "[y]");
  EXPECT_EQ(inner(".a,section%20p"), "[1][4]");
  EXPECT_EQ(inner("img"), "[]");
  EXPECT_EQ(inner("p:unknown"), "");
  EXPECT_EQ(inner("body%20p"), "");
}

TEST_P(Scraper, EndsWithBrokenPages) {
  for (const char* const page :
       {"", "<", "<a", "<a href", "<a href=", "<a href='", "</", "</a>", "<!--", "<!-- x --", "<a><b><c>", "<script>",
        "<script><", "<a b=\"c", "&", "<p/>", "< p>", "<title></titl"})
    elements("a", page);
  std::string deep;
  for (int i = 0; i < 2'000; ++i) deep += "<div>";
  EXPECT_NE(elements("div%20div:first-child", deep + "x"), "[]");
}

TEST_P(Scraper, RefusesWhatItCannotAnswer) {
  EXPECT_EQ(scrape("").status, 400);
  EXPECT_EQ(scrape("?url=a").status, 400);
  EXPECT_EQ(scrape("?url=down.example/&selector=a").status, 502);
  EXPECT_EQ(scrape("?url=news.example/missing&selector=a").status, 502);
}

TEST(AssemblyScript, HelloAnswers) {
  World world;
  world.request = request("PUT", "/hello.wasm?a=b");
  TestGuest guest(read_file(TFVM_SOURCE_DIR "/hostcalls/sdk/assemblyscript/hello.wasm"), std::move(world));
  EXPECT_EQ(guest.run().body, "Hello, PUT /hello.wasm?a=b!\n");
  EXPECT_FALSE(guest.trap().has_value());
}

std::string name_of(const testing::TestParamInfo<Way>& info) { return info.param.name; }
INSTANTIATE_TEST_SUITE_P(Ways, Example, testing::ValuesIn(ways), name_of);
INSTANTIATE_TEST_SUITE_P(Ways, Scraper, testing::ValuesIn(ways), name_of);

}  // namespace
}  // namespace tfvm::hostcalls
