// Hosts to folders, by name and by TXT record, and access rules: LiveSites with --domains.
#include <arpa/inet.h>
#include <csignal>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

#include "cli/serve/live_sites.hpp"
#include "cli/serve/static_file.hpp"
#include "cli/serve/test_modules.hpp"
#include "cli/serve/test_resolver.hpp"
#include "wasi/test_directory.hpp"

namespace tfvm::serve {
namespace {

using wasi::TestDirectory;

class LiveDomainsTest : public testing::Test {
 protected:
  LiveDomainsTest() {
    files_.make_directory("sites");
    files_.make_directory("share/private/alice,kbwasm/sub");
    files_.make_directory("share/public/bob");
    config_.root = files_ / "sites";
    config_.by_domain = true;
    config_.share_root = files_ / "share";
    config_.resolver = &resolver_;
    options_.has_thread = false;
    options_.now = [this] { return now_; };
  }

  void open() {
    auto sites = LiveSites::open(engine_, config_, options_);
    ASSERT_TRUE(sites.ok()) << sites.error().message;
    sites_ = std::move(*sites);
  }
  void write(const std::string& name, const std::string& mark) {
    files_.write(name, text_of(hello_module("run", mark)));
  }
  Route route(const std::string& target, const std::string& host, const std::string& authorization = {}) {
    hostcalls::HttpRequest request;
    request.target = target;
    if (!authorization.empty()) request.headers.push_back({"Authorization", authorization});
    Route route;
    if (sites_->route_quickly(request, host, route)) return route;
    return sites_->route_slowly(request, host);
  }
  std::string told(const std::string& target, const std::string& host, const std::string& authorization = {}) {
    const Route found = route(target, host, authorization);
    if (found.kind == Route::Kind::Function) return found.function->name;
    if (found.kind == Route::Kind::File) return "file";
    return std::to_string(found.answer.status);
  }
  void record(const std::string& host, const std::string& text) { resolver_.set("_keybase_pages." + host, {text}); }

