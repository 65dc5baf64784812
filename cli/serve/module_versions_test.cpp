#include "cli/serve/module_versions.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>

#include "cli/serve/test_modules.hpp"
#include "wasi/test_directory.hpp"

namespace tfvm::serve {
namespace {

using test::ModuleBuilder;
using wasi::TestDirectory;

std::string judged(const test::Bytes& bytes) {
  const auto module = load_module(bytes, std::make_shared<TypeRegistry>());
  if (!module.ok()) return module.error().to_string();
  const Result<FunctionKind> kind = check_function(**module);
  if (!kind.ok()) return kind.error().message;
  return *kind == FunctionKind::Cgi ? "cgi" : "hostcall";
}

TEST(CheckFunction, RunMakesAHostcallFunctionAndStartCgi) {
  EXPECT_EQ(judged(hello_module("run")), "hostcall");
  EXPECT_EQ(judged(hello_module("_start")), "cgi");
  ModuleBuilder both;
  const auto type = both.type({}, {});
  const auto function = both.function(type, {});
  both.export_item("_start", 0, function);
  both.export_item("run", 0, function);
  EXPECT_EQ(judged(both.build()), "hostcall");
}

TEST(CheckFunction, SaysWhatTheExportsAre) {
  EXPECT_EQ(judged(hello_module("main")), "exports neither run: () -> () nor _start: () -> ()");
  ModuleBuilder wrong;
  const auto function = wrong.function(wrong.type({test::i32}, {}), {});
  wrong.export_item("run", 0, function);
  EXPECT_EQ(judged(wrong.build()), "exports neither run: () -> () nor _start: () -> (); run is (i32) -> ()");
  wrong.export_item("_start", 0, wrong.function(wrong.type({}, {}), {}));
  EXPECT_EQ(judged(wrong.build()), "cgi");
  ModuleBuilder memory;
  memory.memory({0, 1});
  memory.export_item("run", 2, 0);
  EXPECT_EQ(judged(memory.build()), "exports neither run: () -> () nor _start: () -> ()");
}

TEST(CheckFunction, NamesEveryImportThatNobodyProvides) {
  EXPECT_EQ(judged(importing_module("env", "hostcall_x", {}, {})), "unknown import: function env.hostcall_x");
  EXPECT_EQ(judged(importing_module("wasi_snapshot_preview1", "nothing", {}, {})),
            "unknown import: function wasi_snapshot_preview1.nothing");
  EXPECT_EQ(judged(importing_module("a\x1b[1m", "b", {}, {})), "unknown import: function a\\1b[1m.b");
  ModuleBuilder others;
  others.import("env", "memory", {2, 0, 1});
  others.import("env", "table", {1, 0x70, 0, 1});
  others.import("env", "base", {3, test::i32, 0});
  EXPECT_EQ(judged(others.build()), "unknown import: memory env.memory, table env.table, global env.base");
  ModuleBuilder many;
  const auto type = many.type({}, {});
  for (int i = 0; i < 12; ++i) many.import("m", std::to_string(i), test::Bytes{0} + test::unsigned_leb(type));
  EXPECT_NE(judged(many.build()).find("m.9 and 2 more"), std::string::npos);
}

TEST(CheckFunction, TakesHostcallsAndWasiAndChecksTypes) {
  EXPECT_EQ(judged(importing_module("env", "hostcall_time_now", {test::i32}, {test::i64})), "hostcall");
  EXPECT_EQ(judged(importing_module("wasi_snapshot_preview1", "proc_exit", {test::i32}, {})), "hostcall");
  const std::string mismatch = judged(importing_module("env", "hostcall_time_now", {}, {}));
  EXPECT_NE(mismatch.find("hostcall_time_now"), std::string::npos) << mismatch;
}

TEST(ModuleVersions, IdenticalContentIsShared) {
  const Engine engine;
  ModuleVersions versions(engine, 1 << 20);
  const auto first = versions.load(hello_module("run"));
  const auto second = versions.load(hello_module("run"));
  const auto other = versions.load(hello_module("_start"));
  ASSERT_TRUE(first.ok() && second.ok() && other.ok());
  EXPECT_EQ(*first, *second);
  EXPECT_NE(*first, *other);
  EXPECT_EQ((*first)->sha256, sha256_of(hello_module("run").data(), hello_module("run").size()));
}

TEST(ModuleVersions, TotalIsBoundedAndGivenBack) {
  const Engine engine;
  const std::uint64_t size = hello_module("run").size();
  ModuleVersions versions(engine, size + 1);
  {
    const auto first = versions.load(hello_module("run"));
    ASSERT_TRUE(first.ok());
    EXPECT_EQ(versions.total_bytes(), size);
    const auto second = versions.load(hello_module("_start"));
    ASSERT_FALSE(second.ok());
    EXPECT_EQ(second.error().kind, ErrorKind::Limit);
  }
  EXPECT_EQ(versions.total_bytes(), 0u);
  EXPECT_TRUE(versions.load(hello_module("run", "")).ok());
}

TEST(ModuleVersions, InvalidBytesAreRefused) {
  const Engine engine;
  ModuleVersions versions(engine, 1 << 20);
  auto bytes = hello_module("run");
  bytes.pop_back();
  EXPECT_FALSE(versions.load(bytes).ok());
  EXPECT_FALSE(versions.load({}).ok());
  EXPECT_EQ(versions.total_bytes(), 0u);
}

TEST(Sha256, IsTheStandards) {
  EXPECT_EQ(sha256_of("abc", 3), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha256_of("", 0), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST(ReadFile, ReadsAllOrNothing) {
  const TestDirectory files;
  const std::string text(100'000, 'x');
  files.write("a", text);
  const auto file = wasi::HostFile::own(::open((files / "a").c_str(), O_RDONLY | O_CLOEXEC));
  const auto all = read_file(file.number(), 100'000);
  ASSERT_TRUE(all.ok());
  EXPECT_EQ(std::string(all->begin(), all->end()), text);
  EXPECT_EQ(read_file(file.number(), 99'999).error().kind, ErrorKind::Limit);
  EXPECT_EQ(read_file(-1, 10).error().kind, ErrorKind::Host);
}

}  // namespace
}  // namespace tfvm::serve
