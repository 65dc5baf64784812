// Starts one command and says exactly what its start cost. It is a static program of its own, below 1 MB, because a
// child's peak memory as the kernel reports it is never less than that of the process it was started from, and because
// an interpreter's own work between clock and start would be counted.
//
//   launcher SECONDS COMMAND [ARGUMENTS...]
//
// Standard output: one line "WALL_NS USER_US SYSTEM_US PEAK_KIB MINOR_FAULTS STATUS", then what the command wrote to
// its standard output (its first 64 KiB). WALL_NS is from before the start until the end was noticed; the others are
// the command's and those of its children that it waited for. STATUS is the exit status, 128 + signal after a signal.
// A command that runs longer than SECONDS is killed. The exit status is 0 unless the command could not be started.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char** environ;

static volatile pid_t child;

static void kill_child(int signal_number) {
  (void)signal_number;
  if (child > 0) kill(child, SIGKILL);
}

static long long nanoseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static long long microseconds(struct timeval time) { return time.tv_sec * 1000000LL + time.tv_usec; }

static int fail(const char* what, int error) {
  fprintf(stderr, "%s: %s\n", what, strerror(error));
  return 127;
}

int main(int argc, char** argv) {
  if (argc < 3) return fail("usage: launcher SECONDS COMMAND [ARGUMENTS...]", EINVAL);
  int output[2];
  if (pipe2(output, O_CLOEXEC) != 0) return fail("pipe2", errno);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, output[1], STDOUT_FILENO);
  signal(SIGALRM, kill_child);

  pid_t started = 0;
  int status = 0;
  struct rusage usage;
  alarm((unsigned)atoi(argv[1]));
  const long long begin = nanoseconds();
  const int error = posix_spawnp(&started, argv[2], &actions, NULL, argv + 2, environ);
  if (error != 0) return fail(argv[2], error);
  child = started;
  while (wait4(started, &status, 0, &usage) < 0) {
    if (errno != EINTR) return fail("wait4", errno);
  }
  const long long wall = nanoseconds() - begin;
  alarm(0);

  printf("%lld %lld %lld %ld %ld %d\n", wall, microseconds(usage.ru_utime), microseconds(usage.ru_stime),
         usage.ru_maxrss, usage.ru_minflt, WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status));
  // A daemon that the command left behind may hold the pipe open, so only what is there already is copied.
  static char bytes[65536];
  fcntl(output[0], F_SETFL, O_NONBLOCK);
  const ssize_t size = read(output[0], bytes, sizeof bytes);
  if (size > 0) fwrite(bytes, 1, (size_t)size, stdout);
  return 0;
}
