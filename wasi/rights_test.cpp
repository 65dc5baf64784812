// What each function may not do: without each of its rights, below a read-only preopen, with pointers out of memory.
#include <fcntl.h>
#include <gtest/gtest.h>

#include "wasi/fd_table.hpp"
#include "wasi/test_directory.hpp"
#include "wasi/test_guest.hpp"

namespace tfvm::wasi {
namespace {

constexpr Fd root = 3;
constexpr std::uint32_t name_a = 1000, name_b = 1100, vectors = 1200, result = 1300, buffer = 1400;
constexpr std::uint64_t file_fd = 0xf1, directory_fd = 0xf2;  // stand for descriptors of the test

/// A call that works with all rights, and what it needs.
struct Row {
  std::string_view function;
  std::vector<std::uint64_t> arguments;
  Rights on_file = 0;                 ///< rights that it needs on the file
  Rights on_directory = 0;            ///< and on the directory
  std::vector<std::size_t> pointers;  ///< which arguments are addresses of at least 2 bytes
};

std::ostream& operator<<(std::ostream& stream, const Row& row) { return stream << row.function; }

const std::vector<Row>& rows() {
  using namespace rights;
  static const std::vector<Row> all_rows = {
      {"fd_advise", {file_fd, 0, 0, 0}, fd_advise, 0, {}},
      {"fd_allocate", {file_fd, 0, 1}, fd_allocate, 0, {}},
      {"fd_datasync", {file_fd}, fd_datasync, 0, {}},
      {"fd_fdstat_set_flags", {file_fd, 0}, fd_fdstat_set_flags, 0, {}},
      {"fd_filestat_get", {file_fd, result}, fd_filestat_get, 0, {1}},
      {"fd_filestat_set_size", {file_fd, 3}, fd_filestat_set_size, 0, {}},
      {"fd_filestat_set_times", {file_fd, 0, 0, 0}, fd_filestat_set_times, 0, {}},
      {"fd_pread", {file_fd, vectors, 1, 0, result}, fd_read | fd_seek, 0, {1, 4}},
      {"fd_pwrite", {file_fd, vectors, 1, 0, result}, fd_write | fd_seek, 0, {1, 4}},
      {"fd_read", {file_fd, vectors, 1, result}, fd_read, 0, {1, 3}},
      {"fd_readdir", {directory_fd, buffer, 100, 0, result}, 0, fd_readdir, {1, 4}},
      {"fd_seek", {file_fd, 1, 0, result}, fd_seek, 0, {3}},
      {"fd_sync", {file_fd}, fd_sync, 0, {}},
      {"fd_write", {file_fd, vectors, 1, result}, fd_write, 0, {1, 3}},
      {"path_create_directory", {directory_fd, name_b, 1}, 0, path_create_directory, {}},
      {"path_filestat_get", {directory_fd, 0, name_a, 1, result}, 0, path_filestat_get, {4}},
      {"path_filestat_set_times", {directory_fd, 0, name_a, 1, 0, 0, 0}, 0, path_filestat_set_times, {}},
      {"path_link", {directory_fd, 0, name_a, 1, directory_fd, name_b, 1}, 0, path_link_source | path_link_target, {}},
      {"path_open", {directory_fd, 0, name_a, 1, 0, 0, 0, 0, result}, 0, path_open, {8}},
      {"path_open",
       {directory_fd, 0, name_a, 1, open_flags::creat, 0, 0, 0, result},
       0,
       path_open | path_create_file,
       {8}},
      {"path_open",
       {directory_fd, 0, name_a, 1, open_flags::trunc, 0, 0, 0, result},
       0,
       path_open | path_filestat_set_size,
       {8}},
      {"path_readlink", {directory_fd, name_a + 10, 1, buffer, 10, result}, 0, path_readlink, {3, 5}},
      {"path_remove_directory", {directory_fd, name_a + 20, 1}, 0, path_remove_directory, {}},
      {"path_rename",
       {directory_fd, name_a, 1, directory_fd, name_b, 1},
       0,
       path_rename_source | path_rename_target,
       {}},
      {"path_symlink", {name_a, 1, directory_fd, name_b, 1}, 0, path_symlink, {}},
      {"path_unlink_file", {directory_fd, name_a, 1}, 0, path_unlink_file, {}},
  };
  return all_rows;
}

class RightsTest : public testing::TestWithParam<Row> {
 protected:
  /// A guest with a directory that has a file "a", a link "l" and a directory "d"; both open with all rights.
  void start(bool is_read_only) {
    host_ = std::make_unique<TestDirectory>();
    host_->write("a", "text");
    host_->link("a", "l");
    host_->make_directory("d");
    WasiConfig config;
    config.preopens = {{host_->path(), "/", is_read_only}};
    guest_ = std::make_unique<TestGuest>(std::move(config));
    guest_->put_text(name_a, "a");
    guest_->put_text(name_a + 10, "l");
    guest_->put_text(name_a + 20, "d");
    guest_->put_text(name_b, "b");
    guest_->put(vectors, IoVector{buffer, 4});
    if (is_read_only) {
      ASSERT_EQ(guest_->open(root, "a", 0, rights::all & ~rights::fd_write, 0, &file_), Errno::Success);
    } else {
      file_ = guest_->open(root, "a");
    }
    directory_ = guest_->open(root, ".", open_flags::directory);
  }

