// Wasi as a whole: what it defines for a module, preopens that fail, fuel, and the older wasi_unstable.
#include "wasi/wasi.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>

#include "wasi/test_directory.hpp"
#include "wasi/test_guest.hpp"

namespace tfvm::wasi {
namespace {

TEST(WasiTest, KnowsItsFunctions) {
  EXPECT_TRUE(Wasi::provides("wasi_snapshot_preview1", "args_get"));
  EXPECT_TRUE(Wasi::provides("wasi_snapshot_preview1", "sock_shutdown"));
  EXPECT_TRUE(Wasi::provides("wasi_unstable", "fd_seek"));
  EXPECT_FALSE(Wasi::provides("wasi_unstable", "sock_accept"));
  EXPECT_FALSE(Wasi::provides("wasi_snapshot_preview1", "fd_"));
  EXPECT_FALSE(Wasi::provides("wasi_snapshot_preview1", ""));
  EXPECT_FALSE(Wasi::provides("wasi_snapshot_preview2", "args_get"));
}

TEST(WasiTest, NamesThePreopenThatCannotBeOpened) {
  TestDirectory directory;
  directory.write("file", "");
  WasiConfig config;
  config.preopens = {{directory.path(), "/", false}, {directory / "file", "/file", false}};
  const auto result = Wasi::create(std::move(config));
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().kind, ErrorKind::Host);
  EXPECT_EQ(result.error().message, "cannot open directory '" + (directory / "file") + "': Not a directory");
}

TEST(WasiTest, StreamsThatAreNotOpenStayClosed) {
  TestDirectory directory;
  WasiConfig config;
  config.stdin_fd = -1;
  config.stderr_fd = 1'000'000;
  config.preopens = {{directory.path(), "/", false}};
  TestGuest guest(std::move(config));
  EXPECT_EQ(guest.call("fd_fdstat_get", 0, 0), Errno::Badf);
  EXPECT_EQ(guest.call("fd_fdstat_get", 1, 0), Errno::Success);
  EXPECT_EQ(guest.call("fd_fdstat_get", 2, 0), Errno::Badf);
  EXPECT_EQ(guest.call("fd_prestat_get", 3, 0), Errno::Success);
  EXPECT_EQ(guest.open(3, "file", open_flags::creat), 4u);
}

TEST(WasiTest, StandardStreamsGoOneWay) {
  TestDirectory directory;
  directory.write("input", "text");
  HostFile file = HostFile::own(::open((directory / "input").c_str(), O_RDWR | O_CLOEXEC));
  WasiConfig config;
  config.stdin_fd = config.stdout_fd = file.number();
  TestGuest guest(std::move(config));
  EXPECT_EQ(guest.write(0, "x"), Errno::Notcapable);
  EXPECT_EQ(guest.read(1), "errno " + std::to_string(static_cast<int>(Errno::Notcapable)));
  EXPECT_EQ(guest.call("fd_filestat_set_size", 1, 0), Errno::Notcapable);
  EXPECT_EQ(guest.call("fd_fdstat_set_flags", 1, fd_flags::append), Errno::Notsup);
  EXPECT_EQ(guest.read(0), "text");
  EXPECT_EQ(guest.call("fd_seek", 0, 0, 0, 0), Errno::Success);
  EXPECT_EQ(directory.read("input"), "text");
}

class FuelTest : public testing::Test {
 protected:
  static constexpr std::uint64_t plenty = 1'000'000;

