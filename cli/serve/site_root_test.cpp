#include "cli/serve/site_root.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "wasi/test_directory.hpp"

namespace tfvm::serve {
namespace {

using wasi::TestDirectory;

bool opens(const SiteRoot& root, const std::string& path) { return root.open(path, O_RDONLY).ok(); }

TEST(SiteRoot, OpensWhatIsBelow) {
  const TestDirectory files;
  files.make_directory("site/sub");
  files.write("site/sub/a", "x");
  files.write("outside", "secret");
  files.link("a", "site/sub/link");
  files.link("../../outside", "site/sub/out");
  files.link(files / "outside", "site/sub/absolute");
  files.link("/etc", "site/etc");
  const SiteRoot root(files / "site");
  EXPECT_TRUE(opens(root, "sub/a"));
  EXPECT_TRUE(opens(root, "sub/link"));
  EXPECT_TRUE(opens(root, ""));
  for (const char* path : {"sub/out", "sub/absolute", "etc/passwd", "../outside", "sub/../../outside", "/etc/passwd"})
    EXPECT_FALSE(opens(root, path)) << path;
}

TEST(SiteRoot, EachStepIsAPrisonOfItsOwn) {
  const TestDirectory files;
  files.make_directory("share/alice/www");
  files.make_directory("share/bob");
  files.write("share/bob/secret", "x");
  files.link("../bob", "share/alice/friend");
  files.link("../../bob", "share/alice/www/friend");
  EXPECT_TRUE(opens(SiteRoot(files / "share", {"alice", "www"}), ""));
  EXPECT_FALSE(opens(SiteRoot(files / "share", {"alice", "friend"}), "secret"));
  EXPECT_FALSE(opens(SiteRoot(files / "share", {"alice", "www"}), "friend/secret"));
  EXPECT_TRUE(opens(SiteRoot(files / "share", {"bob"}), "secret"));
}

TEST(SiteRoot, FollowsAFolderThatIsReplaced) {
  const TestDirectory files;
  files.make_directory("one");
  files.make_directory("two");
  files.write("two/a", "x");
  files.link("one", "current");
  const SiteRoot root(files / "current");
  EXPECT_FALSE(opens(root, "a"));
  ASSERT_EQ(::unlink((files / "current").c_str()), 0);
  files.link("two", "current");
  EXPECT_TRUE(opens(root, "a"));
}

TEST(SiteRoot, APipeDoesNotBlock) {
  const TestDirectory files;
  ASSERT_EQ(::mkfifo((files / "pipe").c_str(), 0600), 0);
  EXPECT_TRUE(opens(SiteRoot(files.path()), "pipe"));
}

TEST(Writers, AreSeenWhileTheyAreThere) {
  const TestDirectory files;
  files.write("a", "x");
  const wasi::HostFile reader = wasi::HostFile::own(::open((files / "a").c_str(), O_RDONLY | O_CLOEXEC));
  EXPECT_NE(writers_of(reader.number()), Writers::Some);
  {
    const wasi::HostFile writer = wasi::HostFile::own(::open((files / "a").c_str(), O_WRONLY | O_CLOEXEC));
    EXPECT_NE(writers_of(reader.number()), Writers::None);
  }
  EXPECT_NE(writers_of(reader.number()), Writers::Some);
  EXPECT_EQ(writers_of(-1), Writers::Unknown);
}

TEST(FileStamp, TellsStatesApart) {
  const TestDirectory files;
  const auto stamp = [&] {
    struct ::stat status;
    EXPECT_EQ(::stat((files / "a").c_str(), &status), 0);
    return stamp_of(status);
  };
  files.write("a", "x");
  const FileStamp first = stamp();
  EXPECT_EQ(first, stamp());
  files.write("a", "xy");
  EXPECT_NE(first, stamp());
}

}  // namespace
}  // namespace tfvm::serve
