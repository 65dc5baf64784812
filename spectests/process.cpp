// fork, exec, poll. The child has no core dumps: crashes of the converter are expected, and large.
#include "spectests/process.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

namespace tfvm::spectests {

namespace {

constexpr std::size_t max_error_output = 1 << 20;
constexpr int exit_not_started = 127;

Error host_error(const std::string& what) { return Error{ErrorKind::Host, what + ": " + std::strerror(errno)}; }

[[noreturn]] void become(char** arguments, const char* folder, int error_output) {
  const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  const rlimit none = {0, 0};
  setrlimit(RLIMIT_CORE, &none);
  if (null >= 0 && dup2(null, STDIN_FILENO) >= 0 && dup2(null, STDOUT_FILENO) >= 0 &&
      dup2(error_output, STDERR_FILENO) >= 0 && chdir(folder) == 0)
    execvp(arguments[0], arguments);
  _exit(exit_not_started);
}

/// Reads until the writer closes its end or the deadline passes. False: it passed.
bool read_until(int file, std::chrono::steady_clock::time_point deadline, std::string& out) {
  std::array<char, 4096> buffer;
  while (true) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now()).count();
    if (left <= 0) return false;
    pollfd entry = {file, POLLIN, 0};
    const int ready = poll(&entry, 1, static_cast<int>(std::min<long long>(left, 1000)));
    if (ready <= 0) continue;
    const ssize_t count = read(file, buffer.data(), buffer.size());
    if (count == 0) return true;
    if (count > 0 && out.size() < max_error_output) out.append(buffer.data(), static_cast<std::size_t>(count));
  }
}

}  // namespace

Result<ProcessResult> run_process(const std::vector<std::string>& arguments, const std::string& folder,
                                  std::chrono::milliseconds time_limit) {
  std::vector<char*> pointers;
  for (const std::string& argument : arguments) pointers.push_back(const_cast<char*>(argument.c_str()));
  pointers.push_back(nullptr);
  std::array<int, 2> ends;
  if (pipe2(ends.data(), O_CLOEXEC) != 0) return host_error("pipe");
  const auto deadline = std::chrono::steady_clock::now() + time_limit;
  const pid_t child = fork();
  if (child == 0) become(pointers.data(), folder.c_str(), ends[1]);
  close(ends[1]);
  if (child < 0) {
    close(ends[0]);
    return host_error("fork");
  }
  ProcessResult result;
  result.timed_out = !read_until(ends[0], deadline, result.error_output);
  close(ends[0]);
  if (result.timed_out) kill(child, SIGKILL);
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFEXITED(status)) result.exit_code = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) result.signal = WTERMSIG(status);
  if (result.exit_code == exit_not_started)
    return Error{ErrorKind::Host, "cannot run " + arguments[0] + " (is it installed?)"};
  return result;
}

}  // namespace tfvm::spectests
