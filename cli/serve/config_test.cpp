#include "cli/serve/config.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "wasi/test_directory.hpp"

namespace tfvm::serve {
namespace {

using std::chrono::milliseconds;
using wasi::TestDirectory;

ServerSettings server(std::string_view toml, const ServerSettings& base = {}) {
  auto settings = parse_server_settings(toml, base);
  EXPECT_TRUE(settings.ok()) << (settings.ok() ? "" : settings.error().message);
  return settings.ok() ? *settings : ServerSettings();
}

std::string server_problem(std::string_view toml) {
  const auto settings = parse_server_settings(toml, {});
  return settings.ok() ? "none" : settings.error().message;
}

class FunctionSettingsTest : public testing::Test {
 protected:
  FunctionSettings read(std::string_view toml) {
    auto settings = parse_function_settings(toml, server_, owner_);
    EXPECT_TRUE(settings.ok()) << (settings.ok() ? "" : settings.error().message);
    return settings.ok() ? *settings : FunctionSettings();
  }
  std::string problem(std::string_view toml) {
    const auto settings = parse_function_settings(toml, server_, owner_);
    return settings.ok() ? "none" : settings.error().message;
  }

  TestDirectory files_;
  ServerSettings server_ = server(R"(
    [defaults]
    timeout = "2s"
    environment = { MODE = "production", REGION = "eu" }
    [ceilings]
    timeout = "1m"
    memory = "256MiB"
    concurrency = 100
    outbound = ["*.example.com", "api.test:443", "10.1.0.0/16"]
  )");
  SettingsOwner owner_{"example.com", "example.com/api/hello.wasm", SiteRoot(files_.path())};
};

TEST_F(FunctionSettingsTest, WithoutAFileTheDefaultsHold) {
  const FunctionSettings settings = default_settings(server_, owner_);
  EXPECT_EQ(settings.timeout, milliseconds(2'000));
  EXPECT_EQ(settings.key_value_space, "example.com/api/hello.wasm");
  EXPECT_TRUE(settings.outbound.is_empty());
  EXPECT_EQ(settings.environment, (std::vector<std::string>{"MODE=production", "REGION=eu"}));
}

TEST_F(FunctionSettingsTest, EveryKey) {
  const FunctionSettings settings = read(R"(
    timeout = "500ms"
    memory = "64MiB"
    stack = "512KiB"
    fuel = 1_000_000
    concurrency = 2
    request_body = 4096
    response = "1MiB"
    outbound_requests = 3
    dns_queries = 4
    log_lines = 5
    cache_control = "max-age=60"
    key_value = "counter"
    outbound = ["www.example.com", "api.test:443"]
    [environment]
    MODE = "test"
    KEY = "a=b"
  )");
  EXPECT_EQ(settings.timeout, milliseconds(500));
  EXPECT_EQ(settings.max_memory_bytes, 64u << 20);
  EXPECT_EQ(settings.max_stack_bytes, 512u << 10);
  EXPECT_EQ(settings.fuel, 1'000'000u);
  EXPECT_EQ(settings.max_concurrent, 2u);
  EXPECT_EQ(settings.max_request_body_bytes, 4096u);
  EXPECT_EQ(settings.hostcall_limits.max_response_bytes, 1u << 20);
  EXPECT_EQ(settings.hostcall_limits.max_outbound_requests, 3u);
  EXPECT_EQ(settings.hostcall_limits.max_dns_queries, 4u);
  EXPECT_EQ(settings.hostcall_limits.max_log_lines, 5u);
  EXPECT_EQ(settings.cache_control, "max-age=60");
  EXPECT_EQ(settings.key_value_space, "example.com#counter");
  EXPECT_EQ(settings.environment, (std::vector<std::string>{"REGION=eu", "KEY=a=b", "MODE=test"}));
  const auto address = hostcalls::Address::parse("93.184.216.34");
  EXPECT_TRUE(settings.outbound.allows("www.example.com", *address, 80));
  EXPECT_TRUE(settings.outbound.allows("api.test", *address, 443));
  EXPECT_FALSE(settings.outbound.allows("api.test", *address, 80));
  EXPECT_EQ(read("timeout = 3").timeout, milliseconds(3'000)) << "seconds";
}

TEST_F(FunctionSettingsTest, UnknownKeysAndBadValuesSayWhere) {
  EXPECT_EQ(problem("timeout = '1s'\nmemroy = 1"), "2:1: unknown key 'memroy'");
  EXPECT_EQ(problem("\n  timeout = 'fast'"), "2:13: timeout must be a time such as \"500ms\" or \"2s\"");
  EXPECT_EQ(problem("memory = -1"), "1:10: memory must be a size such as \"64MiB\"");
  EXPECT_EQ(problem("concurrency = '5'"), "1:15: concurrency must be a positive number");
  EXPECT_EQ(problem("concurrency = 5000000000"), "1:15: concurrency must be a positive number");
  EXPECT_EQ(problem("cache_control = \"a\\nb\""), "1:17: cache_control is no field value");
  for (const std::string_view toml : {"timeout = 0",
                                      "timeout = 1.5",
                                      "timeout = '1us'",
                                      "timeout = true",
                                      "memory = []",
                                      "fuel = 0",
                                      "stack = '2GiB'",
                                      "environment = 1",
                                      "environment = { A = 1 }",
                                      "environment = { '' = 'x' }",
                                      "environment = { 'A=B' = 'x' }",
                                      "environment = { A = \"x\\u0000\" }",
                                      "key_value = ''",
                                      "key_value = 'a/b'",
                                      "key_value = '#'",
                                      "key_value = 1",
                                      "outbound = 'x'",
                                      "outbound = [1]",
                                      "directories = [1]",
                                      "directories = [{}]",
                                      "directories = [{ host = '/', what = 1 }]",
                                      "[defaults]",
                                      "= 1",
                                      "a",
                                      "timeout = '1s'\ntimeout = '2s'",
                                      "\xff"}) {
    const std::string found = problem(toml);
    EXPECT_NE(found, "none") << toml;
    EXPECT_EQ(found.substr(0, found.find_first_not_of("0123456789")).empty(), false) << toml << ": " << found;
  }
  EXPECT_NE(problem("A0\xcf\xbd"), "none") << "a character that toml++ has no answer for";
  EXPECT_NE(problem("a = 1\n[[[[[i[[[\xdb[[=\0t"), "none");
  EXPECT_NE(problem("[[[a"), "none");
  EXPECT_NE(problem(std::string(70'000, '#')), "none");
  EXPECT_NE(problem("a = " + std::string(10'000, '[')), "none");
}

TEST_F(FunctionSettingsTest, NothingGetsBeyondACeiling) {
  EXPECT_EQ(problem("timeout = '1m'"), "none");
  EXPECT_EQ(problem("timeout = '61s'"), "1:11: timeout is 61 s, above the operator's ceiling of 60 s");
  EXPECT_EQ(problem("memory = '257MiB'"),
            "1:10: memory is 269484032 bytes, above the operator's ceiling of 268435456 bytes");
  EXPECT_NE(problem("concurrency = 101"), "none");
  EXPECT_EQ(problem("fuel = 1"), "none") << "less than unlimited";
  server_ = server("[ceilings]\nfuel = 1000");
  EXPECT_EQ(default_settings(server_, owner_).fuel, 1000u) << "the default is below the ceiling too";
  EXPECT_NE(problem("fuel = 1001"), "none");
}

TEST_F(FunctionSettingsTest, OutboundRulesAreWithinTheOperators) {
  for (const std::string_view rule : {"a.example.com", "*.example.com", "*.b.example.com", "a.example.com:80",
                                      "api.test:443", "10.1.2.3", "10.1.2.0/24", "10.1.0.0/16"})
    EXPECT_EQ(problem("outbound = ['" + std::string(rule) + "']"), "none") << rule;
  for (const std::string_view rule : {"*", "example.com", "*.com", "badexample.com", "api.test", "api.test:80",
                                      "10.0.0.0/15", "10.0.0.0/8", "127.0.0.1", "[::1]", "8.8.8.8"})
    EXPECT_NE(problem("outbound = ['" + std::string(rule) + "']").find("is not within"), std::string::npos) << rule;
  EXPECT_NE(problem("outbound = ['a b']"), "none");
  server_ = server("[ceilings]\noutbound = ['*']");
  for (const std::string_view rule : {"*", "*.com", "any.test:99", "8.8.8.8"})
    EXPECT_EQ(problem("outbound = ['" + std::string(rule) + "']"), "none") << rule;
  for (const std::string_view rule : {"127.0.0.1", "10.0.0.0/8", "169.254.169.254", "0.0.0.0/0", "[::1]:80"})
    EXPECT_NE(problem("outbound = ['" + std::string(rule) + "']"), "none") << rule;
}

TEST_F(FunctionSettingsTest, DirectoriesAreOfTheSiteOrOfTheOperator) {
  const TestDirectory operators;
  operators.make_directory("data/deep");
  operators.make_directory("data-secret");
  files_.make_directory("assets");
  files_.link("/etc", "etc");
  files_.link("../data-secret", "up");
  operators.link("../data-secret", "data/out");
  server_ = server("[ceilings]\ndirectories = [{ host = '" + (operators / "data") + "' }]");
  const auto with = [](const std::string& host) { return "directories = [{ host = '" + host + "', guest = '/d' }]"; };

  const FunctionSettings own = read(with("assets"));
  ASSERT_EQ(own.directories.size(), 1u);
  EXPECT_TRUE(own.directories[0].is_read_only);
  EXPECT_EQ(own.directories[0].guest_path, "/d");
  struct ::stat by_name;
  struct ::stat by_descriptor;
  ASSERT_EQ(::stat((files_ / "assets").c_str(), &by_name), 0);
  ASSERT_EQ(::stat(own.directories[0].host_path.c_str(), &by_descriptor), 0);
  EXPECT_EQ(by_name.st_ino, by_descriptor.st_ino);
  EXPECT_EQ(problem(with(operators / "data")), "none");
  EXPECT_EQ(problem(with(operators / "data/deep")), "none");

  for (const std::string& host : {std::string("etc"), std::string("up"), std::string("../x"), std::string("/etc"),
                                  std::string("none"), operators / "data-secret", operators / "data/../data-secret",
                                  operators / "data/out", operators / "data/none", operators.path()})
    EXPECT_NE(problem(with(host)), "none") << host;
  EXPECT_NE(problem("directories = [{ host = 'assets', read_only = false }]"), "none");
  EXPECT_NE(problem("directories = [{ host = '" + (operators / "data") + "', read_only = false }]"), "none");
  server_ = server("[ceilings]\ndirectories = [{ host = '" + (operators / "data") + "', read_only = false }]");
  EXPECT_FALSE(
      read("directories = [{ host = '" + (operators / "data") + "', read_only = false }]").directories[0].is_read_only);
  EXPECT_TRUE(read("directories = [{ host = '" + (operators / "data") + "' }]").directories[0].is_read_only);
}

TEST(ServerSettings, CeilingsAreAtLeastTheDefaults) {
  EXPECT_EQ(server("[defaults]\ntimeout = '1h'").ceilings.timeout, std::chrono::hours(1));
  EXPECT_EQ(server("[ceilings]\ntimeout = '1s'").defaults.timeout, milliseconds(1'000));
  EXPECT_EQ(server_problem("[defaults]\ntimeout = '2s'\n[ceilings]\ntimeout = '1s'"),
            "timeout: the default is above the ceiling");
  const ServerSettings outbound = server("[defaults]\noutbound = ['*.example.com']");
  EXPECT_TRUE(outbound.ceilings.outbound.covers(outbound.defaults.outbound));
  EXPECT_NE(server_problem("[defaults]\noutbound = ['*']\n[ceilings]\noutbound = ['a.test']"), "none");
}

TEST(ServerSettings, SayWhatIsWrong) {
  EXPECT_EQ(server_problem(""), "none");
  EXPECT_EQ(server_problem("timeout = 1"), "1:1: unknown key 'timeout': there are [defaults] and [ceilings]");
  EXPECT_EQ(server_problem("defaults = 1"), "1:12: defaults must be a table");
  EXPECT_EQ(server_problem("[defaults]\nkey_value = 'x'"), "2:1: unknown key 'key_value'");
  EXPECT_NE(server_problem("[defaults]\ndirectories = [{ host = 'relative' }]"), "none");
}

TEST(ServerSettings, AreReadFromAFile) {
  const TestDirectory files;
  files.write("tfvm.toml", "[defaults]\ntimeout = '7s'\n");
  files.write("bad.toml", "[defaults]\nx = 1\n");
  const auto settings = load_server_settings(files / "tfvm.toml", {});
  ASSERT_TRUE(settings.ok());
  EXPECT_EQ(settings->defaults.timeout, std::chrono::seconds(7));
  const auto bad = load_server_settings(files / "bad.toml", {});
  ASSERT_FALSE(bad.ok());
  EXPECT_NE(bad.error().message.find("bad.toml:2:1: unknown key 'x'"), std::string::npos) << bad.error().message;
  EXPECT_FALSE(load_server_settings(files / "none", {}).ok());
}

}  // namespace
}  // namespace tfvm::serve