  TestDirectory files_;
  Engine engine_;
  TestResolver resolver_;
  SitesConfig config_;
  LiveSitesOptions options_;
  std::chrono::steady_clock::time_point now_{std::chrono::hours(1)};
  std::unique_ptr<LiveSites> sites_;
};

TEST_F(LiveDomainsTest, EachHostHasItsFolder) {
  files_.make_directory("sites/one.example");
  files_.make_directory("sites/two.example");
  write("sites/one.example/a.wasm", "one");
  write("sites/two.example/a.wasm", "two");
  config_.share_root.clear();
  open();
  EXPECT_EQ(told("/a.wasm", "one.example"), "one.example/a.wasm");
  EXPECT_EQ(told("/a.wasm", "TWO.example.:8080"), "two.example/a.wasm");
  EXPECT_NE(route("/a.wasm", "one.example").function->version, route("/a.wasm", "two.example").function->version);
  for (const std::string host :
       {"three.example", "", "..", "one.example/../two.example", "[::1]", "one.example\\", "sites"})
    EXPECT_EQ(told("/a.wasm", host), "421") << host;
  EXPECT_TRUE(sites_->serves_host("ONE.example"));
  EXPECT_FALSE(sites_->serves_host("three.example"));
}

TEST_F(LiveDomainsTest, HostsComeAndGo) {
  config_.share_root.clear();
  open();
  EXPECT_EQ(told("/a.wasm", "one.example"), "421");
  files_.make_directory("sites/one.example");
  write("sites/one.example/a.wasm", "one");
  EXPECT_EQ(told("/a.wasm", "one.example"), "one.example/a.wasm") << "at once";
  ASSERT_EQ(::rename((files_ / "sites/one.example").c_str(), (files_ / "sites/two.example").c_str()), 0);
  EXPECT_EQ(told("/a.wasm", "two.example"), "two.example/a.wasm");
  sites_->look_now();
  now_ += gone_grace;
  sites_->look_now();
  EXPECT_EQ(told("/a.wasm", "one.example"), "421");
  write("sites/two.example/a.wasm", "new");
  sites_->look_now();
  EXPECT_EQ(route("/a.wasm", "two.example").function->version,
            sha256_of(hello_module("run", "new").data(), hello_module("run", "new").size()));
}

TEST_F(LiveDomainsTest, AHostCannotLookIntoAnother) {
  files_.make_directory("sites/one.example");
  files_.make_directory("sites/two.example");
  files_.write("sites/two.example/secret.txt", "x");
  write("sites/two.example/a.wasm", "two");
  files_.link("../two.example", "sites/one.example/other");
  files_.link("../two.example/secret.txt", "sites/one.example/s.txt");
  files_.link("one.example", "sites/www.one.example");
  files_.link(files_ / "share", "sites/out.example");
  open();
  EXPECT_EQ(told("/other/secret.txt", "one.example"), "404");
  EXPECT_EQ(told("/other/a.wasm", "one.example"), "404");
  EXPECT_EQ(told("/s.txt", "one.example"), "404");
  EXPECT_TRUE(sites_->serves_host("www.one.example")) << "a link inside of the folder of all hosts";
  EXPECT_FALSE(sites_->serves_host("out.example"));
}

TEST_F(LiveDomainsTest, RecordsNameFolders) {
  write("share/private/alice,kbwasm/hello.wasm", "one");
  write("share/private/alice,kbwasm/sub/deep.wasm", "two");
  record("alice.example", " kbp=/keybase/private/alice,kbwasm/ ");
  record("sub.example", "kbp=/keybase/private/alice,kbwasm/sub");
  resolver_.set("_keybasepages.old.example", {"v=spf1", "kbp=/keybase/private/alice,kbwasm"});
  open();
  EXPECT_EQ(told("/hello.wasm", "alice.example"), "alice.example/hello.wasm");
  EXPECT_EQ(told("/deep.wasm", "sub.example"), "sub.example/deep.wasm");
  EXPECT_EQ(told("/hello.wasm", "sub.example"), "404");
  EXPECT_EQ(told("/hello.wasm", "old.example"), "old.example/hello.wasm");
  const Route one = route("/hello.wasm", "alice.example");
  const Route other = route("/hello.wasm", "old.example");
  EXPECT_EQ(one.function->module, other.function->module) << "one content";
  EXPECT_NE(one.function->settings->key_value_space, other.function->settings->key_value_space);
}

TEST_F(LiveDomainsTest, RecordsThatCannotBeUsed) {
  resolver_.set("_keybase_pages.unrelated.example", {"v=spf1"});
  resolver_.set("_keybase_pages.two.example", {"kbp=/keybase/public/bob", "kbp=/keybase/public/bob"});
  record("git.example", "kbp=git@keybase:private/alice,kbwasm/site");
  record("out.example", "kbp=/keybase/public/../../etc");
  record("missing.example", "kbp=/keybase/public/nobody");
  resolver_.fail("_keybase_pages.broken.example", hostcalls::LookupStatus::ServerFailed);
  open();
  EXPECT_EQ(told("/", "none.example"), "503");
  EXPECT_EQ(told("/", "unrelated.example"), "503");
  EXPECT_EQ(told("/", "two.example"), "412");
  EXPECT_EQ(told("/", "git.example"), "412");
  EXPECT_EQ(told("/", "out.example"), "412");
  EXPECT_EQ(told("/", "missing.example"), "503");
  EXPECT_EQ(told("/", "broken.example"), "500");
  EXPECT_EQ(route("/", "broken.example").answer.body, "");
  EXPECT_FALSE(sites_->serves_host("two.example"));
}

TEST_F(LiveDomainsTest, ARecordCannotLeaveItsFolder) {
  files_.write("share/public/bob/secret.txt", "x");
  files_.link("../../public/bob", "share/private/alice,kbwasm/bob");
  files_.link("../public/bob", "share/private/eve");
  files_.link("/", "share/private/root");
  record("a.example", "kbp=/keybase/private/alice,kbwasm/bob");
  record("b.example", "kbp=/keybase/private/alice,kbwasm");
  record("c.example", "kbp=/keybase/private/root/etc");
  open();
  EXPECT_EQ(told("/secret.txt", "a.example"), "503");
  EXPECT_EQ(told("/bob/secret.txt", "b.example"), "404");
  EXPECT_EQ(told("/passwd", "c.example"), "503");
}

TEST_F(LiveDomainsTest, RulesAboveAFolderForbidToMapIt) {
  files_.make_directory("share/public/bob/a/b");
  files_.write("share/public/bob/a/b/x.txt", "x");
  record("bob.example", "kbp=/keybase/public/bob/a/b");
  open();
  EXPECT_EQ(told("/x.txt", "bob.example"), "file");
  files_.write("share/public/bob/.kbp_config", "{}");
  now_ += DomainRecords::lifetime;
  EXPECT_EQ(told("/x.txt", "bob.example"), "412");
  ASSERT_EQ(
      ::rename((files_ / "share/public/bob/.kbp_config").c_str(), (files_ / "share/public/bob/a/.kbp_config").c_str()),
      0);
  now_ += DomainRecords::lifetime;
  EXPECT_EQ(told("/x.txt", "bob.example"), "412");
  ASSERT_EQ(::unlink((files_ / "share/public/bob/a/.kbp_config").c_str()), 0);
  now_ += DomainRecords::lifetime;
  EXPECT_EQ(told("/x.txt", "bob.example"), "file");
}

TEST_F(LiveDomainsTest, AChangedRecordTakesEffectAfterTenSeconds) {
  write("share/public/bob/a.wasm", "bob");
  write("share/private/alice,kbwasm/b.wasm", "alice");
  record("x.example", "kbp=/keybase/public/bob");
  open();
  EXPECT_EQ(told("/a.wasm", "x.example"), "x.example/a.wasm");
  record("x.example", "kbp=/keybase/private/alice,kbwasm");
  EXPECT_EQ(told("/a.wasm", "x.example"), "x.example/a.wasm");
  now_ += DomainRecords::lifetime;
  EXPECT_EQ(told("/a.wasm", "x.example"), "404");
  EXPECT_EQ(told("/b.wasm", "x.example"), "x.example/b.wasm");
}

TEST_F(LiveDomainsTest, AFolderComesBeforeARecord) {
  write("share/public/bob/a.wasm", "bob");
  record("x.example", "kbp=/keybase/public/bob");
  open();
  EXPECT_EQ(told("/a.wasm", "x.example"), "x.example/a.wasm");
  files_.make_directory("sites/x.example");
  sites_->look_now();
  EXPECT_EQ(told("/a.wasm", "x.example"), "404");
}

// ---- Access rules ---------------------------------------------------------------------------------------------------

class AccessTest : public LiveDomainsTest {
 protected:
  AccessTest() {
    config_.root = files_ / "share/public/bob";
    config_.by_domain = false;
    files_.make_directory("share/public/bob/private/list");
    files_.write("share/public/bob/index.txt", "x");
    files_.write("share/public/bob/private/p.txt", "x");
    write("share/public/bob/private/p.wasm", "x");
  }
  void rules(const std::string& text) { files_.write("share/public/bob/.kbp_config", text); }
  // the hash of bob's password "secret"
  static constexpr std::string_view users =
      R"("users":{"bob":"sha256:249704a205894bb003b9f82a:a75dddc96b9fdd3491cc8b3ebe74cc03bd26d925706b6d1c9a87fcebaa35bdf9"})";
  static constexpr std::string_view bob = "Basic Ym9iOnNlY3JldA==";
  static constexpr std::string_view bob_wrong = "Basic Ym9iOndyb25n";
};

TEST_F(AccessTest, RulesHold) {
  rules(R"({"version":"v1",)" + std::string(users) + R"(,"per_path_configs":{
    "/":{"anonymous_permissions":"read","Access-Control-Allow-Origin":"*"},
    "/private":{"whitelist_additional_permissions":{"bob":"read"}},
    "/private/list":{"anonymous_permissions":"list"}}})");
  open();
  EXPECT_EQ(told("/index.txt", "x"), "file");
  EXPECT_EQ(told("/", "x"), "403") << "nobody may list";
  EXPECT_EQ(told("/private/p.txt", "x"), "401");
  EXPECT_EQ(told("/private/p.wasm/x", "x"), "401");
  EXPECT_EQ(told("/private/none", "x"), "401") << "does not tell what is there";
  EXPECT_EQ(told("/private/p.txt", "x", std::string(bob_wrong)), "401");
  EXPECT_EQ(told("/private/p.txt", "x", std::string(bob)), "file");
  EXPECT_EQ(told("/private/p.wasm", "x", std::string(bob)), "private/p.wasm");
  EXPECT_EQ(route("/private/p.wasm", "x", std::string(bob)).user, "bob");
  EXPECT_EQ(told("/private/", "x", std::string(bob)), "403");
  const Route challenge = route("/private/p.txt", "x");
  EXPECT_EQ(hostcalls::find_field(challenge.answer.headers, "www-authenticate"),
            "Basic realm=\"/private\", charset=\"UTF-8\"");
  EXPECT_EQ(hostcalls::find_field(route("/index.txt", "x").headers, "access-control-allow-origin"), "*");
  EXPECT_TRUE(route("/private/p.txt", "x", std::string(bob)).headers.empty());
}

