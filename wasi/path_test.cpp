// Functions of paths as a guest calls them, on both resolvers: what each does, trailing slashes, links, what is
// refused.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "wasi/test_directory.hpp"
#include "wasi/test_guest.hpp"
#include "wasi/test_resolvers.hpp"

namespace tfvm::wasi {
namespace {

constexpr Fd root = 3;
constexpr std::uint32_t first = 1000, second = 3000, result = 5000;

class PathTest : public testing::TestWithParam<PathResolver::Method> {
 protected:
  void SetUp() override {
    host_.make_directory("data/dir");
    host_.make_directory("data-secret");
    host_.write("data/file", "text");
    host_.write("data-secret/x", "outside");
    host_.write("secret", "outside");
    host_.link("file", "data/to-file");
    host_.link("dir", "data/to-dir");
    host_.link("../secret", "data/escape");
    host_.link("../data-secret", "data/escape-dir");
    host_.link("nothing", "data/dangling");
    WasiConfig config;
    config.preopens = {{host_ / "data", "/data", false}};
    config.path_resolution = GetParam();
    guest_ = std::make_unique<TestGuest>(std::move(config));
  }

  Errno one(std::string_view function, const std::string& path) { return guest_->call_path(function, root, path); }
  Errno two(std::string_view function, const std::string& from, const std::string& to) {
    guest_->put_text(first, from);
    guest_->put_text(second, to);
    if (function == "path_symlink") return guest_->call(function, first, from.size(), root, second, to.size());
    if (function == "path_link") return guest_->call(function, root, 0, first, from.size(), root, second, to.size());
    return guest_->call(function, root, first, from.size(), root, second, to.size());
  }
  Errno stat(const std::string& path, LookupFlags flags = lookup_symlink_follow) {
    guest_->put_text(first, path);
    return guest_->call("path_filestat_get", root, flags, first, path.size(), result);
  }
  Errno touch(const std::string& path, LookupFlags flags = lookup_symlink_follow) {
    guest_->put_text(first, path);
    return guest_->call("path_filestat_set_times", root, flags, first, path.size(), 0, 1'000'000'000,
                        file_time_flags::mtim);
  }
  std::int64_t mtime_of(const std::string& name) const {
    struct ::stat status;
    return ::lstat((host_ / name).c_str(), &status) == 0 ? status.st_mtim.tv_sec : -1;
  }

