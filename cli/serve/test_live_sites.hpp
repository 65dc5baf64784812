// For tests: LiveSites over a folder of the test's own, looking when it is told to.
#pragma once

#include <gtest/gtest.h>
#include <memory>
#include <stdio.h>
#include <string>
#include <unistd.h>

#include "cli/serve/live_sites.hpp"
#include "cli/serve/static_file.hpp"
#include "cli/serve/test_modules.hpp"
#include "wasi/test_directory.hpp"

namespace tfvm::serve {

/// Sites without a thread of their own: a test says when they look, and what time it is.
class LiveSitesTest : public testing::Test {
 protected:
  LiveSitesTest() {
    config_.root = files_.path();
    config_.log = [this](std::string_view line) { log_ += std::string(line) + '\n'; };
    options_.has_thread = false;
    options_.now = [this] { return now_; };
  }

  void open() {
    auto sites = LiveSites::open(engine_, config_, options_);
    ASSERT_TRUE(sites.ok()) << sites.error().message;
    sites_ = std::move(*sites);
  }
  void write(const std::string& name, const test::Bytes& module) { files_.write(name, text_of(module)); }
  void rename(const std::string& from, const std::string& to) {
    ASSERT_EQ(::rename((files_ / from).c_str(), (files_ / to).c_str()), 0);
  }
  void remove(const std::string& name) { ASSERT_EQ(::unlink((files_ / name).c_str()), 0); }
  void look() { sites_->look_now(); }
  void pass(std::chrono::milliseconds time) {
    now_ += time;
    sites_->look_now();
  }

  static hostcalls::HttpRequest get(const std::string& target) {
    hostcalls::HttpRequest request;
    request.target = target;
    return request;
  }
  /// As the server asks.
  Route route(const std::string& target, const std::string& host = "localhost") {
    Route route;
    if (sites_->route_quickly(get(target), host, route)) return route;
    return sites_->route_slowly(get(target), host);
  }
  static std::string told(const Route& route) {
    switch (route.kind) {
      case Route::Kind::Function: return route.function->name + " | " + route.script_name + " | " + route.path_info;
      case Route::Kind::File: return "file " + route.file->content_type();
      default: return std::to_string(route.answer.status);
    }
  }
  std::string get_told(const std::string& target, const std::string& host = "localhost") {
    return told(route(target, host));
  }
  /// Which of the test's modules runs: the sha256 of `module` is its version.
  static std::string version_of(const test::Bytes& module) { return sha256_of(module.data(), module.size()); }
  std::string version(const std::string& target = "/a.wasm") {
    const Route found = route(target);
    return found.function ? found.function->version : told(found);
  }
  std::string problem(const std::string& name) {
    for (const FunctionStatus& status : sites_->status())
      if (status.name == name) return status.problem;
    return "not listed";
  }

  wasi::TestDirectory files_;
  Engine engine_;
  SitesConfig config_;
  LiveSitesOptions options_;
  std::chrono::steady_clock::time_point now_{std::chrono::hours(1)};
  std::string log_;
  std::unique_ptr<LiveSites> sites_;

  const test::Bytes one_ = hello_module("run", "one");
  const test::Bytes two_ = hello_module("run", "two");
};

}  // namespace tfvm::serve