TEST_F(AccessTest, ListsAreEscapedAndShowNoSecrets) {
  rules(R"({"version":"v1","per_path_configs":{"/":{"anonymous_permissions":"list"}}})");
  files_.write("share/public/bob/<script>&\"'.txt", "x");
  files_.write("share/public/bob/javascript:alert(1)", "x");
  files_.write("share/public/bob/p.toml", "x");
  open();
  const Route list = route("/", "x");
  EXPECT_EQ(list.answer.status, 200);
  const std::string& page = list.answer.body;
  EXPECT_NE(page.find("&lt;script&gt;&amp;&quot;&#39;.txt"), std::string::npos) << page;
  EXPECT_EQ(page.find("<script"), std::string::npos);
  EXPECT_NE(page.find("href=\"./javascript%3Aalert%281%29\""), std::string::npos) << page;
  EXPECT_NE(page.find("<a href=\"./private/\">private/</a>"), std::string::npos) << page;
  EXPECT_EQ(page.find("kbp_config"), std::string::npos);
  EXPECT_EQ(page.find("p.toml"), std::string::npos);
  EXPECT_EQ(told("/index.txt", "x"), "403") << "to list is not to read";
}

TEST_F(AccessTest, ChangesTakeEffectAndInvalidRulesCloseTheSite) {
  open();
  EXPECT_EQ(told("/private/p.wasm", "x"), "private/p.wasm");
  rules(R"({"version":"v1"})");
  sites_->look_now();
  EXPECT_EQ(told("/private/p.wasm", "x"), "403");
  EXPECT_EQ(told("/index.txt", "x"), "403");
  rules(R"({"version":"v2"})");
  sites_->look_now();
  EXPECT_EQ(told("/index.txt", "x"), "412");
  EXPECT_EQ(route("/private/p.wasm", "x").answer.body, "412 Precondition Failed\ninvalid .kbp_config\n");
  ASSERT_EQ(::unlink((files_ / "share/public/bob/.kbp_config").c_str()), 0);
  sites_->look_now();
  EXPECT_EQ(told("/index.txt", "x"), "412") << "not for a moment open while the file is replaced";
  now_ += gone_grace;
  sites_->look_now();
  EXPECT_EQ(told("/private/p.wasm", "x"), "private/p.wasm");
}

