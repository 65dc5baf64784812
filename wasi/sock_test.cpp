// Sockets that a guest was given (here: as its standard input), and what is no socket.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
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

}  // namespace
}  // namespace tfvm::wasi