  void SetUp() override {
    for (int i = 0; i < 500; ++i) directory_.write("file-" + std::to_string(i), "");
    directory_.write("big", std::string(60'000, 'x'));
    WasiConfig config;
    config.arguments = {std::string(30'000, 'a')};
    config.preopens = {{directory_.path(), "/", false}};
    StoreLimits limits;
    limits.fuel = plenty;
    guest_ = std::make_unique<TestGuest>(std::move(config), limits);
  }

  template <class... Args>
  std::uint64_t cost(std::string_view name, Args... arguments) {
    guest_->store().set_fuel(plenty);
    EXPECT_EQ(guest_->call(name, arguments...), Errno::Success) << name;
    return plenty - *guest_->store().fuel();
  }

  TestDirectory directory_;
  std::unique_ptr<TestGuest> guest_;
};

TEST_F(FuelTest, WorkOfTheHostIsPaid) {
  const std::uint64_t little = cost("random_get", 0, 16);
  EXPECT_GE(cost("random_get", 0, 60'000), little + 3000);
  EXPECT_GE(cost("args_get", 0, 100), 30'000u / 16);
  const Fd big = guest_->open(3, "big");
  guest_->put(8, IoVector{100, 60'000});
  EXPECT_GE(cost("fd_read", big, 8, 1, 0), 60'000u / 16);
  EXPECT_GE(cost("fd_write", big, 8, 1, 0), 60'000u / 16);
  EXPECT_GE(cost("fd_readdir", 3, 100, 60'000, 0, 0), 500u * 24 / 16);
  for (std::uint32_t i = 0; i < 1000; ++i) guest_->put(i * 8 + 8, IoVector{0, 0});
  EXPECT_GE(cost("fd_write", big, 8, 1000, 0), 500u);
  for (std::uint32_t i = 0; i < 1000; ++i) {
    Subscription subscription;
    subscription.clock.id = 1;
    guest_->put(i * 48, subscription);
  }
  EXPECT_GE(cost("poll_oneoff", 0, 0, 1000, 60'000), 1000u);
}

TEST_F(FuelTest, WithoutFuelTheGuestEnds) {
  guest_->store().set_fuel(100);
  guest_->call("random_get", 0, 60'000);
  ASSERT_TRUE(guest_->trap());
  EXPECT_EQ(guest_->trap()->kind, TrapKind::OutOfFuel);
}

TEST(UnstableTest, SeeksByItsOwnNumbers) {
  TestDirectory directory;
  directory.write("file", "0123456789");
  WasiConfig config;
  config.preopens = {{directory.path(), "/", false}};
  TestGuest guest(std::move(config), {}, "wasi_unstable");
  const Fd file = guest.open(3, "file");
  EXPECT_EQ(guest.call("fd_seek", file, 4, 2, 0), Errno::Success);  // SET
  EXPECT_EQ(guest.load<FileSize>(0), 4u);
  EXPECT_EQ(guest.call("fd_seek", file, 1, 0, 0), Errno::Success);  // CUR
  EXPECT_EQ(guest.load<FileSize>(0), 5u);
  EXPECT_EQ(guest.call("fd_seek", file, -1, 1, 0), Errno::Success);  // END
  EXPECT_EQ(guest.load<FileSize>(0), 9u);
  EXPECT_EQ(guest.call("fd_seek", file, 0, 3, 0), Errno::Inval);
}

TEST(UnstableTest, HasItsOwnStructures) {
  TestDirectory directory;
  directory.write("file", "0123456789");
  WasiConfig config;
  config.preopens = {{directory.path(), "/", false}};
  TestGuest guest(std::move(config), {}, "wasi_unstable");
  guest.fill(0xee);
  guest.put_text(500, "file");
  EXPECT_EQ(guest.call("path_filestat_get", 3, 0, 500, 4, 100), Errno::Success);
  EXPECT_EQ(guest.load<unstable::FileStat>(100).links, 1u);
  EXPECT_EQ(guest.load<unstable::FileStat>(100).size, 10u);
  EXPECT_EQ(guest.load<std::uint8_t>(156), 0xee);
  const Fd file = guest.open(3, "file");
  EXPECT_EQ(guest.call("fd_filestat_get", file, 200), Errno::Success);
  EXPECT_EQ(guest.text(100, 56), guest.text(200, 56));
  unstable::Subscription clock;
  clock.user_data = 5;
  clock.clock.id = 1;
  unstable::Subscription read;
  read.user_data = 6;
  read.type = EventType::FdRead;
  read.clock_user_data = 0xffff'ffff'0000'0000 | file;
  guest.put(1000, clock);
  guest.put(1056, read);
  EXPECT_EQ(guest.call("poll_oneoff", 1000, 2000, 2, 500), Errno::Success);
  EXPECT_EQ(guest.load<Size>(500), 2u);
  EXPECT_EQ(guest.load<Event>(2000).user_data, 5u);
  EXPECT_EQ(guest.load<Event>(2032).user_data, 6u);
  EXPECT_EQ(guest.load<Event>(2032).bytes, 10u);
}

}  // namespace
}  // namespace tfvm::wasi