  Errno run(std::vector<std::uint64_t> arguments) {
    for (std::uint64_t& argument : arguments)
      argument = argument == file_fd ? file_ : argument == directory_fd ? directory_ : argument;
    return guest_->call_with(GetParam().function, arguments);
  }
  Errno run_with(Rights on_file, Rights on_directory) {
    start(false);
    EXPECT_EQ(guest_->call("fd_fdstat_get", file_, 8), Errno::Success);
    const Rights file_has = guest_->load<FdStat>(8).base;
    EXPECT_EQ(guest_->call("fd_fdstat_get", directory_, 8), Errno::Success);
    const Rights directory_has = guest_->load<FdStat>(8).base;
    EXPECT_EQ(guest_->call("fd_fdstat_set_rights", file_, file_has & on_file, 0), Errno::Success);
    EXPECT_EQ(
        guest_->call("fd_fdstat_set_rights", directory_, directory_has & on_directory, rights::all & ~(3ull << 28)),
        Errno::Success);
    return run(GetParam().arguments);
  }

  std::unique_ptr<TestDirectory> host_;
  std::unique_ptr<TestGuest> guest_;
  Fd file_ = 0, directory_ = 0;
};

TEST_P(RightsTest, WorksWithExactlyItsRights) {
  EXPECT_EQ(run_with(rights::all, rights::all), Errno::Success);
  EXPECT_EQ(run_with(GetParam().on_file, GetParam().on_directory), Errno::Success);
}

TEST_P(RightsTest, IsRefusedWithoutAnyOfThem) {
  for (Rights right = 1; right <= rights::all; right <<= 1) {
    if ((GetParam().on_file & right) != 0) {
      EXPECT_EQ(run_with(rights::all & ~right, rights::all), Errno::Notcapable) << right;
    }
    if ((GetParam().on_directory & right) != 0) {
      EXPECT_EQ(run_with(rights::all, rights::all & ~right), Errno::Notcapable) << right;
    }
  }
}

TEST_P(RightsTest, ChangesNothingReadOnly) {
  start(true);
  const bool changes = ((GetParam().on_file | GetParam().on_directory) & rights::changing) != 0;
  EXPECT_EQ(run(GetParam().arguments), changes ? Errno::Rofs : Errno::Success);
  EXPECT_EQ(host_->read("a"), "text");
  EXPECT_TRUE(host_->exists("d"));
  EXPECT_TRUE(host_->exists("l"));
  EXPECT_FALSE(host_->exists("b"));
}

TEST_P(RightsTest, FaultsOnPointersOutOfMemory) {
  for (const std::size_t index : GetParam().pointers) {
    for (const std::uint64_t bad :
         {TestGuest::memory_bytes - 1u, TestGuest::memory_bytes + 0u, 0xffff'fffeu, 0xffff'ffffu}) {
      start(false);
      std::vector<std::uint64_t> arguments = GetParam().arguments;
      arguments[index] = bad;
      EXPECT_EQ(run(arguments), Errno::Fault) << index << ' ' << bad;
      EXPECT_FALSE(guest_->trap());
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, RightsTest, testing::ValuesIn(rows()), [](const auto& test) {
  return std::string(test.param.function) + "_" + std::to_string(test.index);
});

class ReadOnlyTest : public testing::Test {
 protected:
  void SetUp() override {
    host_.make_directory("ro/sub");
    host_.make_directory("rw");
    host_.write("ro/file", "text");
    host_.write("rw/file", "writable");
    WasiConfig config;
    config.preopens = {{host_ / "ro", "/ro", true}, {host_ / "rw", "/rw", false}};
    guest_ = std::make_unique<TestGuest>(std::move(config));
    guest_->put_text(name_a, "file");
    guest_->put_text(name_b, "new");
  }

  TestDirectory host_;
  std::unique_ptr<TestGuest> guest_;
  static constexpr Fd ro = 3, rw = 4;
};

TEST_F(ReadOnlyTest, OpensToReadOnly) {
  Fd fd;
  EXPECT_EQ(guest_->open(ro, "file", 0, rights::fd_read, 0, &fd), Errno::Success);
  EXPECT_EQ(guest_->read(fd), "text");
  EXPECT_EQ(guest_->write(fd, "x"), Errno::Rofs);
  for (const OpenFlags flags : {open_flags::creat, open_flags::trunc, open_flags::creat | open_flags::excl})
    EXPECT_EQ(guest_->open(ro, "file", flags, rights::fd_read, 0, &fd), Errno::Rofs) << flags;
  EXPECT_EQ(guest_->open(ro, "file", 0, rights::fd_write, 0, &fd), Errno::Rofs);
  EXPECT_EQ(guest_->open(ro, "file", 0, rights::fd_read | rights::fd_write, 0, &fd, fd_flags::append), Errno::Rofs);
  // What a library asks for beside reading is left out.
  EXPECT_EQ(guest_->open(ro, "file", 0, rights::all & ~rights::fd_write, rights::all, &fd), Errno::Success);
  EXPECT_EQ(guest_->call("fd_filestat_set_size", fd, 0), Errno::Rofs);
  EXPECT_EQ(guest_->call("fd_allocate", fd, 0, 100), Errno::Rofs);
  EXPECT_EQ(host_.read("ro/file"), "text");
}

TEST_F(ReadOnlyTest, IsInherited) {
  const Fd sub = guest_->open(ro, "sub", open_flags::directory);
  Fd fd;
  EXPECT_EQ(guest_->open(sub, "new", open_flags::creat, rights::fd_read, 0, &fd), Errno::Rofs);
  EXPECT_EQ(guest_->call_path("path_create_directory", sub, "new"), Errno::Rofs);
  EXPECT_FALSE(host_.exists("ro/sub/new"));
}

TEST_F(ReadOnlyTest, NothingCrossesBetweenMounts) {
  EXPECT_EQ(guest_->call("path_link", ro, 0, name_a, 4, rw, name_b, 3), Errno::Rofs);
  EXPECT_EQ(guest_->call("path_link", rw, 0, name_a, 4, ro, name_b, 3), Errno::Rofs);
  EXPECT_EQ(guest_->call("path_rename", ro, name_a, 4, rw, name_b, 3), Errno::Rofs);
  EXPECT_EQ(guest_->call("path_rename", rw, name_a, 4, ro, name_b, 3), Errno::Rofs);
  EXPECT_EQ(guest_->call("path_rename", ro, name_a, 4, rw, name_a, 4), Errno::Rofs);
  EXPECT_FALSE(host_.exists("rw/new"));
  EXPECT_FALSE(host_.exists("ro/new"));
  EXPECT_EQ(host_.read("rw/file"), "writable");
}

TEST_F(ReadOnlyTest, RightsCannotBeWonBack) {
  EXPECT_EQ(guest_->call("fd_fdstat_set_rights", ro, rights::of_directory, rights::all), Errno::Notcapable);
  const Fd again = guest_->open(ro, ".", open_flags::directory);
  EXPECT_EQ(guest_->call("fd_fdstat_get", again, 8), Errno::Success);
  EXPECT_EQ((guest_->load<FdStat>(8).base | guest_->load<FdStat>(8).inheriting) & rights::changing, 0u);
  EXPECT_EQ(guest_->call("fd_renumber", ro, rw), Errno::Success);
  EXPECT_EQ(guest_->call_path("path_create_directory", rw, "new"), Errno::Rofs);
}

}  // namespace
}  // namespace tfvm::wasi