  TestDirectory host_;
  std::unique_ptr<TestGuest> guest_;
};

TEST_P(PathTest, CreatesAndRemovesDirectories) {
  EXPECT_EQ(one("path_create_directory", "new"), Errno::Success);
  EXPECT_EQ(one("path_create_directory", "new/inner/"), Errno::Success);
  EXPECT_EQ(one("path_create_directory", "to-dir/new"), Errno::Success);
  EXPECT_TRUE(host_.exists("data/dir/new"));
  for (const char* existing : {"new", "new/", "file", "to-dir", "dangling", "dangling/", ".", "new/.."})
    EXPECT_EQ(one("path_create_directory", existing), Errno::Exist) << existing;
  EXPECT_EQ(one("path_create_directory", "missing/new"), Errno::Noent);
  EXPECT_EQ(one("path_remove_directory", "new"), Errno::Notempty);
  EXPECT_EQ(one("path_remove_directory", "new/inner/"), Errno::Success);
  EXPECT_EQ(one("path_remove_directory", "new"), Errno::Success);
  EXPECT_EQ(one("path_remove_directory", "file"), Errno::Notdir);
  EXPECT_EQ(one("path_remove_directory", "to-dir"), Errno::Notdir);
  EXPECT_EQ(one("path_remove_directory", "to-dir/"), Errno::Notdir);
  EXPECT_EQ(one("path_remove_directory", "."), Errno::Inval);
}

TEST_P(PathTest, Unlinks) {
  EXPECT_EQ(one("path_unlink_file", "dir"), Errno::Isdir);
  EXPECT_EQ(one("path_unlink_file", "dir/"), Errno::Isdir);
  EXPECT_EQ(one("path_unlink_file", "file/"), Errno::Notdir);
  EXPECT_EQ(one("path_unlink_file", "to-dir/"), Errno::Notdir);
  EXPECT_EQ(one("path_unlink_file", "escape-dir/"), Errno::Notdir);
  EXPECT_EQ(one("path_unlink_file", "missing/"), Errno::Noent);
  EXPECT_EQ(one("path_unlink_file", "to-file"), Errno::Success);
  EXPECT_EQ(one("path_unlink_file", "escape"), Errno::Success);  // the link itself
  EXPECT_EQ(one("path_unlink_file", "file"), Errno::Success);
  EXPECT_FALSE(host_.exists("data/file"));
  EXPECT_EQ(host_.read("secret"), "outside");
}

TEST_P(PathTest, Renames) {
  EXPECT_EQ(two("path_rename", "file", "dir/moved"), Errno::Success);
  EXPECT_EQ(host_.read("data/dir/moved"), "text");
  EXPECT_EQ(two("path_rename", "dir/moved", "file/"), Errno::Notdir);
  EXPECT_EQ(two("path_rename", "dir/moved/", "file"), Errno::Notdir);
  EXPECT_EQ(two("path_rename", "dir/moved", "file"), Errno::Success);
  EXPECT_EQ(two("path_rename", "dir/", "other/"), Errno::Success);
  EXPECT_EQ(two("path_rename", "other", "dir/"), Errno::Success);
  EXPECT_EQ(two("path_rename", "missing", "x"), Errno::Noent);
  EXPECT_EQ(two("path_rename", "missing/", "x"), Errno::Noent);
  EXPECT_EQ(two("path_rename", "to-dir/", "x"), Errno::Notdir);
  EXPECT_EQ(two("path_rename", "file", "dir"), Errno::Isdir);
  EXPECT_EQ(two("path_rename", "dir", "file"), Errno::Notdir);
  EXPECT_EQ(two("path_rename", "dir", "dir/inside"), Errno::Inval);
}

TEST_P(PathTest, Links) {
  EXPECT_EQ(two("path_link", "file", "hard"), Errno::Success);
  EXPECT_EQ(host_.read("data/hard"), "text");
  EXPECT_EQ(two("path_link", "file", "hard"), Errno::Exist);
  EXPECT_EQ(two("path_link", "file", "dir"), Errno::Exist);
  EXPECT_EQ(two("path_link", "file", "dangling"), Errno::Exist);
  EXPECT_EQ(two("path_link", "file", "new/"), Errno::Noent);
  EXPECT_EQ(two("path_link", "dir", "new"), Errno::Perm);
  EXPECT_EQ(two("path_link", "file/", "new"), Errno::Notdir);
  EXPECT_EQ(two("path_link", "dangling", "hard-dangling"), Errno::Success);
  guest_->put_text(first, "to-file");
  guest_->put_text(second, "followed");
  EXPECT_EQ(guest_->call("path_link", root, lookup_symlink_follow, first, 7, root, second, 8), Errno::Success);
  EXPECT_EQ(host_.read("data/followed"), "text");
  guest_->put_text(first, "escape!");
  EXPECT_EQ(guest_->call("path_link", root, lookup_symlink_follow, first, 6, root, second, 7), Errno::Notcapable);
  EXPECT_EQ(guest_->call("path_link", root, 2, first, 6, root, second, 7), Errno::Inval);
}

TEST_P(PathTest, Symlinks) {
  EXPECT_EQ(two("path_symlink", "file", "link"), Errno::Success);
  EXPECT_EQ(guest_->read(guest_->open(root, "link")), "text");
  EXPECT_EQ(two("path_symlink", "/etc/passwd", "absolute"), Errno::Notcapable);
  EXPECT_EQ(two("path_symlink", "", "empty"), Errno::Noent);
  EXPECT_EQ(two("path_symlink", std::string("a\0b", 3), "nul"), Errno::Inval);
  EXPECT_EQ(two("path_symlink", "x", "file"), Errno::Exist);
  EXPECT_EQ(two("path_symlink", "x", "dir/"), Errno::Exist);
  EXPECT_EQ(two("path_symlink", "x", "file/"), Errno::Notdir);
  EXPECT_EQ(two("path_symlink", "x", "new/"), Errno::Noent);
  EXPECT_FALSE(host_.exists("data/absolute"));
  // One that leads out can be made, and is of no use.
  EXPECT_EQ(two("path_symlink", "../secret", "out"), Errno::Success);
  Fd opened;
  EXPECT_EQ(guest_->open(root, "out", open_flags::creat | open_flags::trunc, rights::all, 0, &opened),
            Errno::Notcapable);
  EXPECT_EQ(host_.read("secret"), "outside");
}

TEST_P(PathTest, ReadsLinks) {
  const auto read_link = [&](const std::string& path, Size length) {
    guest_->fill(0xee);
    guest_->put_text(first, path);
    const Errno error = guest_->call("path_readlink", root, first, path.size(), second, length, result);
    return error == Errno::Success ? guest_->text(second, guest_->load<Size>(result))
                                   : "errno " + std::to_string(static_cast<int>(error));
  };
  EXPECT_EQ(read_link("to-file", 100), "file");
  EXPECT_EQ(guest_->load<std::uint8_t>(second + 4), 0xee);
  EXPECT_EQ(read_link("to-file", 2), "fi");
  EXPECT_EQ(read_link("to-file", 0), "");
  EXPECT_EQ(read_link("escape", 100), "../secret");
  EXPECT_EQ(read_link("file", 100), "errno " + std::to_string(static_cast<int>(Errno::Inval)));
  EXPECT_EQ(read_link("missing", 100), "errno " + std::to_string(static_cast<int>(Errno::Noent)));
  EXPECT_EQ(read_link("../secret", 100), "errno " + std::to_string(static_cast<int>(Errno::Notcapable)));
}

TEST_P(PathTest, StatsWithAndWithoutFollowing) {
  EXPECT_EQ(stat("to-file"), Errno::Success);
  EXPECT_EQ(guest_->load<FileStat>(result).size, 4u);
  EXPECT_EQ(guest_->load<FileStat>(result).links, 1u);
  EXPECT_EQ(stat("to-file", 0), Errno::Success);
  EXPECT_EQ(guest_->load<FileStat>(result).file_type, FileType::SymbolicLink);
  EXPECT_EQ(stat("to-dir/", 0), Errno::Success);
  EXPECT_EQ(guest_->load<FileStat>(result).file_type, FileType::Directory);
  EXPECT_EQ(stat("escape", 0), Errno::Success);
  EXPECT_EQ(stat("escape"), Errno::Notcapable);
  EXPECT_EQ(stat("escape-dir/", 0), Errno::Notcapable);
  EXPECT_EQ(stat("dangling"), Errno::Noent);
  EXPECT_EQ(stat("file/"), Errno::Notdir);
  EXPECT_EQ(stat("../data-secret/x"), Errno::Notcapable);
  EXPECT_EQ(stat("file", 2), Errno::Inval);
}

TEST_P(PathTest, SetsTimesOfNothingOutside) {
  const std::int64_t secret_time = mtime_of("secret"), directory_time = mtime_of("data-secret");
  EXPECT_EQ(touch("to-file"), Errno::Success);
  EXPECT_EQ(mtime_of("data/file"), 1);
  EXPECT_EQ(touch("to-dir", 0), Errno::Success);
  EXPECT_EQ(mtime_of("data/to-dir"), 1);
  EXPECT_NE(mtime_of("data/dir"), 1);
  EXPECT_EQ(touch("to-dir/", 0), Errno::Success);
  EXPECT_EQ(mtime_of("data/dir"), 1);
  EXPECT_EQ(touch("file/"), Errno::Notdir);
  for (const char* path : {"escape", "escape-dir", "escape-dir/", "escape-dir/x", "..", "../secret", "dir/../..", "/"})
    EXPECT_EQ(touch(path), Errno::Notcapable) << path;
  EXPECT_EQ(touch("escape", 0), Errno::Success);  // the link's own
  EXPECT_EQ(mtime_of("secret"), secret_time);
  EXPECT_EQ(mtime_of("data-secret"), directory_time);
}

TEST_P(PathTest, EveryFunctionRefusesToLeave) {
  for (const std::string path : {"../x", "..", "dir/../../x", "/x", "escape-dir/x", "../data-secret/x"}) {
    for (const char* function : {"path_create_directory", "path_remove_directory", "path_unlink_file"})
      EXPECT_EQ(one(function, path), Errno::Notcapable) << function << ' ' << path;
    for (const char* function : {"path_rename", "path_link", "path_symlink"}) {
      EXPECT_EQ(two(function, "file", path), Errno::Notcapable) << function << ' ' << path;
      if (std::string(function) != "path_symlink") {
        EXPECT_EQ(two(function, path, "file2"), Errno::Notcapable) << function << ' ' << path;
      }
    }
    EXPECT_EQ(stat(path, 0), Errno::Notcapable) << path;
    Fd opened;
    EXPECT_EQ(guest_->open(root, path, open_flags::creat, rights::fd_write, 0, &opened), Errno::Notcapable) << path;
  }
  EXPECT_EQ(host_.read("data-secret/x"), "outside");
  EXPECT_FALSE(host_.exists("x"));
}

// As RUSTSEC-2026-0269: a slash behind a link must not make it followed to the outside.
TEST_P(PathTest, TrailingSlashesBehindLinksThatLeadOut) {
  host_.link("../../data-secret", "data/dir/escape");
  host_.link(host_ / "data-secret", "data/absolute");
  for (const std::string path : {"escape-dir/", "escape-dir//", "escape-dir/.", "escape-dir/./", "dir/escape/",
                                 "to-dir/escape/", "absolute/", "absolute//", "absolute/."}) {
    for (const char* function : {"path_create_directory", "path_remove_directory", "path_unlink_file"})
      EXPECT_NE(one(function, path), Errno::Success) << function << ' ' << path;
    for (const char* function : {"path_rename", "path_link", "path_symlink"}) {
      EXPECT_NE(two(function, "file", path), Errno::Success) << function << ' ' << path;
      if (std::string(function) != "path_symlink") {
        EXPECT_NE(two(function, path, "taken"), Errno::Success) << function << ' ' << path;
      }
    }
    for (const LookupFlags follow : {0u, lookup_symlink_follow}) {
      EXPECT_EQ(stat(path, follow), Errno::Notcapable) << path;
      EXPECT_EQ(touch(path, follow), Errno::Notcapable) << path;
      Fd opened;
      EXPECT_EQ(guest_->open(root, path, open_flags::directory, rights::fd_readdir, 0, &opened, 0, follow),
                Errno::Notcapable)
          << path;
    }
    guest_->put_text(first, path);
    EXPECT_NE(guest_->call("path_readlink", root, first, path.size(), second, 100, result), Errno::Success) << path;
  }
  EXPECT_EQ(host_.read("data-secret/x"), "outside");
  EXPECT_FALSE(host_.exists("data/taken"));
  EXPECT_TRUE(host_.exists("data/escape-dir"));
}

// As CVE-2024-38358 and CVE-2025-43853: what a link names is not made outside by opening it with CREAT.
TEST_P(PathTest, CreatingThroughLinksThatLeadOut) {
  host_.link("../not-there", "data/escape-to-new");
  host_.link(host_ / "not-there", "data/absolute-to-new");
  EXPECT_EQ(two("path_symlink", "../not-there", "made-by-the-guest"), Errno::Success);
  for (const std::string path : {"escape-to-new", "absolute-to-new", "made-by-the-guest", "escape", "escape-dir/new"}) {
    for (const OpenFlags flags : {open_flags::creat, open_flags::creat | open_flags::trunc}) {
      Fd opened;
      EXPECT_EQ(guest_->open(root, path, flags, rights::fd_read | rights::fd_write, 0, &opened), Errno::Notcapable)
          << path;
    }
  }
  EXPECT_FALSE(host_.exists("not-there"));
  EXPECT_FALSE(host_.exists("data-secret/new"));
  EXPECT_EQ(host_.read("secret"), "outside");
}

TEST_P(PathTest, NamesOfAllShapes) {
  for (const std::string& name : {std::string("\xff\xfe not UTF-8"), std::string("\xc3\xa9t\xc3\xa9"),
                                  std::string(255, 'n'), std::string(" "), std::string("a\nb"), std::string("..."),
                                  std::string("COM1"), std::string("con.txt"), std::string("COM\xc2\xb9")}) {
    EXPECT_EQ(one("path_create_directory", name), Errno::Success) << name;
    EXPECT_TRUE(host_.exists("data/" + name)) << name;
    EXPECT_EQ(stat(name), Errno::Success);
  }
  for (const auto& [name, error] : {std::pair{std::string("a\0b", 3), Errno::Inval},
                                    {"", Errno::Noent},
                                    {std::string(256, 'n'), Errno::Nametoolong},
                                    {std::string(1500, '/'), Errno::Notcapable}}) {
    EXPECT_EQ(one("path_create_directory", name), error) << name;
    EXPECT_EQ(stat(name), error) << name;
  }
}

TEST_P(PathTest, OpensAsAsked) {
  Fd fd;
  EXPECT_EQ(guest_->open(root, "file", open_flags::directory, rights::fd_read, 0, &fd), Errno::Notdir);
  EXPECT_EQ(guest_->open(root, "dir", open_flags::directory, rights::fd_read | rights::fd_write, 0, &fd), Errno::Isdir);
  EXPECT_EQ(guest_->open(root, "dir", 0, 0, 0, &fd), Errno::Success);
  EXPECT_EQ(guest_->open(root, "to-file", 0, rights::fd_read, 0, &fd, 0, 0), Errno::Loop);
  EXPECT_EQ(guest_->open(root, "file", open_flags::creat | open_flags::excl, 0, 0, &fd), Errno::Exist);
  EXPECT_EQ(guest_->open(root, "file", open_flags::excl, rights::fd_read, 0, &fd), Errno::Success);
  EXPECT_EQ(guest_->open(root, "new", open_flags::creat | open_flags::directory, 0, 0, &fd), Errno::Inval);
  EXPECT_EQ(guest_->open(root, "file", 16, 0, 0, &fd), Errno::Inval);
  EXPECT_EQ(guest_->open(root, "file", 0, 0, 0, &fd, 32), Errno::Inval);
  EXPECT_EQ(guest_->open(root, "file", 0, 0, 0, &fd, 0, 2), Errno::Inval);
  EXPECT_EQ(guest_->open(99, "file", 0, 0, 0, &fd), Errno::Badf);
  const Fd file = guest_->open(root, "file");
  EXPECT_EQ(guest_->open(file, "x", 0, 0, 0, &fd), Errno::Notdir);
  EXPECT_EQ(guest_->open(root, "file", open_flags::trunc, rights::fd_write, 0, &fd), Errno::Success);
  EXPECT_EQ(host_.read("data/file"), "");
  guest_->put_text(first, "unseen");
  EXPECT_EQ(guest_->call("path_open", root, 0, first, 6, open_flags::creat, 0, 0, 0, TestGuest::memory_bytes - 3),
            Errno::Fault);
  EXPECT_FALSE(host_.exists("data/unseen"));
}

TEST_P(PathTest, OpenedDirectoriesAreRootsOfTheirOwn) {
  const Fd directory = guest_->open(root, "dir", open_flags::directory);
  Fd fd;
  EXPECT_EQ(guest_->open(directory, "../file", 0, rights::fd_read, 0, &fd), Errno::Notcapable);
  EXPECT_EQ(guest_->open(directory, "..", open_flags::directory, rights::fd_readdir, 0, &fd), Errno::Notcapable);
  EXPECT_EQ(guest_->open(directory, "inner", open_flags::creat, rights::fd_read, 0, &fd), Errno::Success);
  EXPECT_TRUE(host_.exists("data/dir/inner"));
}

TEST_P(PathTest, PathsAtTheEndOfMemory) {
  constexpr std::uint32_t end = TestGuest::memory_bytes;
  guest_->put_text(end - 4, "file");
  EXPECT_EQ(guest_->call("path_filestat_get", root, 0, end - 4, 4, result), Errno::Success);
  EXPECT_EQ(guest_->call("path_filestat_get", root, 0, end - 4, 5, result), Errno::Fault);
  EXPECT_EQ(guest_->call("path_filestat_get", root, 0, 0xffff'fffe, 4, result), Errno::Fault);
  EXPECT_EQ(guest_->call("path_filestat_get", root, 0, 0, 0xffff'ffff, result), Errno::Fault);
  EXPECT_EQ(guest_->call("path_filestat_get", root, 0, 0, 0, result), Errno::Noent);
  EXPECT_EQ(guest_->call("path_filestat_get", root, 0, 0, 5000, result), Errno::Nametoolong);
}

INSTANTIATE_TEST_SUITE_P(All, PathTest, testing::ValuesIn(resolver_methods()), resolver_name);

}  // namespace
}  // namespace tfvm::wasi
