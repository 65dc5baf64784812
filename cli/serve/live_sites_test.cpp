#include "cli/serve/live_sites.hpp"

#include <gtest/gtest.h>

#include "cli/serve/test_live_sites.hpp"

namespace tfvm::serve {
namespace {

using wasi::TestDirectory;

TEST_F(LiveSitesTest, LongestPrefixThatIsAProgramRuns) {
  files_.make_directory("api/lib.wasm");
  write("hello.wasm", one_);
  write("api/x.wasm", hello_module("_start"));
  write("api/lib.wasm/y.wasm", two_);
  open();
  EXPECT_EQ(get_told("/hello.wasm"), "hello.wasm | /hello.wasm | ");
  EXPECT_EQ(get_told("/hello.wasm/x?y"), "hello.wasm | /hello.wasm | /x");
  EXPECT_EQ(get_told("/hello.wasm/"), "hello.wasm | /hello.wasm | /");
  EXPECT_EQ(get_told("/hello.wasm/a%20b//%2Fc/"), "hello.wasm | /hello.wasm | /a b///c/");
  EXPECT_EQ(get_told("//./hell%6f.wasm/.hidden"), "hello.wasm | /hello.wasm | /.hidden");
  EXPECT_EQ(get_told("/api/lib.wasm/y.wasm/z.wasm"), "api/lib.wasm/y.wasm | /api/lib.wasm/y.wasm | /z.wasm");
  EXPECT_EQ(route("/api/x.wasm").function->kind, FunctionKind::Cgi);
  EXPECT_EQ(route("/hello.wasm").function->kind, FunctionKind::Hostcall);
  for (const char* target : {"/nothere.wasm", "/nothere.wasm/x", "/api/none", "/hello.wasmx", "/api/hello.wasm"})
    EXPECT_EQ(get_told(target), "404") << target;
}

TEST_F(LiveSitesTest, KnownFunctionsAreFoundQuicklyAndOthersNot) {
  write("hello.wasm", one_);
  files_.write("a.txt", "x");
  open();
  Route route;
  EXPECT_TRUE(sites_->route_quickly(get("/hello.wasm/x?y"), "any", route));
  EXPECT_EQ(told(route), "hello.wasm | /hello.wasm | /x");
  for (const char* target : {"/a.txt", "/", "/new.wasm", "/hello%2ewasm", "/../hello.wasm", "*"})
    EXPECT_FALSE(sites_->route_quickly(get(target), "any", route)) << target;
}

TEST_F(LiveSitesTest, WhatIsNoNameBelowTheFolderIsRefused) {
  files_.make_directory("a");
  files_.write(".kbp_config", R"({"version":"v1","per_path_configs":{"/":{"anonymous_permissions":"read,list"}}})");
  files_.write(".secret", "x");
  files_.write("hello.toml", "");
  write("hello.wasm", one_);
  open();
  for (const char* target : {"/../x", "/%2e%2e/x", "/a/../.kbp_config", "/hello.wasm/../../x", "/a%5cb", "/%00", "*"})
    EXPECT_EQ(get_told(target), "400") << target;
  for (const char* target : {"/.kbp_config", "/.KBP_CONFIG", "/%2ekbp_config", "//.kbp_config", "/./.kbp_config/",
                             "/hello.toml", "/HELLO.TOML", "/a/b.toml"})
    EXPECT_EQ(get_told(target), "403") << target;
  for (const char* target : {"/.secret", "/.git/config", "/a/.x", "/a%2f.."}) EXPECT_NE(get_told(target), "200");
  EXPECT_EQ(get_told("/.secret"), "404");
}

TEST_F(LiveSitesTest, FilesAndFolders) {
  files_.make_directory("docs");
  files_.make_directory("app");
  files_.make_directory("empty");
  files_.make_directory("a b");
  files_.write("index.html", "<p>");
  files_.write("docs/index.html", "<p>");
  files_.write("docs/style.css", "p{}");
  write("app/index.wasm", one_);
  open();
  EXPECT_EQ(get_told("/"), "file text/html; charset=utf-8");
  EXPECT_EQ(get_told("/docs/style.css?v=1"), "file text/css; charset=utf-8");
  EXPECT_EQ(get_told("/docs/style.css/"), "404");
  EXPECT_EQ(get_told("/docs/"), "file text/html; charset=utf-8");
  EXPECT_EQ(get_told("/app/"), "app/index.wasm | /app/index.wasm | ");
  EXPECT_EQ(get_told("/empty/"), "403") << "lists are off without .kbp_config";
  const auto location = [&](const char* target) {
    const Route found = route(target);
    EXPECT_EQ(found.answer.status, 301) << target;
    return std::string(hostcalls::find_field(found.answer.headers, "location").value_or("none"));
  };
  EXPECT_EQ(location("/docs?x=1"), "/docs/?x=1");
  EXPECT_EQ(location("//docs"), "/docs/") << "never to another host";
  EXPECT_EQ(location("http://evil/app"), "/app/");
  hostcalls::HttpRequest post = get("/docs/style.css");
  post.method = "POST";
  EXPECT_EQ(sites_->route_slowly(post, "x").answer.status, 405);
  post.target = "/none";
  EXPECT_EQ(sites_->route_slowly(post, "x").answer.status, 404);
}

TEST_F(LiveSitesTest, LinksThatLeaveTheFolderAreRefused) {
  const TestDirectory elsewhere;
  elsewhere.write("secret.txt", "x");
  elsewhere.write("out.wasm", text_of(one_));
  files_.make_directory("real");
  files_.write("real/in.txt", "x");
  files_.link(elsewhere / "secret.txt", "out.txt");
  files_.link(elsewhere.path(), "outside");
  files_.link(elsewhere / "out.wasm", "out.wasm");
  files_.link("real/in.txt", "in.txt");
  open();
  for (const char* target : {"/out.txt", "/outside/secret.txt", "/out.wasm", "/outside/out.wasm"})
    EXPECT_EQ(get_told(target), "404") << target;
  EXPECT_EQ(get_told("/in.txt"), "file text/plain; charset=utf-8");
}

TEST_F(LiveSitesTest, ModulesAreNotToBeHadAsBytes) {
  write("hello.wasm", one_);
  write("hello.wasm.bak", one_);
  write("library.wasm", hello_module("other"));
  open();
  EXPECT_EQ(get_told("/hello.wasm.bak"), "403");
  EXPECT_EQ(get_told("/library.wasm"), "500");
  config_.allow_module_download = true;
  open();
  EXPECT_EQ(get_told("/hello.wasm.bak"), "file application/octet-stream");
  EXPECT_EQ(get_told("/library.wasm"), "file application/wasm");
  EXPECT_EQ(get_told("/hello.wasm"), "hello.wasm | /hello.wasm | ");
}

TEST_F(LiveSitesTest, ASingleFileAnswersEveryPath) {
  write("a.wasm", one_);
  write("b.wasm", two_);
  config_.root = files_ / "a.wasm";
  open();
  EXPECT_EQ(get_told("/"), "a.wasm |  | /");
  EXPECT_EQ(get_told("/b.wasm/x?y"), "a.wasm |  | /b.wasm/x");
  EXPECT_EQ(get_told("/%41"), "a.wasm |  | /A");
  EXPECT_EQ(get_told("/../x"), "400");
  EXPECT_EQ(version("/"), version_of(one_));
  write("a.wasm", two_);
  look();
  EXPECT_EQ(version("/"), version_of(two_));
  files_.write("a.toml", "timeout = '3s'");
  look();
  EXPECT_EQ(route("/").function->settings->timeout, std::chrono::seconds(3));
  EXPECT_EQ(sites_->status().size(), 1u);
}

TEST_F(LiveSitesTest, AFolderThatIsNotThereIsAnError) {
  config_.root = files_ / "none";
  const auto sites = LiveSites::open(engine_, config_, options_);
  ASSERT_FALSE(sites.ok());
  EXPECT_NE(sites.error().message.find("none"), std::string::npos);
}

}  // namespace
}  // namespace tfvm::serve