TEST_F(AccessTest, SettingsBesideTheFile) {
  open();
  EXPECT_EQ(route("/private/p.wasm", "x").function->settings->timeout, FunctionSettings().timeout);
  files_.write("share/public/bob/private/p.toml", "timeout = '3s'");
  sites_->look_now();
  EXPECT_EQ(route("/private/p.wasm", "x").function->settings->timeout, std::chrono::seconds(3));
  files_.write("share/public/bob/private/p.toml", "timeout = '3s'\nunknown = 1");
  sites_->look_now();
  EXPECT_EQ(route("/private/p.wasm", "x").function->settings->timeout, std::chrono::seconds(3));
  ASSERT_EQ(sites_->status().size(), 1u);
  EXPECT_EQ(sites_->status()[0].problem, "settings: 2:1: unknown key 'unknown'");
  files_.write("share/public/bob/private/p.toml", "timeout = '4s'");
  sites_->look_now();
  EXPECT_EQ(route("/private/p.wasm", "x").function->settings->timeout, std::chrono::seconds(4));
  ASSERT_EQ(::unlink((files_ / "share/public/bob/private/p.toml").c_str()), 0);
  sites_->look_now();
  now_ += gone_grace;
  sites_->look_now();
  EXPECT_EQ(route("/private/p.wasm", "x").function->settings->timeout, FunctionSettings().timeout);
}

TEST_F(AccessTest, BadSettingsFromTheStartKeepTheFunctionFromRunning) {
  files_.write("share/public/bob/private/p.toml", "unknown = 1");
  open();
  EXPECT_EQ(told("/private/p.wasm", "x"), "500");
  files_.write("share/public/bob/private/p.toml", "");
  sites_->look_now();
  EXPECT_EQ(told("/private/p.wasm", "x"), "private/p.wasm");
}

