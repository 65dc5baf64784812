// Functions of descriptors: attributes, flags, rights, positions, sizes, times, preopens, directory entries,
// renumbering.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <set>
#include <unistd.h>

#include "wasi/fd_table.hpp"
#include "wasi/test_directory.hpp"
#include "wasi/test_guest.hpp"

namespace tfvm::wasi {
namespace {

constexpr Fd root = 3;

class FdTest : public testing::Test {
 protected:
  void SetUp() override { restart({{directory_.path(), "/data", false}}); }

  void restart(std::vector<Preopen> preopens, std::uint32_t max_open = 1024) {
    WasiConfig config;
    config.preopens = std::move(preopens);
    config.max_open_fds = max_open;
    guest_ = std::make_unique<TestGuest>(std::move(config));
  }

  TestDirectory directory_;
  std::unique_ptr<TestGuest> guest_;
};

TEST_F(FdTest, PreopensHaveNames) {
  restart({{directory_.path(), "/data", false}, {directory_.path(), "", true}});
  EXPECT_EQ(guest_->call("fd_prestat_get", 3, 0), Errno::Success);
  EXPECT_EQ(guest_->load<Prestat>(0).type, 0u);
  EXPECT_EQ(guest_->load<Prestat>(0).name_length, 5u);
  EXPECT_EQ(guest_->call("fd_prestat_dir_name", 3, 100, 5), Errno::Success);
  EXPECT_EQ(guest_->text(100, 6), std::string("/data\0", 6));
  EXPECT_EQ(guest_->call("fd_prestat_dir_name", 3, 100, 6), Errno::Success);
  EXPECT_EQ(guest_->call("fd_prestat_dir_name", 3, 100, 4), Errno::Nametoolong);
  EXPECT_EQ(guest_->call("fd_prestat_dir_name", 3, TestGuest::memory_bytes - 4, 5), Errno::Fault);
  EXPECT_EQ(guest_->call("fd_prestat_get", 4, 0), Errno::Success);
  EXPECT_EQ(guest_->load<Prestat>(0).name_length, 0u);
  for (const Fd other : {0u, 1u, 2u, 5u, UINT32_MAX}) EXPECT_EQ(guest_->call("fd_prestat_get", other, 0), Errno::Badf);
}

TEST_F(FdTest, NothingIsPreopenedByDefault) {
  restart({});
  EXPECT_EQ(guest_->call("fd_prestat_get", 3, 0), Errno::Badf);
  for (const Fd fd : {0u, 1u, 2u, 3u, 4u})
    EXPECT_NE(guest_->call_path("path_create_directory", fd, "made-by-a-test"), Errno::Success);
  Fd opened;
  EXPECT_EQ(guest_->open(3, "file", 0, rights::fd_read, 0, &opened), Errno::Badf);
}

TEST_F(FdTest, FdStatSaysWhatWasAskedFor) {
  Fd fd;
  ASSERT_EQ(guest_->open(root, "new", open_flags::creat, rights::fd_read | rights::fd_write | rights::fd_readdir,
                         rights::fd_read, &fd, fd_flags::append | fd_flags::sync),
            Errno::Success);
  ASSERT_EQ(guest_->call("fd_fdstat_get", fd, 0), Errno::Success);
  const auto stat = guest_->load<FdStat>(0);
  EXPECT_EQ(stat.file_type, FileType::RegularFile);
  EXPECT_EQ(stat.flags, fd_flags::append | fd_flags::sync);
  EXPECT_EQ(stat.base, rights::fd_read | rights::fd_write);
  EXPECT_EQ(stat.inheriting, rights::fd_read);
  ASSERT_EQ(guest_->call("fd_fdstat_get", root, 0), Errno::Success);
  const auto of_root = guest_->load<FdStat>(0);
  EXPECT_EQ(of_root.file_type, FileType::Directory);
  EXPECT_EQ(of_root.base, rights::of_directory);
  EXPECT_EQ(of_root.flags, 0u);
}

TEST_F(FdTest, RightsOnlyShrink) {
  const Fd fd = guest_->open(root, "new", open_flags::creat);
  EXPECT_EQ(guest_->call("fd_fdstat_set_rights", fd, rights::fd_read, 0), Errno::Success);
  EXPECT_EQ(guest_->write(fd, "x"), Errno::Notcapable);
  EXPECT_EQ(guest_->call("fd_fdstat_set_rights", fd, rights::fd_read | rights::fd_write, 0), Errno::Notcapable);
  EXPECT_EQ(guest_->call("fd_fdstat_set_rights", fd, rights::fd_read, rights::fd_read), Errno::Notcapable);
  EXPECT_EQ(guest_->call("fd_fdstat_set_rights", 99, 0, 0), Errno::Badf);
  EXPECT_EQ(guest_->write(fd, "x"), Errno::Notcapable);
}

TEST_F(FdTest, AppendCanBeSwitched) {
  directory_.write("file", "0123");
  Fd fd;
  ASSERT_EQ(guest_->open(root, "file", 0, rights::all, 0, &fd, fd_flags::append), Errno::Success);
  EXPECT_EQ(guest_->write(fd, "45"), Errno::Success);
  EXPECT_EQ(guest_->call("fd_seek", fd, 0, 0, 0), Errno::Success);
  EXPECT_EQ(guest_->write(fd, "67"), Errno::Success);
  EXPECT_EQ(guest_->call("fd_fdstat_set_flags", fd, 0), Errno::Success);
  EXPECT_EQ(guest_->call("fd_seek", fd, 0, 0, 0), Errno::Success);
  EXPECT_EQ(guest_->write(fd, "ab"), Errno::Success);
  EXPECT_EQ(directory_.read("file"), "ab234567");
  EXPECT_EQ(guest_->call("fd_fdstat_set_flags", fd, fd_flags::nonblock), Errno::Success);
  EXPECT_EQ(guest_->call("fd_fdstat_set_flags", fd, fd_flags::sync), Errno::Notsup);
  EXPECT_EQ(guest_->call("fd_fdstat_set_flags", fd, 32), Errno::Inval);
  EXPECT_EQ(guest_->call("fd_fdstat_get", fd, 0), Errno::Success);
  EXPECT_EQ(guest_->load<FdStat>(0).flags, fd_flags::nonblock);
}

TEST_F(FdTest, SeeksAndTells) {
  directory_.write("file", "0123456789");
  const Fd fd = guest_->open(root, "file");
  const auto seek = [&](std::int64_t offset, Whence whence) {
    const Errno error = guest_->call("fd_seek", fd, offset, whence, 0);
    return error == Errno::Success ? static_cast<std::int64_t>(guest_->load<FileSize>(0))
                                   : -static_cast<std::int64_t>(error);
  };
  EXPECT_EQ(seek(4, 0), 4);
  EXPECT_EQ(seek(3, 1), 7);
  EXPECT_EQ(seek(-1, 2), 9);
  EXPECT_EQ(seek(5'000'000'000, 0), 5'000'000'000);
  EXPECT_EQ(guest_->call("fd_tell", fd, 8), Errno::Success);
  EXPECT_EQ(guest_->load<FileSize>(8), 5'000'000'000u);
  EXPECT_EQ(seek(-1, 0), -static_cast<std::int64_t>(Errno::Inval));
  EXPECT_EQ(seek(INT64_MIN, 1), -static_cast<std::int64_t>(Errno::Inval));
  EXPECT_EQ(seek(0, 3), -static_cast<std::int64_t>(Errno::Inval));
  EXPECT_EQ(seek(0, 256), -static_cast<std::int64_t>(Errno::Inval));
  EXPECT_EQ(guest_->call("fd_seek", root, 0, 1, 0), Errno::Isdir);
  EXPECT_EQ(guest_->call("fd_tell", root, 0), Errno::Isdir);
}

TEST_F(FdTest, TellNeedsNoSeekRight) {
  directory_.write("file", "0123456789");
  Fd fd;
  ASSERT_EQ(guest_->open(root, "file", 0, rights::fd_tell, 0, &fd), Errno::Success);
  EXPECT_EQ(guest_->call("fd_tell", fd, 0), Errno::Success);
  EXPECT_EQ(guest_->call("fd_seek", fd, 0, 1, 0), Errno::Success);
  EXPECT_EQ(guest_->call("fd_seek", fd, 1, 1, 0), Errno::Notcapable);
  EXPECT_EQ(guest_->call("fd_seek", fd, 0, 0, 0), Errno::Notcapable);
}

TEST_F(FdTest, SizesBeyondFourGiB) {
  const Fd fd = guest_->open(root, "big", open_flags::creat);
  EXPECT_EQ(guest_->call("fd_filestat_set_size", fd, 5'000'000'000), Errno::Success);
  EXPECT_EQ(guest_->call("fd_filestat_get", fd, 0), Errno::Success);
  EXPECT_EQ(guest_->load<FileStat>(0).size, 5'000'000'000u);
  EXPECT_EQ(guest_->load<FileStat>(0).file_type, FileType::RegularFile);
  EXPECT_EQ(guest_->call("fd_filestat_set_size", fd, UINT64_MAX), Errno::Fbig);
  EXPECT_EQ(guest_->call("fd_filestat_set_size", root, 0), Errno::Isdir);
  EXPECT_EQ(guest_->call("fd_filestat_set_size", fd, 0), Errno::Success);
  EXPECT_EQ(guest_->call("fd_allocate", fd, UINT64_MAX, 2), Errno::Fbig);
  EXPECT_EQ(guest_->call("fd_allocate", fd, INT64_MAX, 1), Errno::Fbig);
}

TEST_F(FdTest, ReadsAndWritesBeyondFourGiB) {
  const Fd fd = guest_->open(root, "big", open_flags::creat);  // sparse: takes a few blocks
  constexpr FileSize far = 6'000'000'000;
  guest_->put_text(100, "far away");
  guest_->put(8, IoVector{100, 8});
  EXPECT_EQ(guest_->call("fd_pwrite", fd, 8, 1, far, 0), Errno::Success);
  EXPECT_EQ(guest_->call("fd_filestat_get", fd, 200), Errno::Success);
  EXPECT_EQ(guest_->load<FileStat>(200).size, far + 8);
  EXPECT_EQ(guest_->call("fd_seek", fd, -4, 2, 0), Errno::Success);
  EXPECT_EQ(guest_->load<FileSize>(0), far + 4);
  EXPECT_EQ(guest_->read(fd), "away");
  guest_->put_text(100, "????????");
  EXPECT_EQ(guest_->call("fd_pread", fd, 8, 1, far - 4, 0), Errno::Success);
  EXPECT_EQ(guest_->text(100, 8), std::string("\0\0\0\0far ", 8));
}

TEST_F(FdTest, AdvisesAndSyncs) {
  const Fd fd = guest_->open(root, "file", open_flags::creat);
  for (const Advice advice : {0u, 1u, 2u, 3u, 4u, 5u})
    EXPECT_EQ(guest_->call("fd_advise", fd, 0, 10, advice), Errno::Success);
  EXPECT_EQ(guest_->call("fd_advise", fd, 0, 10, 6), Errno::Inval);
  EXPECT_EQ(guest_->call("fd_advise", fd, UINT64_MAX, 10, 0), Errno::Inval);
  EXPECT_EQ(guest_->call("fd_sync", fd), Errno::Success);
  EXPECT_EQ(guest_->call("fd_datasync", fd), Errno::Success);
  EXPECT_EQ(guest_->call("fd_sync", 99), Errno::Badf);
}

TEST_F(FdTest, TimesOfAnyValue) {
  const Fd fd = guest_->open(root, "file", open_flags::creat);
  const auto mtime = [&] {
    EXPECT_EQ(guest_->call("fd_filestat_get", fd, 0), Errno::Success);
    return guest_->load<FileStat>(0).modification_time;
  };
  using namespace file_time_flags;
  EXPECT_EQ(guest_->call("fd_filestat_set_times", fd, 5, 1'234'567'890'123'456'789, mtim), Errno::Success);
  EXPECT_EQ(mtime(), 1'234'567'890'123'456'789u);
  for (const Timestamp time : {Timestamp{0}, Timestamp{1} << 63, Timestamp{UINT64_MAX}})
    EXPECT_EQ(guest_->call("fd_filestat_set_times", fd, time, time, atim | mtim), Errno::Success) << time;
  EXPECT_EQ(guest_->call("fd_filestat_set_times", fd, 0, 0, mtim), Errno::Success);
  EXPECT_EQ(guest_->call("fd_filestat_set_times", fd, 0, 77, 0), Errno::Success);
  EXPECT_EQ(mtime(), 0u);
  EXPECT_EQ(guest_->call("fd_filestat_set_times", fd, 0, 0, mtim_now), Errno::Success);
  EXPECT_GT(mtime(), 0u);
  EXPECT_EQ(guest_->call("fd_filestat_set_times", fd, 0, 0, mtim | mtim_now), Errno::Inval);
  EXPECT_EQ(guest_->call("fd_filestat_set_times", fd, 0, 0, atim | atim_now), Errno::Inval);
  EXPECT_EQ(guest_->call("fd_filestat_set_times", fd, 0, 0, 16), Errno::Inval);
}

TEST_F(FdTest, TimesBefore1970AreZero) {
  directory_.write("old", "");
  const struct ::timespec times[2] = {{-1'000'000'000'000, 5}, {-1, 5}};
  ASSERT_EQ(::utimensat(AT_FDCWD, (directory_ / "old").c_str(), times, 0), 0);
  const Fd fd = guest_->open(root, "old");
  EXPECT_EQ(guest_->call("fd_filestat_get", fd, 0), Errno::Success);
  EXPECT_EQ(guest_->load<FileStat>(0).modification_time, 0u);
  EXPECT_EQ(guest_->load<FileStat>(0).access_time, 0u);
}

TEST_F(FdTest, TimesOfFarYearsAreCutToWhatThereIs) {
  struct Case {
    std::int64_t seconds;
    Timestamp expected;
  };
  for (const Case& each : {Case{-62'135'596'800, 0},                           // year 1
                           Case{253'402'300'799, UINT64_MAX},                  // year 9999
                           Case{17'000'000'000, 17'000'000'000'000'000'000u},  // 2508
                           Case{0, 0}}) {
    directory_.write("old", "");
    const struct ::timespec times[2] = {{each.seconds, 0}, {each.seconds, 0}};
    if (::utimensat(AT_FDCWD, (directory_ / "old").c_str(), times, 0) != 0) continue;
    struct ::stat status;
    ASSERT_EQ(::stat((directory_ / "old").c_str(), &status), 0);
    const bool is_kept = status.st_mtim.tv_sec == each.seconds;  // file systems have ranges of their own
    guest_->put_text(100, "old");
    ASSERT_EQ(guest_->call("path_filestat_get", root, 0, 100, 3, 200), Errno::Success);
    if (is_kept) {
      EXPECT_EQ(guest_->load<FileStat>(200).modification_time, each.expected) << each.seconds;
    }
  }
}

TEST_F(FdTest, ClosesAndRenumbers) {
  directory_.write("a", "text of a");
  const Fd a = guest_->open(root, "a"), b = guest_->open(root, "b", open_flags::creat);
  EXPECT_EQ(guest_->call("fd_renumber", a, b), Errno::Success);
  EXPECT_EQ(guest_->call("fd_close", a), Errno::Badf);
  EXPECT_EQ(guest_->read(b), "text of a");
  EXPECT_EQ(guest_->call("fd_renumber", b, b), Errno::Success);
  EXPECT_EQ(guest_->call("fd_renumber", b, UINT32_MAX), Errno::Badf);
  EXPECT_EQ(guest_->call("fd_renumber", UINT32_MAX, b), Errno::Badf);
  EXPECT_EQ(guest_->call("fd_renumber", a, b), Errno::Badf);
  EXPECT_EQ(guest_->call("fd_renumber", b, root), Errno::Success);  // a preopen can be given up
  EXPECT_EQ(guest_->call("fd_prestat_get", root, 0), Errno::Badf);
  EXPECT_EQ(guest_->call("fd_close", root), Errno::Success);
  EXPECT_EQ(guest_->call("fd_close", UINT32_MAX), Errno::Badf);
}

// As RUSTSEC-2025-0046: every pair, and no descriptor of the host is lost on the way.
TEST_F(FdTest, RenumbersEveryPairAndLeaksNothing) {
  const auto lowest_free = [] {
    const int file = ::dup(2);
    ::close(file);
    return file;
  };
  restart({{directory_.path(), "/", false}, {directory_.path(), "/again", true}});
  const std::vector<Fd> numbers{0, 1, 2, 3, 4, 5, 6, 1000, UINT32_MAX};
  for (const Fd from : numbers) {
    for (const Fd to : numbers) {
      restart({{directory_.path(), "/", false}, {directory_.path(), "/again", true}});
      const bool are_open = from <= 4 && to <= 4;
      EXPECT_EQ(guest_->call("fd_renumber", from, to), are_open ? Errno::Success : Errno::Badf) << from << ' ' << to;
      EXPECT_EQ(guest_->call("fd_fdstat_get", from, 0), are_open && from != to ? Errno::Badf
                                                        : from <= 4            ? Errno::Success
                                                                               : Errno::Badf);
    }
  }
  restart({{directory_.path(), "/", false}});
  const int before = lowest_free();
  for (int i = 0; i < 20'000; ++i) {
    const Fd a = guest_->open(root, "file", open_flags::creat), b = guest_->open(root, ".", open_flags::directory);
    ASSERT_EQ(guest_->call("fd_renumber", a, b), Errno::Success);
    ASSERT_EQ(guest_->call("fd_close", b), Errno::Success);
  }
  EXPECT_EQ(lowest_free(), before);
}

TEST_F(FdTest, ClosingAStandardStreamLeavesTheHosts) {
  EXPECT_EQ(guest_->call("fd_close", 2), Errno::Success);
  EXPECT_EQ(guest_->call("fd_close", 2), Errno::Badf);
  EXPECT_GE(::fcntl(2, F_GETFD), 0);
  EXPECT_EQ(guest_->call("fd_renumber", root, 1), Errno::Success);
  EXPECT_GE(::fcntl(1, F_GETFD), 0);
}

TEST_F(FdTest, OpensNoMoreThanItsLimit) {
  restart({{directory_.path(), "/", false}}, 6);
  guest_->open(root, "a", open_flags::creat);
  guest_->open(root, "b", open_flags::creat);
  Fd opened;
  EXPECT_EQ(guest_->open(root, "c", open_flags::creat, rights::fd_read, 0, &opened), Errno::Mfile);
  EXPECT_FALSE(directory_.exists("c"));
}

class ReaddirTest : public FdTest {
 protected:
  static constexpr std::uint32_t buffer = 1000, used = 0;

  /// All names, read with a buffer of `bytes`; a cut-off entry is asked for again with a buffer of `more`.
  std::multiset<std::string> names(Size bytes, Size more) {
    std::multiset<std::string> result;
    DirectoryCookie cookie = 0;
    Size length = bytes;
    for (int calls = 0; calls < 100'000; ++calls) {
      EXPECT_EQ(guest_->call("fd_readdir", root, buffer, length, cookie, used), Errno::Success);
      const Size filled = guest_->load<Size>(used);
      Size at = 0;
      bool is_cut = false;
      while (at < filled) {
        if (filled - at < sizeof(DirectoryEntry)) break;
        const auto entry = guest_->load<DirectoryEntry>(buffer + at);
        if (filled - at < sizeof(entry) + entry.name_length) break;
        result.insert(guest_->text(buffer + at + static_cast<Size>(sizeof(entry)), entry.name_length));
        cookie = entry.next;
        at += static_cast<Size>(sizeof(entry)) + entry.name_length;
      }
      is_cut = at < filled;
      if (filled < length && !is_cut) return result;
      length = is_cut && at == 0 ? more : bytes;
    }
    ADD_FAILURE() << "does not end";
    return result;
  }
};

TEST_F(ReaddirTest, FindsEachNameOnceWithAnyBuffer) {
  std::multiset<std::string> expected{".", ".."};
  for (int i = 0; i < 2000; ++i) {
    const std::string name = "file-" + std::to_string(i) + std::string(static_cast<std::size_t>(i % 50), 'x');
    directory_.write(name, "");
    expected.insert(name);
  }
  EXPECT_EQ(names(1, 300), expected);
  EXPECT_EQ(names(50, 300), expected);
  EXPECT_EQ(names(24, 300), expected);
  EXPECT_EQ(names(100, 300), expected);
  EXPECT_EQ(names(4096, 4096), expected);
  EXPECT_EQ(names(50'000, 50'000), expected);
}

TEST_F(ReaddirTest, CookiesStay) {
  for (int i = 0; i < 100; ++i) directory_.write("file-" + std::to_string(i), "");
  std::vector<std::pair<DirectoryCookie, std::string>> entries;  // where an entry is
  DirectoryCookie cookie = 0;
  while (true) {
    ASSERT_EQ(guest_->call("fd_readdir", root, buffer, 300, cookie, used), Errno::Success);
    if (guest_->load<Size>(used) == 0) break;
    const auto entry = guest_->load<DirectoryEntry>(buffer);
    entries.emplace_back(cookie, guest_->text(buffer + 24, entry.name_length));
    cookie = entry.next;
  }
  EXPECT_EQ(entries.size(), 102u);
  directory_.write("later", "");
  for (std::size_t i = entries.size(); i-- > 0;) {
    ASSERT_EQ(guest_->call("fd_readdir", root, buffer, 300, entries[i].first, used), Errno::Success);
    EXPECT_EQ(guest_->text(buffer + 24, entries[i].second.size()), entries[i].second);
  }
}

TEST_F(ReaddirTest, EntriesSayWhatTheyAre) {
  directory_.make_directory("sub");
  directory_.link("sub", "link");
  directory_.write("file", "");
  const std::set<std::string> directories{".", "..", "sub"};
  ASSERT_EQ(guest_->call("fd_readdir", root, buffer, 4096, 0, used), Errno::Success);
  Size at = 0;
  int entries = 0;
  for (; at < guest_->load<Size>(used); ++entries) {
    const auto entry = guest_->load<DirectoryEntry>(buffer + at);
    const std::string name = guest_->text(buffer + at + 24, entry.name_length);
    EXPECT_EQ(entry.file_type, directories.contains(name) ? FileType::Directory
                               : name == "link"           ? FileType::SymbolicLink
                                                          : FileType::RegularFile)
        << name;
    at += 24 + entry.name_length;
  }
  EXPECT_EQ(entries, 5);
}

TEST_F(ReaddirTest, RefusesWhatIsNoDirectoryOrNoMemory) {
  const Fd file = guest_->open(root, "file", open_flags::creat);
  EXPECT_EQ(guest_->call("fd_readdir", file, buffer, 100, 0, used), Errno::Notdir);
  EXPECT_EQ(guest_->call("fd_readdir", root, TestGuest::memory_bytes - 10, 11, 0, used), Errno::Fault);
  EXPECT_EQ(guest_->call("fd_readdir", root, buffer, 100, 0, TestGuest::memory_bytes - 3), Errno::Fault);
  EXPECT_EQ(guest_->call("fd_readdir", root, buffer, 0, 0, used), Errno::Success);
  EXPECT_EQ(guest_->load<Size>(used), 0u);
}

}  // namespace
}  // namespace tfvm::wasi
