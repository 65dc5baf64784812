// Work of the host that guests cause: each kind is paid with fuel and has a bound, whatever the guest asks for.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include "wasi/test_directory.hpp"
#include "wasi/test_guest.hpp"

namespace tfvm::wasi {
namespace {

constexpr Fd root = 3;
constexpr std::uint64_t plenty = 1'000'000;
constexpr std::uint32_t result = 0, vectors = 8, name = 40'000, buffer = 1000;

class HostWorkTest : public testing::Test {
 protected:
  void start(WasiConfig config = {}) {
    config.preopens = {{directory_.path(), "/", false}};
    StoreLimits limits;
    limits.fuel = plenty;
    guest_ = std::make_unique<TestGuest>(std::move(config), limits);
  }

  /// The fuel that a call takes, whatever its errno.
  template <class... Args>
  std::uint64_t cost(std::string_view function, Args... arguments) {
    guest_->store().set_fuel(plenty);
    guest_->call(function, arguments...);
    EXPECT_FALSE(guest_->trap()) << function;
    return plenty - *guest_->store().fuel();
  }

  TestDirectory directory_;
  std::unique_ptr<TestGuest> guest_;
};

TEST_F(HostWorkTest, PathsCostWhatTheyAreLong) {
  start();
  guest_->put_text(name, std::string(4000, '/').replace(0, 1, "x"));
  for (const auto& [function, arguments] : std::vector<std::pair<std::string_view, std::vector<std::uint64_t>>>{
           {"path_create_directory", {root, name, 0}},
           {"path_filestat_get", {root, 0, name, 0, result}},
           {"path_open", {root, 0, name, 0, 0, 0, 0, 0, result}},
           {"path_readlink", {root, name, 0, buffer, 10, result}},
           {"path_remove_directory", {root, name, 0}},
           {"path_unlink_file", {root, name, 0}},
           {"path_filestat_set_times", {root, 0, name, 0, 0, 0, 0}},
           {"path_symlink", {name, 0, root, name, 0}},
           {"path_rename", {root, name, 0, root, name, 0}},
           {"path_link", {root, 0, name, 0, root, name, 0}}}) {
    const auto with_length = [&, &each = arguments](std::uint64_t length) {
      std::vector<std::uint64_t> changed = each;
      for (std::size_t i = 0; i + 1 < changed.size(); ++i)
        if (changed[i] == name) changed[i + 1] = length;
      guest_->store().set_fuel(plenty);
      guest_->call_with(function, changed);
      return plenty - *guest_->store().fuel();
    };
    EXPECT_GE(with_length(4000), with_length(1) + 3900) << function;
  }
}

TEST_F(HostWorkTest, BytesCostWhereverTheyGo) {
  int ends[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
  const HostFile peer = HostFile::own(ends[0]), input = HostFile::own(ends[1]);
  WasiConfig config;
  config.stdin_fd = config.stdout_fd = input.number();
  config.environment = {std::string(20'000, 'e')};
  start(std::move(config));
  const Fd file = guest_->open(root, "file", open_flags::creat);
  guest_->put(vectors, IoVector{buffer, 16'000});
  constexpr std::uint64_t expected = 16'000 / 16;
  EXPECT_GE(cost("fd_pwrite", file, vectors, 1, 0, result), expected);
  EXPECT_GE(cost("fd_pread", file, vectors, 1, 0, result), expected);
  EXPECT_GE(cost("sock_send", 1, vectors, 1, 0, result), expected / 2);  // if the socket takes no more at once
  const std::string text(16'000, 'x');
  ASSERT_EQ(::write(peer.number(), text.data(), text.size()), 16'000);
  EXPECT_GE(cost("sock_recv", 0, vectors, 1, 0, result, 4), expected);
  EXPECT_GE(cost("environ_get", result, buffer), 20'000u / 16);
}

// GHSA-j366: what a poll looks at is paid.
TEST_F(HostWorkTest, SubscriptionsAndBuffersCostEach) {
  start();
  for (std::uint32_t i = 0; i < 1000; ++i) guest_->put(i * 48, Subscription{.clock = {.id = 1}});
  EXPECT_GE(cost("poll_oneoff", 0, 0, 1000, 60'000), cost("poll_oneoff", 0, 0, 1, 60'000) + 999);
  const Fd file = guest_->open(root, "file", open_flags::creat);
  for (std::uint32_t i = 0; i < 5000; ++i) guest_->put(vectors + i * 8, IoVector{0, 0});
  EXPECT_GE(cost("fd_write", file, vectors, 5000, 60'000), 5000u / 2);
  EXPECT_GE(cost("fd_pread", file, vectors, 5000, 0, 60'000), 5000u / 2);
}

TEST_F(HostWorkTest, OpeningIsBoundedByTheLimit) {
  WasiConfig config;
  config.max_open_fds = 100;
  start(std::move(config));
  Fd opened = 0;
  int failures = 0;
  for (int i = 0; i < 2000; ++i) {
    guest_->store().set_fuel(plenty);
    if (guest_->open(root, "file", open_flags::creat, rights::fd_read, 0, &opened) != Errno::Success) ++failures;
  }
  EXPECT_EQ(failures, 2000 - 96);
  EXPECT_EQ(guest_->open(root, ".", open_flags::directory, rights::fd_readdir, 0, &opened), Errno::Mfile);
  EXPECT_EQ(guest_->call("fd_close", 50), Errno::Success);
  EXPECT_EQ(guest_->open(root, "file", 0, rights::fd_read, 0, &opened), Errno::Success);
  EXPECT_EQ(opened, 50u);
}

TEST_F(HostWorkTest, AllocatingCostsWhatItTakesOfTheDisk) {
  start();
  const Fd file = guest_->open(root, "file", open_flags::creat);
  EXPECT_GE(cost("fd_allocate", file, 0, 64'000), 64'000u / 16);
  guest_->store().set_fuel(1000);
  guest_->call("fd_allocate", file, 0, 1ull << 40);
  ASSERT_TRUE(guest_->trap());
  EXPECT_EQ(guest_->trap()->kind, TrapKind::OutOfFuel);
  EXPECT_EQ(std::filesystem::file_size(directory_ / "file"), 64'000u);
}

TEST_F(HostWorkTest, RandomBytesOfAllMemoryEndWithTheFuel) {
  start();
  guest_->store().set_fuel(1000);
  guest_->call("random_get", 0, TestGuest::memory_bytes);
  ASSERT_TRUE(guest_->trap());
  EXPECT_EQ(guest_->trap()->kind, TrapKind::OutOfFuel);
  EXPECT_FALSE(guest_->trap()->message.starts_with("internal"));
  guest_->store().set_fuel(plenty);
  EXPECT_EQ(guest_->call("random_get", 0, UINT32_MAX), Errno::Fault);
}

class ManyEntriesTest : public HostWorkTest {
 protected:
  static constexpr std::uint32_t entries = 100'000;

  void SetUp() override {
    for (std::uint32_t i = 0; i < entries; ++i) {
      const int file =
          ::openat(directory_file_.number(), std::to_string(i).c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
      ASSERT_GE(file, 0);
      ::close(file);
    }
    start();
  }

  /// Reads all with a buffer of `length` bytes, which holds one whole entry at least. The names seen.
  std::uint64_t read_all(Size length) {
    DirectoryCookie cookie = 0;
    std::uint64_t seen = 0;
    while (true) {
      if (guest_->call("fd_readdir", root, buffer, length, cookie, result) != Errno::Success || guest_->trap()) break;
      const Size filled = guest_->load<Size>(result);
      Size at = 0;
      while (filled - at >= sizeof(DirectoryEntry)) {
        const auto entry = guest_->load<DirectoryEntry>(buffer + at);
        if (filled - at < sizeof(entry) + entry.name_length) break;
        ++seen;
        cookie = entry.next;
        at += static_cast<Size>(sizeof(entry)) + entry.name_length;
      }
      if (filled < length) break;
    }
    return seen;
  }

  HostFile directory_file_ = HostFile::own(::open(directory_.path().c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
};

// What the host reads is paid by the byte: an entry is 24 to 40 of them, and a buffer of one entry asks twice for each.
TEST_F(ManyEntriesTest, AreReadInLinearTimeWithAnyBuffer) {
  for (const Size length : {32u, 60u, 1000u, 50'000u}) {
    guest_->store().set_fuel(100'000'000);
    EXPECT_EQ(read_all(length), entries + 2) << length;
    const std::uint64_t used = 100'000'000 - *guest_->store().fuel();
    EXPECT_LT(used, entries * 60ull) << length;
  }
}

}  // namespace
}  // namespace tfvm::wasi
