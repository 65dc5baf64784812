// For tests of the command line: runs the built tfvm as a child process and collects all that can be seen of it.
// Only tests include this.
#pragma once

#include <array>
#include <csignal>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <stdexcept>
#include <string>
#include <string_view>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>
#include <vector>

namespace tfvm::cli {

/// What a child process is given beside its arguments.
struct ChildInput {
  std::string standard_input = {};
  std::vector<std::string> environment = {};  ///< all of it, "NAME=VALUE"
  bool output_is_closed = false;              ///< standard output leads to a pipe that nobody reads
};

/// How a child process ended and what it wrote.
struct ChildResult {
  int exit_code = -1;  ///< 128 + signal if one ended it
  std::string output;
  std::string errors;
};

namespace child_process {

struct Pipe {
  std::array<int, 2> ends = {-1, -1};
  Pipe() {
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw std::runtime_error("pipe2");
  }
  ~Pipe() {
    close(0);
    close(1);
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  void close(std::size_t end) {
    if (ends[end] >= 0) ::close(ends[end]);
    ends[end] = -1;
  }
};

inline std::vector<char*> pointers(std::vector<std::string>& strings) {
  std::vector<char*> result;
  for (std::string& string : strings) result.push_back(string.data());
  result.push_back(nullptr);
  return result;
}

// Appends what there is to read; closes the pipe at its end.
inline void drain(Pipe& pipe, std::string& to) {
  std::array<char, 65536> buffer;
  const ssize_t got = ::read(pipe.ends[0], buffer.data(), buffer.size());
  if (got > 0) to.append(buffer.data(), static_cast<std::size_t>(got));
  else pipe.close(0);
}

// Writes on; closes the pipe when all is written or nobody wants more.
inline void feed(Pipe& pipe, std::string_view& from) {
  const ssize_t put = from.empty() ? -1 : ::write(pipe.ends[1], from.data(), from.size());
  if (put > 0) from.remove_prefix(static_cast<std::size_t>(put));
  else pipe.close(1);
}

}  // namespace child_process

/// Runs `program` and waits for its end. Its standard streams are pipes. Throws std::runtime_error if it cannot start.
inline ChildResult run_child(const std::string& program, const std::vector<std::string>& arguments,
                             const ChildInput& input = {}) {
  using namespace child_process;
  ::signal(SIGPIPE, SIG_IGN);
  Pipe in;
  Pipe out;
  Pipe err;
  ::fcntl(in.ends[1], F_SETFL, O_NONBLOCK);
  if (input.output_is_closed) out.close(0);
  std::string_view rest = input.standard_input;
  if (!rest.empty()) feed(in, rest);  // what fits is there before the child looks

  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, in.ends[0], STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, out.ends[1], STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, err.ends[1], STDERR_FILENO);
  // The child starts with the signals of a shell's, not with ours.
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t default_signals;
  sigemptyset(&default_signals);
  sigaddset(&default_signals, SIGPIPE);
  posix_spawnattr_setsigdefault(&attributes, &default_signals);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
  std::vector<std::string> argument_strings = {program};
  argument_strings.insert(argument_strings.end(), arguments.begin(), arguments.end());
  std::vector<std::string> environment = input.environment;
  pid_t child = 0;
  const int failed = ::posix_spawn(&child, program.c_str(), &actions, &attributes, pointers(argument_strings).data(),
                                   pointers(environment).data());
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  if (failed != 0) throw std::runtime_error("cannot start " + program);
  in.close(0);
  out.close(1);
  err.close(1);

  ChildResult result;
  while (out.ends[0] >= 0 || err.ends[0] >= 0 || in.ends[1] >= 0) {
    std::array<pollfd, 3> waiting = {{{out.ends[0], POLLIN, 0}, {err.ends[0], POLLIN, 0}, {in.ends[1], POLLOUT, 0}}};
    ::poll(waiting.data(), waiting.size(), -1);
    if (waiting[0].revents != 0) drain(out, result.output);
    if (waiting[1].revents != 0) drain(err, result.errors);
    if (waiting[2].revents != 0) feed(in, rest);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  result.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return result;
}

/// Runs the built tfvm; TFVM_EXECUTABLE names it (see CMakeLists.txt).
inline ChildResult run_tfvm(const std::vector<std::string>& arguments, const ChildInput& input = {}) {
  return run_child(TFVM_EXECUTABLE, arguments, input);
}

/// Path of a file in cli/testdata.
inline std::string testdata(const std::string& name) { return TFVM_SOURCE_DIR "/cli/testdata/" + name; }

}  // namespace tfvm::cli
