// Every pointer and length of every function, taken from the tables: at the end of memory, behind it, wrapping around
// 32 bits, at every alignment. And every right that a socket's function needs.
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "wasi/parameters.hpp"
#include "wasi/test_directory.hpp"
#include "wasi/test_guest.hpp"

namespace tfvm::wasi {
namespace {

constexpr std::uint32_t end = TestGuest::memory_bytes;

struct Row {
  std::string_view name;
  Parameters parameters;
};
constexpr Row rows[] = {
#define WASI_FUNCTION(name, result, ...) {#name, parse_parameters(#__VA_ARGS__)},
#include "wasi/functions.def"
#undef WASI_FUNCTION
};

bool is_pointer(ParameterKind kind) {
  switch (kind) {
    case ParameterKind::Pointer:
    case ParameterKind::PathAt:
    case ParameterKind::LinkTextAt:
    case ParameterKind::CiovecsAt:
    case ParameterKind::IovecsAt:
    case ParameterKind::SubscriptionsAt:
    case ParameterKind::SizeResult:
    case ParameterKind::FdResult:
    case ParameterKind::FileSizeResult:
    case ParameterKind::TimestampResult:
    case ParameterKind::FdStatResult:
    case ParameterKind::FileStatResult:
    case ParameterKind::PrestatResult:
    case ParameterKind::ReceiveFlagsResult: return true;
    default: return false;
  }
}
bool is_length(ParameterKind kind) {
  return kind == ParameterKind::Size || kind == ParameterKind::PathLength || kind == ParameterKind::LinkTextLength ||
         kind == ParameterKind::VectorCount;
}

class PointersTest : public testing::Test {
 protected:
  void SetUp() override { start(); }
  void start() {
    int ends[2];
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    peer_ = HostFile::own(ends[0]);
    socket_ = HostFile::own(ends[1]);
    directory_.write("file", "0123456789");
    WasiConfig config;
    config.arguments = {"program", "argument"};
    config.environment = {"A=b"};
    config.stdin_fd = config.stdout_fd = socket_.number();
    config.preopens = {{directory_.path(), "/", false}};
    guest_ = std::make_unique<TestGuest>(std::move(config));
    file_ = guest_->open(3, "file");
    guest_->put_text(1000, "file");
  }
  /// Arguments that are all right for most functions: the directory, names, buffers.
  std::vector<std::uint64_t> arguments_of(const Row& row) const {
    std::vector<std::uint64_t> arguments;
    std::uint32_t next = 2000;
    for (std::size_t i = 0; i < row.parameters.count; ++i) {
      const ParameterKind kind = row.parameters.kinds[i];
      const bool is_of_file =
          row.name.starts_with("fd_") && row.name != "fd_readdir" && row.name.find("prestat") == row.name.npos;
      if (kind == ParameterKind::Fd) arguments.push_back(is_of_file ? file_ : 3);
      else if (kind == ParameterKind::PathAt || kind == ParameterKind::LinkTextAt) arguments.push_back(1000);
      else if (is_pointer(kind)) arguments.push_back(next += 1000);
      else if (is_length(kind)) arguments.push_back(kind == ParameterKind::VectorCount ? 1 : 4);
      else arguments.push_back(0);
    }
    if (row.name == "poll_oneoff") arguments[2] = 1;
    return arguments;
  }

