// Sockets that a guest was given (here: as its standard input), and what is no socket.
#include <chrono>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "wasi/test_directory.hpp"
#include "wasi/test_guest.hpp"

namespace tfvm::wasi {
namespace {

constexpr std::uint32_t vectors = 8, result = 0, flags_result = 4, buffer = 1000;

std::unique_ptr<TestGuest> guest_with_input(int fd) {
  WasiConfig config;
  config.stdin_fd = fd;
  return std::make_unique<TestGuest>(std::move(config));
}

TEST(SockTest, WhatIsNoSocketIsRefused) {
  TestDirectory directory;
  WasiConfig config;
  config.preopens = {{directory.path(), "/", false}};
  TestGuest guest(std::move(config));
  const Fd file = guest.open(3, "file", open_flags::creat);
  for (const Fd fd : {file, Fd{3}}) {
    EXPECT_EQ(guest.call("sock_accept", fd, 0, result), Errno::Notsock);
    EXPECT_EQ(guest.call("sock_recv", fd, vectors, 0, 0, result, flags_result), Errno::Notsock);
    EXPECT_EQ(guest.call("sock_send", fd, vectors, 0, 0, result), Errno::Notsock);
    EXPECT_EQ(guest.call("sock_shutdown", fd, 1), Errno::Notsock);
  }
  EXPECT_EQ(guest.call("sock_accept", 99, 0, result), Errno::Badf);
  EXPECT_EQ(guest.call("sock_recv", 99, vectors, 0, 0, result, flags_result), Errno::Badf);
  EXPECT_EQ(guest.call("sock_send", 99, vectors, 0, 0, result), Errno::Badf);
  EXPECT_EQ(guest.call("sock_shutdown", 99, 1), Errno::Badf);
}

TEST(SockTest, ReceivesAndShutsDown) {
  int ends[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
  HostFile peer = HostFile::own(ends[0]), input = HostFile::own(ends[1]);
  const auto guest = guest_with_input(input.number());
  EXPECT_EQ(guest->call("fd_fdstat_get", 0, 100), Errno::Success);
  EXPECT_EQ(guest->load<FdStat>(100).file_type, FileType::SocketStream);
  ASSERT_EQ(::write(peer.number(), "hello", 5), 5);
  guest->put(vectors, IoVector{buffer, 3});
  EXPECT_EQ(guest->call("sock_recv", 0, vectors, 1, receive_peek, result, flags_result), Errno::Success);
  EXPECT_EQ(guest->load<Size>(result), 3u);
  EXPECT_EQ(guest->call("sock_recv", 0, vectors, 1, receive_wait_all, result, flags_result), Errno::Success);
  EXPECT_EQ(guest->text(buffer, 3), "hel");
  EXPECT_EQ(guest->read(0), "lo");
  EXPECT_EQ(guest->call("sock_recv", 0, vectors, 1, 4, result, flags_result), Errno::Inval);
  EXPECT_EQ(guest->call("sock_recv", 0, vectors, 1, 0, result, TestGuest::memory_bytes - 1), Errno::Fault);
  EXPECT_EQ(guest->call("sock_shutdown", 0, 0), Errno::Inval);
  EXPECT_EQ(guest->call("sock_shutdown", 0, 4), Errno::Inval);
  EXPECT_EQ(guest->call("sock_shutdown", 0, shutdown_receive), Errno::Success);
  EXPECT_EQ(guest->call("sock_recv", 0, vectors, 1, 0, result, flags_result), Errno::Success);
  EXPECT_EQ(guest->load<Size>(result), 0u);
}

TEST(SockTest, AcceptsAConnectionAndAnswers) {
  HostFile listener = HostFile::own(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  struct ::sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof(address);
  ASSERT_EQ(::bind(listener.number(), reinterpret_cast<struct ::sockaddr*>(&address), length), 0);
  ASSERT_EQ(::listen(listener.number(), 1), 0);
  ASSERT_EQ(::getsockname(listener.number(), reinterpret_cast<struct ::sockaddr*>(&address), &length), 0);
  HostFile client = HostFile::own(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  ASSERT_EQ(::connect(client.number(), reinterpret_cast<struct ::sockaddr*>(&address), length), 0);

  const auto guest = guest_with_input(listener.number());
  EXPECT_EQ(guest->call("sock_accept", 0, fd_flags::append, result), Errno::Inval);
  ASSERT_EQ(guest->call("sock_accept", 0, fd_flags::nonblock, result), Errno::Success);
  const Fd connection = guest->load<Fd>(result);
  EXPECT_EQ(connection, 3u);
  guest->put_text(buffer, "answer");
  guest->put(vectors, IoVector{buffer, 6});
  EXPECT_EQ(guest->call("sock_recv", connection, vectors, 1, 0, result, flags_result), Errno::Again);
  EXPECT_EQ(guest->call("sock_send", connection, vectors, 1, 1, result), Errno::Inval);
  EXPECT_EQ(guest->call("sock_send", connection, vectors, 1, 0, result), Errno::Success);
  EXPECT_EQ(guest->load<Size>(result), 6u);
  EXPECT_EQ(guest->call("sock_shutdown", connection, shutdown_send), Errno::Success);
  char received[10];
  EXPECT_EQ(::recv(client.number(), received, sizeof(received), MSG_WAITALL), 6);
  EXPECT_EQ(std::string(received, 6), "answer");
  EXPECT_EQ(guest->call("sock_accept", connection, 0, result), Errno::Notcapable);
}

class ListenerTest : public testing::Test {
 protected:
  void SetUp() override {
    listener_ = HostFile::own(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    struct ::sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ASSERT_EQ(::bind(listener_.number(), reinterpret_cast<struct ::sockaddr*>(&address), sizeof(address)), 0);
    ASSERT_EQ(::listen(listener_.number(), 4), 0);
    WasiConfig config;
    config.preopens = {{directory_.path(), "/", false}};
    config.listeners = {listener_.number()};
    guest_ = std::make_unique<TestGuest>(std::move(config));
  }
  HostFile connect() const {
    struct ::sockaddr_in address{};
    socklen_t length = sizeof(address);
    ::getsockname(listener_.number(), reinterpret_cast<struct ::sockaddr*>(&address), &length);
    HostFile client = HostFile::own(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    EXPECT_EQ(::connect(client.number(), reinterpret_cast<struct ::sockaddr*>(&address), length), 0);
    return client;
  }

  TestDirectory directory_;
  HostFile listener_;
  std::unique_ptr<TestGuest> guest_;
  static constexpr Fd listening = 4;  // behind the directory
};

TEST_F(ListenerTest, IsBehindTheDirectoriesAndOnlyAccepts) {
  ASSERT_EQ(guest_->call("fd_fdstat_get", listening, 100), Errno::Success);
  const auto stat = guest_->load<FdStat>(100);
  EXPECT_EQ(stat.file_type, FileType::SocketStream);
  EXPECT_EQ(stat.base & (rights::fd_write | rights::sock_shutdown), 0u);
  EXPECT_EQ(guest_->call("fd_prestat_get", listening, 100), Errno::Badf);
  EXPECT_EQ(guest_->write(listening, "x"), Errno::Notcapable);
  EXPECT_EQ(guest_->call("sock_send", listening, vectors, 0, 0, result), Errno::Notcapable);
  EXPECT_EQ(guest_->call("sock_shutdown", listening, 1), Errno::Notcapable);
  EXPECT_EQ(guest_->call("fd_close", listening), Errno::Success);
  EXPECT_GE(::fcntl(listener_.number(), F_GETFD), 0);  // the host's
}

TEST_F(ListenerTest, PollTellsOfConnections) {
  Subscription read, clock;
  read.type = EventType::FdRead;
  read.clock.id = listening;
  clock.clock.id = 1;
  guest_->put(1000, read);
  guest_->put(1048, clock);
  ASSERT_EQ(guest_->call("poll_oneoff", 1000, 2000, 2, result), Errno::Success);
  EXPECT_EQ(guest_->load<Size>(result), 1u);
  EXPECT_EQ(guest_->load<Event>(2000).type, EventType::Clock);
  const HostFile client = connect();
  ASSERT_EQ(guest_->call("poll_oneoff", 1000, 2000, 1, result), Errno::Success);
  EXPECT_EQ(guest_->load<Event>(2000).type, EventType::FdRead);
  EXPECT_EQ(guest_->call("sock_accept", listening, 0, result), Errno::Success);
  EXPECT_EQ(guest_->load<Fd>(result), 5u);
}

TEST_F(ListenerTest, NonBlockingAcceptSaysAgain) {
  ASSERT_EQ(guest_->call("fd_fdstat_set_flags", listening, fd_flags::nonblock), Errno::Success);
  EXPECT_EQ(guest_->call("sock_accept", listening, 0, result), Errno::Again);
}

TEST_F(ListenerTest, DeadlineEndsAnAcceptingGuest) {
  guest_->store().set_deadline(std::chrono::steady_clock::now() + std::chrono::milliseconds(5));
  guest_->call("sock_accept", listening, 0, result);
  ASSERT_TRUE(guest_->trap());
  EXPECT_EQ(guest_->trap()->kind, TrapKind::DeadlineExceeded);
}

// Writing to who has hung up is an error for the guest, not a signal for the host.
TEST_F(ListenerTest, PeersThatHangUpAreAnError) {
  ::signal(SIGPIPE, SIG_DFL);
  Fd connection = 0;
  {
    const HostFile client = connect();
    ASSERT_EQ(guest_->call("sock_accept", listening, 0, result), Errno::Success);
    connection = guest_->load<Fd>(result);
    const struct ::linger at_once{1, 0};
    ::setsockopt(client.number(), SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
  }
  Errno by_write = Errno::Success, by_send = Errno::Success;
  for (int i = 0; i < 3; ++i) {
    by_write = guest_->write(connection, "anyone there?");
    guest_->put(vectors, IoVector{buffer, 6});
    by_send = guest_->call("sock_send", connection, vectors, 1, 0, result);
  }
  EXPECT_EQ(by_write, Errno::Pipe);
  EXPECT_EQ(by_send, Errno::Pipe);
}

}  // namespace
}  // namespace tfvm::wasi
