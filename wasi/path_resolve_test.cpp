// The same paths on both resolvers: what must open, what must not, and that nothing outside is ever reached.
#include "wasi/path_resolve.hpp"

#include <atomic>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/fs.h>
#include <sys/syscall.h>
#include <thread>

#include "wasi/test_directory.hpp"
#include "wasi/test_guest.hpp"
#include "wasi/test_resolvers.hpp"

namespace tfvm::wasi {

namespace {

//  root/                     what the guest is given
//    file "inside", dir/{file "in dir", deep/}, links of all kinds
//  root-secret/, secret      outside
class PathResolverTest : public testing::TestWithParam<PathResolver::Method> {
 protected:
  void SetUp() override {
    host_.make_directory("root/dir/deep");
    host_.make_directory("root-secret");
    host_.write("secret", "outside");
    host_.write("root-secret/file", "outside");
    host_.write("root/file", "inside");
    host_.write("root/dir/file", "in dir");
    host_.link("file", "root/to-file");
    host_.link("dir", "root/to-dir");
    host_.link("../file", "root/dir/up-to-file");
    host_.link(".", "root/self");
    host_.link("loop", "root/loop");
    host_.link("loop-b", "root/loop-a");
    host_.link("loop-a", "root/loop-b");
    host_.link("missing", "root/dangling");
    host_.link("dir/new", "root/dangling-in-dir");
    host_.link("../secret", "root/escape");
    host_.link("../../secret", "root/dir/escape");
    host_.link("..", "root/parent");
    host_.link("../root-secret", "root/sibling");
    host_.link(host_ / "secret", "root/absolute");
    host_.link(host_.path(), "root/absolute-dir");
    host_.link("../not-there", "root/escape-to-new");
    host_.link("/", "root/slash");
    root_ = HostFile::own(::open((host_ / "root").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  }

  /// The text of the file at `path`, or "errno N".
  std::string read(const std::string& path, bool follow = true, int flags = O_RDONLY) {
    const auto file = resolver_.open(root_.number(), path, flags, 0600, follow);
    if (!file.ok()) return "errno " + std::to_string(static_cast<int>(file.error));
    char buffer[64];
    const ssize_t count = ::read(file.value.number(), buffer, sizeof(buffer));
    return count < 0 ? "opened" : std::string(buffer, static_cast<std::size_t>(count));
  }
  Errno error_of(const std::string& path, bool follow = true, int flags = O_RDONLY) {
    return resolver_.open(root_.number(), path, flags, 0600, follow).error;
  }
  std::uint64_t secret_inode() const {
    struct ::stat status{};
    return ::stat((host_ / "secret").c_str(), &status) == 0 ? status.st_ino : 0;
  }
  static std::string failed(Errno error) { return "errno " + std::to_string(static_cast<int>(error)); }

  TestDirectory host_;
  HostFile root_;
  PathResolver resolver_{GetParam()};
};

TEST_P(PathResolverTest, OpensWhatIsInside) {
  for (const char* path : {"file", "./file", ".//file", "dir/../file", "dir/deep/../../file", "to-file", "self/file",
                           "self/self/file", "dir/up-to-file", "to-dir/up-to-file", "to-dir/../file"})
    EXPECT_EQ(read(path), "inside") << path;
  for (const char* path : {"dir/file", "to-dir/file", "self/to-dir/./file", "dir//file", "dir/deep/../file"})
    EXPECT_EQ(read(path), "in dir") << path;
  for (const char* path :
       {".", "./", "dir", "dir/", "dir//", "dir/.", "to-dir", "to-dir/", "dir/deep/..", "self", "self/"})
    EXPECT_EQ(read(path), "opened") << path;
}

TEST_P(PathResolverTest, NeverLeaves) {
  for (const char* path : {"..",
                           "../",
                           "../secret",
                           "../root",
                           "../root/file",
                           "dir/../..",
                           "dir/../../secret",
                           "dir/../../root/file",
                           "../root-secret/file",
                           "self/../..",
                           "self/../secret",
                           "to-dir/../../secret",
                           "escape",
                           "escape/",
                           "dir/escape",
                           "to-dir/escape",
                           "parent",
                           "parent/",
                           "parent/secret",
                           "parent/root/file",
                           "sibling",
                           "sibling/",
                           "sibling/file",
                           "sibling//file",
                           "sibling/.",
                           "absolute",
                           "absolute-dir",
                           "absolute-dir/",
                           "absolute-dir/.",
                           "absolute-dir/secret",
                           "slash",
                           "slash/etc/passwd",
                           "/",
                           "/etc/passwd",
                           "//etc/passwd",
                           "/file",
                           "escape-to-new"}) {
    EXPECT_EQ(read(path), failed(Errno::Notcapable)) << path;
    EXPECT_EQ(read(path, true, O_RDWR | O_CREAT).substr(0, 5), "errno") << path;
    EXPECT_EQ(read(path, true, O_WRONLY | O_CREAT | O_TRUNC).substr(0, 5), "errno") << path;
    EXPECT_EQ(read(path, true, O_RDWR | O_CREAT | O_EXCL).substr(0, 5), "errno") << path;
  }
  EXPECT_EQ(host_.read("secret"), "outside");
  EXPECT_EQ(host_.read("root-secret/file"), "outside");
  EXPECT_FALSE(host_.exists("not-there"));
}

TEST_P(PathResolverTest, DoesNotFollowTheLastLinkUnlessAsked) {
  for (const char* path : {"to-file", "to-dir", "escape", "absolute", "loop", "dangling", "parent", "self"})
    EXPECT_EQ(error_of(path, false), Errno::Loop) << path;
  // A slash behind a link asks for what it leads to.
  EXPECT_EQ(read("to-dir/", false), "opened");
  EXPECT_EQ(error_of("sibling/", false), Errno::Notcapable);
  EXPECT_EQ(error_of("sibling//", false), Errno::Notcapable);
  EXPECT_EQ(error_of("absolute-dir/", false), Errno::Notcapable);
  EXPECT_EQ(error_of("to-file/", false), Errno::Notdir);
}

TEST_P(PathResolverTest, ReportsWhatIsWrong) {
  EXPECT_EQ(error_of(""), Errno::Noent);
  EXPECT_EQ(error_of("missing"), Errno::Noent);
  EXPECT_EQ(error_of("missing/file"), Errno::Noent);
  EXPECT_EQ(error_of("dangling"), Errno::Noent);
  EXPECT_EQ(error_of("file/x"), Errno::Notdir);
  EXPECT_EQ(error_of("file/"), Errno::Notdir);
  EXPECT_EQ(error_of("file/."), Errno::Notdir);
  EXPECT_EQ(error_of("file/../file"), Errno::Notdir);
  EXPECT_EQ(error_of("to-file/.."), Errno::Notdir);
  for (const char* path : {"loop", "loop/", "loop/x", "loop-a", "loop-a/x"})
    EXPECT_EQ(error_of(path), Errno::Loop) << path;
  EXPECT_EQ(error_of(std::string("file\0", 5)), Errno::Inval);
  EXPECT_EQ(error_of(std::string("fi\0le", 5)), Errno::Inval);
  EXPECT_EQ(error_of(std::string("\0", 1)), Errno::Inval);
  EXPECT_EQ(error_of(std::string(256, 'n')), Errno::Nametoolong);
  EXPECT_EQ(error_of(std::string(5000, '.')), Errno::Nametoolong);
  std::string long_path = "file";
  while (long_path.size() + 2 < 4096) long_path.insert(0, "./");
  EXPECT_EQ(read(long_path), "inside");
  EXPECT_EQ(error_of("././" + long_path), Errno::Nametoolong);
  EXPECT_EQ(error_of("\xff\xfe"), Errno::Noent);
}

TEST_P(PathResolverTest, CreatesInside) {
  EXPECT_EQ(read("new", true, O_RDWR | O_CREAT), "");
  EXPECT_EQ(read("to-dir/other", true, O_RDWR | O_CREAT), "");
  EXPECT_TRUE(host_.exists("root/dir/other"));
  EXPECT_EQ(read("dangling-in-dir", true, O_RDWR | O_CREAT), "");
  EXPECT_TRUE(host_.exists("root/dir/new"));
  EXPECT_EQ(error_of("dangling", true, O_RDWR | O_CREAT | O_EXCL), Errno::Exist);
  EXPECT_EQ(error_of("escape", true, O_RDWR | O_CREAT | O_EXCL), Errno::Exist);
  EXPECT_EQ(error_of("to-file", true, O_RDWR | O_CREAT | O_EXCL), Errno::Exist);
  EXPECT_EQ(error_of("newer/", true, O_RDWR | O_CREAT), Errno::Isdir);
  EXPECT_EQ(error_of("dir", true, O_RDWR | O_CREAT), Errno::Isdir);
  EXPECT_FALSE(host_.exists("root/newer"));
}

TEST_P(PathResolverTest, FollowsFortyLinksAndNoMore) {
  host_.link("file", "root/link1");
  for (int i = 2; i <= 41; ++i) host_.link("link" + std::to_string(i - 1), "root/link" + std::to_string(i));
  EXPECT_EQ(read("link40"), "inside");
  EXPECT_EQ(error_of("link41"), Errno::Loop);
}

TEST_P(PathResolverTest, LocatesTheLastName) {
  const auto name_of = [&](const std::string& path, bool follow) {
    const auto located = resolver_.locate(root_.number(), path, follow);
    if (!located.ok()) return failed(located.error);
    struct ::stat at, dir;
    EXPECT_EQ(::fstat(located.value.directory, &at), 0);
    EXPECT_EQ(::stat((host_ / "root/dir").c_str(), &dir), 0);
    return std::string(at.st_ino == dir.st_ino ? "dir:" : "root:") + located.value.name +
           (located.value.must_be_directory ? "/" : "");
  };
  EXPECT_EQ(name_of("file", false), "root:file");
  EXPECT_EQ(name_of("new", true), "root:new");
  EXPECT_EQ(name_of("new/", false), "root:new/");
  EXPECT_EQ(name_of("dir/x", false), "dir:x");
  EXPECT_EQ(name_of("to-dir/x", false), "dir:x");
  EXPECT_EQ(name_of("to-dir/..", false), "root:.");
  EXPECT_EQ(name_of("dir/.", false), "dir:.");
  EXPECT_EQ(name_of(".", false), "root:.");
  EXPECT_EQ(name_of("dangling-in-dir", true), "dir:new");
  EXPECT_EQ(name_of("dangling-in-dir", false), "root:dangling-in-dir");
  EXPECT_EQ(name_of("escape", false), "root:escape");
  for (const char* path :
       {"..", "../", "../x", "dir/../..", "self/..", "parent/x", "sibling/x", "/x", "absolute-dir/x"})
    EXPECT_EQ(name_of(path, false), failed(Errno::Notcapable)) << path;
  for (const char* path : {"escape", "dir/escape", "absolute", "parent", "slash", "escape-to-new"})
    EXPECT_EQ(name_of(path, true), failed(Errno::Notcapable).c_str()) << path;
  EXPECT_EQ(name_of("loop", true), failed(Errno::Loop));
}

TEST_P(PathResolverTest, StaysInsideWhileTheHostSwapsADirectoryAndALink) {
  host_.make_directory("root/swap");
  host_.write("root/swap/secret", "inside");
  host_.link("..", "root/swapped");
  constexpr int swaps = 1'000'000;
  std::atomic<bool> is_done{false};
  std::thread host([&] {
    const std::string one = host_ / "root/swap", other = host_ / "root/swapped";
    for (int i = 0; i < swaps; ++i)
      ::syscall(SYS_renameat2, AT_FDCWD, one.c_str(), AT_FDCWD, other.c_str(), RENAME_EXCHANGE);
    is_done = true;
  });
  int opened = 0, left = 0;
  while (!is_done) {
    const std::string text = read("swap/secret");
    opened += text == "inside";
    left += text == "outside";
    // By name alone: what is there must be inside too.
    const auto located = resolver_.locate(root_.number(), "swap/secret", false);
    if (located.ok() && stat_at(located.value.directory, located.value.name).value.inode == secret_inode()) ++left;
  }
  host.join();
  EXPECT_EQ(left, 0);
  EXPECT_GT(opened, 0);
}

INSTANTIATE_TEST_SUITE_P(All, PathResolverTest, testing::ValuesIn(resolver_methods()), resolver_name);

}  // namespace
}  // namespace tfvm::wasi