  TestDirectory directory_;
  HostFile peer_, socket_;
  std::unique_ptr<TestGuest> guest_;
  Fd file_ = 0;
};

TEST_F(PointersTest, OutOfMemoryAreFaultsAndNothingElseHappens) {
  for (const Row& row : rows) {
    for (std::size_t i = 0; i < row.parameters.count; ++i) {
      if (!is_pointer(row.parameters.kinds[i])) continue;
      for (const std::uint32_t bad : {end, end + 1, 0x7fff'ffffu, 0x8000'0000u, 0xffff'fff0u, 0xffff'ffffu}) {
        start();
        std::vector<std::uint64_t> arguments = arguments_of(row);
        arguments[i] = bad;
        const Errno error = guest_->call_with(row.name, arguments);
        EXPECT_NE(error, Errno::Success) << row.name << ' ' << i << ' ' << bad;
        EXPECT_FALSE(guest_->trap()) << row.name;
        EXPECT_EQ(directory_.read("file"), "0123456789") << row.name;
      }
    }
  }
}

TEST_F(PointersTest, LengthsThatWrapAroundAreFaults) {
  for (const Row& row : rows) {
    for (std::size_t i = 0; i < row.parameters.count; ++i) {
      if (!is_length(row.parameters.kinds[i])) continue;
      for (const std::uint64_t address : {2u, 1000u, end - 1}) {
        for (const std::uint64_t length : {0xffff'ffffull, 0xffff'fffeull, 0x8000'0000ull, 0x2000'0001ull}) {
          start();
          std::vector<std::uint64_t> arguments = arguments_of(row);
          // The length's pointer stands in front of it, but for poll_oneoff.
          const std::size_t pointer = row.name == "poll_oneoff" ? 0 : i - 1;
          arguments[pointer] = address;
          arguments[i] = length;
          const Errno error = guest_->call_with(row.name, arguments);
          EXPECT_NE(error, Errno::Success) << row.name << ' ' << i << ' ' << length;
          EXPECT_FALSE(guest_->trap()) << row.name;
        }
      }
    }
  }
  EXPECT_EQ(directory_.read("file"), "0123456789");
}

TEST_F(PointersTest, EveryAlignmentGivesTheSame) {
  for (std::uint32_t shift = 0; shift < 9; ++shift) {
    guest_->fill(0);
    guest_->put_text(1000 + shift, "file");
    EXPECT_EQ(guest_->call("path_filestat_get", 3, 0, 1000 + shift, 4, 2000 + shift), Errno::Success);
    EXPECT_EQ(guest_->load<FileStat>(2000 + shift).size, 10u);
    EXPECT_EQ(guest_->call("fd_fdstat_get", file_, 3000 + shift), Errno::Success);
    EXPECT_EQ(guest_->load<FdStat>(3000 + shift).file_type, FileType::RegularFile);
    guest_->put(4000 + shift, IoVector{5000 + shift, 3});
    EXPECT_EQ(guest_->call("fd_pread", file_, 4000 + shift, 1, 2, 4100 + shift), Errno::Success);
    EXPECT_EQ(guest_->text(5000 + shift, 3), "234");
    EXPECT_EQ(guest_->load<Size>(4100 + shift), 3u);
    Subscription subscription;
    subscription.user_data = 77;
    subscription.type = EventType::FdRead;
    subscription.clock.id = file_;
    guest_->put(6000 + shift, subscription);
    EXPECT_EQ(guest_->call("poll_oneoff", 6000 + shift, 7000 + shift, 1, 8000 + shift), Errno::Success);
    EXPECT_EQ(guest_->load<Event>(7000 + shift).user_data, 77u);
    EXPECT_EQ(guest_->call("args_get", 9000 + shift, 9100 + shift), Errno::Success);
    EXPECT_EQ(guest_->load<Pointer>(9000 + shift), 9100 + shift);
    EXPECT_EQ(guest_->call("clock_time_get", 1, 0, 9200 + shift), Errno::Success);
    EXPECT_NE(guest_->load<Timestamp>(9200 + shift), 0u);
    EXPECT_EQ(guest_->call("fd_readdir", 3, 10'000 + shift, 200, 0, 11'000 + shift), Errno::Success);
    EXPECT_GT(guest_->load<Size>(11'000 + shift), 24u);
  }
}

TEST_F(PointersTest, VectorsAndTheirBuffersMayOverlapWithResults) {
  guest_->put(100, IoVector{100, 8});
  EXPECT_EQ(guest_->call("fd_read", file_, 100, 1, 104), Errno::Success);
  EXPECT_EQ(guest_->load<Size>(104), 8u);  // the result is stored last
  guest_->put(200, IoVector{200, 8});
  EXPECT_EQ(guest_->call("fd_pwrite", file_, 200, 1, 0, 200), Errno::Success);
  EXPECT_EQ(guest_->load<Size>(200), 8u);
}

// As WAMR 4849, where a call looked at another right than its own.
TEST_F(PointersTest, EachSocketFunctionNeedsItsRight) {
  struct Need {
    std::string_view function;
    std::vector<std::uint64_t> arguments;
    Rights right;
  };
  guest_->put(2000, IoVector{3000, 1});
  ASSERT_EQ(::send(peer_.number(), "abc", 3, MSG_NOSIGNAL), 3);
  for (const Need& need : {Need{"sock_recv", {0, 2000, 1, 0, 2100, 2200}, rights::fd_read},
                           Need{"sock_send", {1, 2000, 1, 0, 2100}, rights::fd_write},
                           Need{"sock_shutdown", {1, shutdown_send}, rights::sock_shutdown}}) {
    start();
    guest_->put(2000, IoVector{3000, 1});
    ASSERT_EQ(::send(peer_.number(), "abc", 3, MSG_NOSIGNAL), 3);
    const auto fd = static_cast<Fd>(need.arguments[0]);
    ASSERT_EQ(guest_->call("fd_fdstat_get", fd, 100), Errno::Success);
    const Rights all = guest_->load<FdStat>(100).base;
    ASSERT_NE(all & need.right, 0u);
    EXPECT_EQ(guest_->call("fd_fdstat_set_rights", fd, need.right, 0), Errno::Success);
    EXPECT_EQ(guest_->call_with(need.function, need.arguments), Errno::Success) << need.function;
    start();
    EXPECT_EQ(guest_->call("fd_fdstat_set_rights", fd, all & ~need.right, 0), Errno::Success);
    EXPECT_EQ(guest_->call_with(need.function, need.arguments), Errno::Notcapable) << need.function;
  }
  EXPECT_EQ(guest_->call("fd_fdstat_set_rights", 0, rights::fd_read, 0), Errno::Success);
  EXPECT_EQ(guest_->call("sock_accept", 0, 0, 2100), Errno::Notcapable);
  Subscription read;
  read.type = EventType::FdRead;
  guest_->put(6000, read);
  EXPECT_EQ(guest_->call("poll_oneoff", 6000, 7000, 1, 8000), Errno::Success);
  EXPECT_EQ(guest_->load<Event>(7000).error, Errno::Notcapable);  // no poll_fd_readwrite
}

}  // namespace
}  // namespace tfvm::wasi
