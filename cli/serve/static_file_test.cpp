#include "cli/serve/static_file.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "wasi/test_directory.hpp"

namespace tfvm::serve {
namespace {

using wasi::TestDirectory;

std::shared_ptr<const StaticFile> open_file(const TestDirectory& files, const std::string& name) {
  return StaticFile::adopt(::open((files / name).c_str(), O_RDONLY | O_CLOEXEC), name);
}

TEST(ContentType, IsChosenByTheLastSuffix) {
  EXPECT_EQ(content_type_of("index.html"), "text/html; charset=utf-8");
  EXPECT_EQ(content_type_of("a.b/STYLE.CSS"), "text/css; charset=utf-8");
  EXPECT_EQ(content_type_of("x.tar.gz"), "application/gzip");
  EXPECT_EQ(content_type_of("7.7z"), "application/x-7z-compressed");
  EXPECT_EQ(content_type_of("z.zst"), "application/zstd");
  for (const std::string_view name : {"", "noext", "a.", "a.unknown", "html"})
    EXPECT_EQ(content_type_of(name), "application/octet-stream") << name;
}

TEST(StaticFile, KnowsItsFile) {
  const TestDirectory files;
  files.write("a.txt", "hello");
  const auto file = open_file(files, "a.txt");
  ASSERT_TRUE(file);
  struct ::stat status;
  ASSERT_EQ(::stat((files / "a.txt").c_str(), &status), 0);
  EXPECT_EQ(file->size(), 5u);
  EXPECT_EQ(file->modified(), status.st_mtim.tv_sec);
  EXPECT_EQ(file->content_type(), "text/plain; charset=utf-8");
  ASSERT_GT(file->etag().size(), 2u);
  EXPECT_EQ(file->etag().front(), '"');
  EXPECT_EQ(file->etag().back(), '"');
  EXPECT_EQ(file->etag(), open_file(files, "a.txt")->etag());
}

TEST(StaticFile, OtherContentIsAnotherEntity) {
  const TestDirectory files;
  files.write("a", "one");
  const auto before = open_file(files, "a");
  files.write("b", "two");
  ASSERT_EQ(::rename((files / "b").c_str(), (files / "a").c_str()), 0);
  EXPECT_NE(open_file(files, "a")->etag(), before->etag());
}

TEST(StaticFile, IsARegularFile) {
  const TestDirectory files;
  EXPECT_FALSE(StaticFile::adopt(::open(files.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC), "d"));
  EXPECT_FALSE(StaticFile::adopt(::open("/dev/null", O_RDONLY | O_CLOEXEC), "null"));
  EXPECT_FALSE(open_file(files, "absent"));
}

TEST(StaticFile, ModulesAreRecognisedUnderAnyName) {
  const TestDirectory files;
  files.write("a.bak", std::string("\0asm\1\0\0\0", 8));
  files.write("b.wasm", "text");
  files.write("c", "");
  EXPECT_TRUE(open_file(files, "a.bak")->holds_module());
  EXPECT_FALSE(open_file(files, "b.wasm")->holds_module());
  EXPECT_FALSE(open_file(files, "c")->holds_module());
}

}  // namespace
}  // namespace tfvm::serve
