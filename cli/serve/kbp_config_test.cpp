#include "cli/serve/kbp_config.hpp"

#include <gtest/gtest.h>

namespace tfvm::serve {
namespace {

constexpr std::string_view alice_hash =
    "sha256:249704a205894bb003b9f82a:6f2e235f076f1c7e1cfedec477091343dd4b1a678b11554321ee1a493925695c";

std::shared_ptr<const KbpConfig> parsed(std::string_view json) {
  auto config = KbpConfig::parse(json);
  EXPECT_TRUE(config.ok()) << (config.ok() ? "" : config.error().message);
  return config.ok() ? *config : nullptr;
}

std::string problem(std::string_view json) {
  const auto config = KbpConfig::parse(json);
  return config.ok() ? "none" : config.error().message;
}

/// "rl" for read and list, allowed | possible, realm
std::string access(const KbpConfig& config, std::string_view path, const std::optional<std::string>& user = {}) {
  const auto text = [](const KbpConfig::Permissions& p) {
    return std::string(p.read ? "r" : "-") + (p.list ? "l" : "-");
  };
  const KbpConfig::Access found = config.access(path, user);
  return text(found.allowed) + " " + text(found.possible) + " " + found.realm + std::string(found.allow_origin);
}

std::string with_users(std::string_view paths) {
  return R"({"version":"v1","users":{"alice":")" + std::string(alice_hash) + R"("},"per_path_configs":)" +
         std::string(paths) + "}";
}

TEST(KbpConfig, NothingSaidIsNothingAllowed) {
  EXPECT_EQ(access(*parsed(R"({"version":"v1"})"), "/a"), "-- -- /");
  EXPECT_EQ(access(*parsed(R"({"version":"v1","per_path_configs":{"/a":{"anonymous_permissions":"read"}}})"), "/"),
            "-- -- /");
}

TEST(KbpConfig, TheNearestEntryCountsAsAWhole) {
  const auto config = parsed(with_users(R"({
    "/": {"anonymous_permissions": "read,list"},
    "/private": {"whitelist_additional_permissions": {"alice": "read"}},
    "/private/open/": {"anonymous_permissions": " list ", "Access-Control-Allow-Origin": " * "},
    "a/./b/../c": {"anonymous_permissions": "read"}})"));
  EXPECT_EQ(access(*config, "/"), "rl rl /");
  EXPECT_EQ(access(*config, "x/y"), "rl rl /");
  EXPECT_EQ(access(*config, "/private"), "-- r- /private");
  EXPECT_EQ(access(*config, "/private/x", "alice"), "r- r- /private");
  EXPECT_EQ(access(*config, "/private/x", "bob"), "-- r- /private");
  EXPECT_EQ(access(*config, "/private/open/x", "alice"), "-l -l /private/open*") << "not merged with the parent";
  EXPECT_EQ(access(*config, "/private/../x"), "rl rl /");
  EXPECT_EQ(access(*config, "//private//x"), "-- r- /private");
  EXPECT_EQ(access(*config, "/privateer"), "rl rl /") << "segments, not letters";
  EXPECT_EQ(access(*config, "/a/c/d"), "r- r- /a/c");
  EXPECT_EQ(access(*config, "/a/b"), "rl rl /");
}

TEST(KbpConfig, UsersHavePasswords) {
  const auto config = parsed(with_users("{}"));
  EXPECT_EQ(config->authenticate("alice", "wrong"), Authentication::No);
  EXPECT_EQ(config->authenticate("bob", ""), Authentication::No);
}

TEST(KbpConfig, OldNameOfThePaths) {
  EXPECT_EQ(access(*parsed(R"({"version":"v1","acls":{"/":{"anonymous_permissions":"read"}}})"), "/x"), "r- r- /");
  EXPECT_NE(problem(R"({"version":"v1","acls":{},"per_path_configs":{}})"), "none");
}

TEST(KbpConfig, RefusesWhatIsWrong) {
  EXPECT_EQ(problem(""), "not JSON");
  EXPECT_EQ(problem("{"), "not JSON");
  EXPECT_EQ(problem("[]"), "not a JSON object");
  for (const std::string_view json :
       {R"({})", R"({"version":"v2"})", R"({"version":1})", R"({"version":"v1","users":[]})",
        R"({"version":"v1","users":{"a":1}})", R"({"version":"v1","users":{"a":"plain"}})",
        R"({"version":"v1","per_path_configs":[]})", R"({"version":"v1","per_path_configs":{"/":1}})"})
    EXPECT_NE(problem(json), "none") << json;
  EXPECT_NE(problem(with_users(R"({"/":{"anonymous_permissions":"write"}})")).find("write"), std::string::npos);
  for (const std::string_view paths :
       {R"({"/":{"anonymous_permissions":"read, list"}})", R"({"/":{"anonymous_permissions":"read,"}})",
        R"({"/":{"anonymous_permissions":1}})", R"({"/":{"whitelist_additional_permissions":{"bob":"read"}}})",
        R"({"/":{"whitelist_additional_permissions":{"alice":"x"}}})", R"({"/a":{},"/a/":{}})", R"({"/":{},".":{}})",
        R"({"/":{"Access-Control-Allow-Origin":"http://x"}})", R"({"/":{"custom_403_forbidden":"../x"}})"})
    EXPECT_NE(problem(with_users(paths)), "none") << paths;
  EXPECT_EQ(problem(with_users(R"({"/":{"custom_403_forbidden":"/403.html","custom_404_not_found":"/404.html"}})")),
            "none");
}

TEST(KbpConfig, DeepNestingEnds) {
  EXPECT_EQ(problem(std::string(100'000, '[')), "nested too deeply");
  std::string deep = R"({"version":"v1","x":)";
  deep += std::string(50'000, '[') + std::string(50'000, ']') + "}";
  EXPECT_EQ(problem(deep), "nested too deeply");
}

}  // namespace
}  // namespace tfvm::serve