TEST_F(AccessTest, ReloadChangesDefaultsAndCeilings) {
  files_.write("share/public/bob/private/p.toml", "memory = '100MiB'");
  write("share/public/bob/plain.wasm", "y");
  open();
  FunctionSettings defaults;
  defaults.timeout = std::chrono::seconds(1);
  sites_->reload(defaults, FunctionSettings());
  EXPECT_EQ(route("/plain.wasm", "x").function->settings->timeout, std::chrono::seconds(1));
  EXPECT_EQ(route("/private/p.wasm", "x").function->settings->timeout, std::chrono::seconds(1));
  EXPECT_EQ(route("/private/p.wasm", "x").function->settings->max_memory_bytes, 100u << 20);
  FunctionSettings low;
  low.max_memory_bytes = 50u << 20;
  sites_->reload(low, low);
  EXPECT_EQ(route("/private/p.wasm", "x").function->settings->max_memory_bytes, 50u << 20) << "the operator's word";
}

// ---- A real DNS server ----------------------------------------------------------------------------------------------

/// dnsmasq on a free port of loopback; ends with the object.
class DnsServer {
 public:
  explicit DnsServer(const std::string& configuration) {
    files_.write("conf", configuration);
    start();
  }
  ~DnsServer() {
    if (process_ < 0) return;
    ::kill(process_, SIGTERM);
    ::waitpid(process_, nullptr, 0);
  }
  bool is_running() const { return process_ >= 0; }
  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }

 private:
  static std::uint16_t free_port() {
    const wasi::HostFile socket = wasi::HostFile::own(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    struct ::sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ::socklen_t size = sizeof(address);
    if (::bind(socket.number(), reinterpret_cast<struct ::sockaddr*>(&address), size) != 0 ||
        ::getsockname(socket.number(), reinterpret_cast<struct ::sockaddr*>(&address), &size) != 0)
      return 0;
    return ntohs(address.sin_port);
  }
  void start() {
    port_ = free_port();
    std::vector<std::string> arguments{"dnsmasq",
                                       "--keep-in-foreground",
                                       "--conf-file=" + (files_ / "conf"),
                                       "--no-resolv",
                                       "--no-hosts",
                                       "--listen-address=127.0.0.1",
                                       "--bind-interfaces",
                                       "--pid-file",
                                       "--user=",
                                       "--local=/example/",
                                       "--port=" + std::to_string(port_)};
    std::vector<char*> pointers;
    for (std::string& argument : arguments) pointers.push_back(argument.data());
    pointers.push_back(nullptr);
    ::pid_t process = -1;
    if (::posix_spawnp(&process, "dnsmasq", nullptr, nullptr, pointers.data(), environ) != 0 &&
        ::posix_spawn(&process, "/usr/sbin/dnsmasq", nullptr, nullptr, pointers.data(), environ) != 0)
      return;
    process_ = process;
  }

  TestDirectory files_;
  ::pid_t process_ = -1;
  std::uint16_t port_ = 0;
};

TEST_F(LiveDomainsTest, WithARealServer) {
  const DnsServer server(R"(
txt-record=_keybase_pages.alice.example,"v=spf1"
txt-record=_keybase_pages.alice.example,"kbp=/keybase/private/alice,","kbwasm/sub"
txt-record=_keybasepages.old.example,"kbp=/keybase/public/bob"
txt-record=_keybase_pages.two.example,"kbp=/keybase/public/bob"
txt-record=_keybase_pages.two.example,"kbp=/keybase/public/alice"
txt-record=_keybase_pages.other.example,"v=spf1"
)");
  ASSERT_TRUE(server.is_running()) << "this test needs dnsmasq";
  hostcalls::ResolverConfig config;
  config.servers = {server.address()};
  config.hosts_file.clear();
  config.tries = 30;  // it may take a moment until it answers
  auto resolver = hostcalls::make_resolver(config);
  ASSERT_TRUE(resolver.ok()) << resolver.error().message;
  config_.resolver = resolver->get();
  options_.now = std::chrono::steady_clock::now;
  write("share/private/alice,kbwasm/sub/hello.wasm", "one");
  write("share/public/bob/hello.wasm", "two");
  open();
  while ((*resolver)->texts("_keybase_pages.other.example", [] { return false; }).status !=
         hostcalls::LookupStatus::Found)
    std::this_thread::yield();
  EXPECT_EQ(told("/hello.wasm", "old.example"), "old.example/hello.wasm");
  EXPECT_EQ(told("/", "two.example"), "412");
  EXPECT_EQ(told("/", "other.example"), "503");
  EXPECT_EQ(told("/", "none.example"), "503");
  EXPECT_EQ(told("/hello.wasm", "alice.example"), "alice.example/hello.wasm") << "two strings are one text";
}

}  // namespace
}  // namespace tfvm::serve
