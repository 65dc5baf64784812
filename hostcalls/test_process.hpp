// For tests: other programs as children, temporary folders, free ports. Header only, so that it is in no library.
#pragma once

#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <gtest/gtest.h>
#include <string>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

#include "hostcalls/socket_address.hpp"

namespace tfvm::hostcalls::test {

/// A folder that is removed with all in it.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "tfvm-hostcalls-XXXXXX").string();
    path_ = ::mkdtemp(name.data());
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

/// A port of 127.0.0.1 that nobody uses just now, for `type` SOCK_STREAM or SOCK_DGRAM. Somebody else may take it
/// before it is used: try again then.
inline std::uint16_t free_port(int type) {
  const int descriptor = ::socket(AF_INET, type | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ::bind(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof(address));
  socklen_t size = sizeof(address);
  ::getsockname(descriptor, reinterpret_cast<sockaddr*>(&address), &size);
  ::close(descriptor);
  return ntohs(address.sin_port);
}

/// A program that runs until it is killed, at the latest when this ends. Its output is read up to what says that it is
/// ready; all after that goes nowhere.
class ChildProcess {
 public:
  /// Starts argv[0], found in PATH and the sbin folders.
  explicit ChildProcess(std::vector<std::string> argv) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) std::abort();
    std::vector<char*> arguments;
    for (std::string& argument : argv) arguments.push_back(argument.data());
    arguments.push_back(nullptr);
    const std::string path = std::string(std::getenv("PATH")) + ":/usr/local/sbin:/usr/sbin:/sbin";
    const pid_t parent = ::getpid();
    pid_ = ::fork();
    if (pid_ == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      if (::getppid() != parent) ::_exit(1);
      ::dup2(ends[1], 1);
      ::dup2(ends[1], 2);
      ::setenv("PATH", path.c_str(), 1);
      ::execvp(arguments[0], arguments.data());
      ::_exit(127);
    }
    ::close(ends[1]);
    output_ = ends[0];
  }
  ~ChildProcess() {
    kill();
    ::close(output_);
  }
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  /// Waits until it has said `text`; false if it ended without.
  bool has_said(std::string_view text) {
    char buffer[4096];
    while (said_.find(text) == std::string::npos) {
      const ssize_t size = ::read(output_, buffer, sizeof(buffer));
      if (size < 0 && errno == EINTR) continue;
      if (size <= 0) return false;
      said_.append(buffer, static_cast<std::size_t>(size));
    }
    return true;
  }
  const std::string& said() const { return said_; }
  pid_t pid() const { return pid_; }
  /// Its standard output and error, after what has_said took.
  int output() const { return output_; }

  /// With SIGKILL, and waits for its end.
  void kill() {
    if (pid_ < 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    pid_ = -1;
  }
  /// Waits for its end; the exit status, or -1 if a signal ended it.
  int wait() {
    int status = 0;
    ::waitpid(pid_, &status, 0);
    pid_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

 private:
  pid_t pid_ = -1;
  int output_ = -1;
  std::string said_;
};

}  // namespace tfvm::hostcalls::test
