// The descriptor table: numbers, limits, renumbering, and why a right is refused.
#include "wasi/fd_table.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>

#include "wasi/test_guest.hpp"

namespace tfvm::wasi {
namespace {

Descriptor descriptor_of(FileType type, Rights base = rights::all) {
  Descriptor descriptor;
  descriptor.host = HostFile::own(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  descriptor.type = type;
  descriptor.base = base & rights_of_type(type);
  return descriptor;
}

TEST(FdTableTest, GivesTheLowestClosedNumberFirst) {
  FdTable table(10);
  for (Fd expected = 0; expected < 5; ++expected)
    EXPECT_EQ(table.add(descriptor_of(FileType::RegularFile)).value, expected);
  EXPECT_EQ(table.close(3), Errno::Success);
  EXPECT_EQ(table.close(1), Errno::Success);
  EXPECT_EQ(table.close(1), Errno::Badf);
  EXPECT_EQ(table.add(descriptor_of(FileType::RegularFile)).value, 1u);
  EXPECT_EQ(table.add(descriptor_of(FileType::RegularFile)).value, 3u);
  EXPECT_EQ(table.add(descriptor_of(FileType::RegularFile)).value, 5u);
}

TEST(FdTableTest, KeepsTheNumbersOfAbsentStreams) {
  FdTable table(10);
  table.append(std::nullopt);
  table.append(descriptor_of(FileType::Directory));
  EXPECT_EQ(table.find(0), nullptr);
  EXPECT_EQ(table.close(0), Errno::Badf);
  EXPECT_EQ(table.add(descriptor_of(FileType::RegularFile)).value, 2u);
}

TEST(FdTableTest, RefusesMoreThanItsLimit) {
  FdTable table(2);
  EXPECT_TRUE(table.add(descriptor_of(FileType::RegularFile)).ok());
  EXPECT_TRUE(table.add(descriptor_of(FileType::RegularFile)).ok());
  EXPECT_TRUE(table.is_full());
  EXPECT_EQ(table.add(descriptor_of(FileType::RegularFile)).error, Errno::Mfile);
  EXPECT_EQ(table.close(0), Errno::Success);
  EXPECT_EQ(table.add(descriptor_of(FileType::RegularFile)).value, 0u);
}

TEST(FdTableTest, RenumbersOnlyOpenDescriptors) {
  FdTable table(10);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(table.add(descriptor_of(FileType::RegularFile)).ok());
  const int moved = table.find(0)->host.number(), closed = table.find(2)->host.number();
  EXPECT_EQ(table.renumber(0, 2), Errno::Success);
  EXPECT_EQ(table.find(0), nullptr);
  EXPECT_EQ(table.find(2)->host.number(), moved);
  EXPECT_EQ(::fcntl(closed, F_GETFD), -1);
  EXPECT_EQ(table.renumber(2, 2), Errno::Success);
  for (const Fd bad : {Fd{0}, Fd{3}, Fd{UINT32_MAX}}) {
    EXPECT_EQ(table.renumber(bad, 1), Errno::Badf);
    EXPECT_EQ(table.renumber(1, bad), Errno::Badf);
    EXPECT_EQ(table.renumber(bad, bad), Errno::Badf);
  }
  EXPECT_EQ(table.add(descriptor_of(FileType::RegularFile)).value, 0u);
}

TEST(FdTableTest, DoesNotLoseDescriptorsByRenumbering) {
  FdTable table(3);
  EXPECT_TRUE(table.add(descriptor_of(FileType::RegularFile)).ok());
  for (int i = 0; i < 1000; ++i) {
    const auto added = table.add(descriptor_of(FileType::RegularFile));
    ASSERT_TRUE(added.ok());
    ASSERT_EQ(table.renumber(added.value, 0), Errno::Success);
  }
  EXPECT_EQ(table.add(descriptor_of(FileType::RegularFile)).value, 1u);
}

TEST(FdTableTest, SaysWhyARightIsMissing) {
  FdTable table(10);
  const Fd file = table.add(descriptor_of(FileType::RegularFile, rights::all & ~rights::fd_write)).value;
  const Fd directory = table.add(descriptor_of(FileType::Directory)).value;
  const Fd stream = table.add(descriptor_of(FileType::Unknown)).value;
  const auto error = [&](Fd fd, Rights needed) { return table.require(fd, needed).error; };
  EXPECT_EQ(error(file, rights::fd_read | rights::fd_seek), Errno::Success);
  EXPECT_EQ(error(file, rights::fd_read | rights::fd_write), Errno::Notcapable);
  EXPECT_EQ(error(file, rights::path_open), Errno::Notdir);
  EXPECT_EQ(error(file, rights::fd_readdir), Errno::Notdir);
  EXPECT_EQ(error(file, rights::sock_shutdown), Errno::Notsock);
  EXPECT_EQ(error(directory, rights::fd_read), Errno::Isdir);
  EXPECT_EQ(error(directory, rights::fd_seek), Errno::Isdir);
  EXPECT_EQ(error(directory, rights::path_open), Errno::Success);
  EXPECT_EQ(error(stream, rights::fd_tell), Errno::Spipe);
  EXPECT_EQ(error(stream, rights::fd_read | rights::fd_seek), Errno::Spipe);
  EXPECT_EQ(error(7, 0), Errno::Badf);
  table.find(file)->is_read_only = true;
  EXPECT_EQ(error(file, rights::fd_write), Errno::Rofs);
}

TEST(FdTableTest, AMillionRenumberingsLeaveNothingBehind) {
  FdTable table(10);
  const Fd first = table.add(descriptor_of(FileType::RegularFile)).value;
  for (int i = 0; i < 1'000'000; ++i) {
    const Fd other = table.add(descriptor_of(FileType::RegularFile)).value;
    if (table.renumber(other, first) != Errno::Success) FAIL() << i;
  }
  EXPECT_EQ(table.add(descriptor_of(FileType::RegularFile)).value, first + 1);
  EXPECT_FALSE(table.is_full());
}

}  // namespace
}  // namespace tfvm::wasi
