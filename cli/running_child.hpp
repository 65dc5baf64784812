// For tests: a child process that goes on running while the test looks at it, with pipes or on a terminal of its own.
// Only tests include this.
#pragma once

#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <stdexcept>
#include <string>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

#include "cli/child_process.hpp"

namespace tfvm::cli {

class RunningChild {
 public:
  enum class Streams { Pipes, Terminal };

  /// On a terminal all three streams are one.
  RunningChild(const std::vector<std::string>& arguments, Streams streams) {
    ::signal(SIGPIPE, SIG_IGN);
    std::vector<std::string> strings = {TFVM_EXECUTABLE};
    strings.insert(strings.end(), arguments.begin(), arguments.end());
    std::vector<char*> pointers = child_process::pointers(strings);
    if (streams == Streams::Terminal) {
      child_ = ::forkpty(&output_, nullptr, nullptr, nullptr);
      input_ = errors_ = output_;
    } else {
      child_process::Pipe in, out, err;
      child_ = ::fork();
      if (child_ == 0) {
        ::dup2(in.ends[0], 0);
        ::dup2(out.ends[1], 1);
        ::dup2(err.ends[1], 2);
      }
      input_ = ::dup(in.ends[1]);
      output_ = ::dup(out.ends[0]);
      errors_ = ::dup(err.ends[0]);
      for (const int end : {input_, output_, errors_}) ::fcntl(end, F_SETFD, FD_CLOEXEC);
    }
    if (child_ == 0) {
      ::signal(SIGPIPE, SIG_DFL);
      ::signal(SIGINT, SIG_DFL);
      ::execv(pointers[0], pointers.data());
      ::_exit(127);
    }
    if (child_ < 0) throw std::runtime_error("cannot start the child");
  }
  ~RunningChild() {
    if (child_ > 0) {
      ::kill(child_, SIGKILL);
      wait();
    }
    for (const int file : {input_, output_, errors_ == output_ ? -1 : errors_})
      if (file >= 0 && !(file == input_ && input_ == output_)) ::close(file);
    if (input_ == output_ && input_ >= 0) ::close(input_);
  }
  RunningChild(const RunningChild&) = delete;
  RunningChild& operator=(const RunningChild&) = delete;

  /// Reads from its output (or errors) until `text` has come; all that was read. Empty: it never came.
  std::string read_until(const std::string& text) { return read_until(output_, text); }
  std::string read_errors_until(const std::string& text) { return read_until(errors_, text); }

  void write(std::string_view text) const {
    if (::write(input_, text.data(), text.size()) != static_cast<ssize_t>(text.size()))
      throw std::runtime_error("cannot write to the child");
  }
  void signal(int number) const { ::kill(child_, number); }

  /// 128 + signal if one ended it.
  int wait() {
    int status = 0;
    while (::waitpid(child_, &status, 0) < 0 && errno == EINTR) {
    }
    child_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }

 private:
  static std::string read_until(int file, const std::string& text) {
    constexpr int patience_ms = 60'000;
    std::string all;
    while (all.find(text) == std::string::npos) {
      struct ::pollfd ready{file, POLLIN, 0};
      char byte = 0;  // one at a time: what comes behind `text` stays for the next call
      if (::poll(&ready, 1, patience_ms) <= 0 || ::read(file, &byte, 1) != 1) return {};
      all += byte;
    }
    return all;
  }

  pid_t child_ = -1;
  int input_ = -1;
  int output_ = -1;
  int errors_ = -1;
};

}  // namespace tfvm::cli
