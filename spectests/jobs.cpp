// fork, a pipe for the report, poll over the pipes of all running children.
#include "spectests/jobs.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <fcntl.h>
#include <map>
#include <optional>
#include <poll.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

namespace tfvm::spectests {

namespace {

using Clock = std::chrono::steady_clock;

struct Child {
  std::size_t index = 0;
  pid_t process = 0;
  int output = -1;
  Clock::time_point deadline;
  std::string text;
  bool timed_out = false;
};

Report failure(const std::string& message) {
  Report report;
  report.failed = 1;
  report.failures.push_back(message);
  return report;
}

void write_all(int file, std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = write(file, text.data(), text.size());
    if (count < 0 && errno != EINTR) return;
    if (count > 0) text.remove_prefix(static_cast<std::size_t>(count));
  }
}

[[noreturn]] void run_in_child(const std::function<Report(std::size_t)>& work, std::size_t index, int output) {
  setpgid(0, 0);  // so that killing it ends the programs that it started, too
  const rlimit none = {0, 0};
  setrlimit(RLIMIT_CORE, &none);
  Report report;
  try {
    report = work(index);
  } catch (const std::exception& exception) {
    report = failure(std::string("exception: ") + exception.what());
  }
  write_all(output, serialize(report));
  _exit(0);
}

Report end_of(Child& child) {
  if (child.timed_out) kill(-child.process, SIGKILL);
  int status = 0;
  while (waitpid(child.process, &status, 0) < 0 && errno == EINTR) {
  }
  close(child.output);
  Report report = deserialize(child.text);
  if (report.complete && WIFEXITED(status)) return report;
  std::string why = "the process ended before the end of the script";
  if (child.timed_out) why = "the time limit is over";
  else if (WIFSIGNALED(status)) why = std::string("crash: ") + strsignal(WTERMSIG(status));
  report.add(failure(why));
  return report;
}

/// The running children of one run_jobs.
class Pool {
 public:
  Pool(const JobOptions& options, const std::function<Report(std::size_t)>& work) : options_(options), work_(work) {}

  bool is_full() const { return children_.size() >= std::max<std::size_t>(options_.parallel, 1); }
  bool is_empty() const { return children_.empty(); }

  /// Starts work(index). A report: it could not be started.
  std::optional<Report> start(std::size_t index) {
    std::array<int, 2> ends;
    if (pipe2(ends.data(), O_CLOEXEC) != 0) return failure(std::string("pipe: ") + std::strerror(errno));
    std::fflush(nullptr);
    Child child;
    child.index = index;
    child.output = ends[0];
    child.deadline = Clock::now() + options_.time_limit;
    child.process = fork();
    if (child.process == 0) run_in_child(work_, index, ends[1]);
    close(ends[1]);
    if (child.process < 0) {
      close(ends[0]);
      return failure(std::string("fork: ") + std::strerror(errno));
    }
    setpgid(child.process, child.process);
    children_.push_back(std::move(child));
    return std::nullopt;
  }

  /// Waits until something happens; adds the reports of the children that ended.
  void wait(std::map<std::size_t, Report>& reports) {
    std::vector<pollfd> files;
    auto next = Clock::now() + std::chrono::seconds(1);
    for (const Child& child : children_) {
      files.push_back({child.output, POLLIN, 0});
      next = std::min(next, child.deadline);
    }
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(next - Clock::now()).count();
    poll(files.data(), files.size(), static_cast<int>(std::max<long long>(left, 0)) + 1);
    for (std::size_t i = files.size(); i-- > 0;) {
      Child& child = children_[i];
      child.timed_out = Clock::now() >= child.deadline;
      if (!child.timed_out && (files[i].revents == 0 || !has_ended(child))) continue;
      reports[child.index] = end_of(child);
      children_.erase(children_.begin() + static_cast<std::ptrdiff_t>(i));
    }
  }

 private:
  /// Takes what has come; true at the end of the output.
  static bool has_ended(Child& child) {
    std::array<char, 16384> buffer;
    const ssize_t count = read(child.output, buffer.data(), buffer.size());
    if (count > 0) child.text.append(buffer.data(), static_cast<std::size_t>(count));
    return count == 0 || (count < 0 && errno != EINTR);
  }

  const JobOptions& options_;
  const std::function<Report(std::size_t)>& work_;
  std::vector<Child> children_;
};

}  // namespace

void run_jobs(std::size_t count, const JobOptions& options, const std::function<Report(std::size_t)>& work,
              const std::function<void(std::size_t, const Report&)>& done) {
  Pool pool(options, work);
  std::map<std::size_t, Report> reports;
  std::size_t started = 0;
  std::size_t finished = 0;
  while (finished < count) {
    while (started < count && !pool.is_full()) {
      if (auto report = pool.start(started)) reports[started] = std::move(*report);
      ++started;
    }
    if (!pool.is_empty()) pool.wait(reports);
    for (auto next = reports.find(finished); next != reports.end(); next = reports.find(finished)) {
      done(finished, next->second);
      reports.erase(next);
      ++finished;
    }
  }
}

}  // namespace tfvm::spectests
