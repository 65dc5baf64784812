// Waits as programs do: poll on files, pipes and clocks, sleeping for no time, times in the past. Standard input is a
// pipe that holds "hello" and is at its end behind it; "/" is a folder.
#include <fcntl.h>
#include <poll.h>
#include <time.h>

#include "wasi/guests/check.h"

static long long now(clockid_t clock) {
  struct timespec time;
  CHECK(clock_gettime(clock, &time) == 0);
  return time.tv_sec * 1000000000LL + time.tv_nsec;
}

int main(void) {
  const int file = open("/file", O_CREAT | O_RDWR, 0600);
  CHECK(file >= 0);
  struct pollfd files[3] = {{file, POLLIN | POLLOUT, 0}, {0, POLLIN, 0}, {1, POLLOUT, 0}};
  CHECK(poll(files, 3, -1) == 3);
  CHECK((files[0].revents & (POLLIN | POLLOUT)) != 0);
  CHECK((files[1].revents & POLLIN) != 0);
  CHECK((files[2].revents & POLLOUT) != 0);
  CHECK(poll(files, 3, 0) == 3);

  const struct timespec none = {0, 0}, little = {0, 1000000};
  CHECK(nanosleep(&none, NULL) == 0);
  const long long before = now(CLOCK_MONOTONIC);
  CHECK(nanosleep(&little, NULL) == 0);
  CHECK(now(CLOCK_MONOTONIC) - before >= 1000000);
  const struct timespec past = {1, 0};
  CHECK(clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &past, NULL) == 0);
  CHECK(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &none, NULL) == 0);
  const long long soon = now(CLOCK_REALTIME) + 1000000;
  const struct timespec later = {soon / 1000000000, soon % 1000000000};
  CHECK(clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &later, NULL) == 0);
  CHECK(now(CLOCK_REALTIME) >= soon);

  char text[16];
  CHECK(read(0, text, sizeof(text)) == 5);
  files[1].revents = 0;
  CHECK(poll(files + 1, 1, -1) == 1);  // the end is something to read too
  CHECK(read(0, text, sizeof(text)) == 0);
  CHECK(fcntl(0, F_SETFL, O_NONBLOCK) == 0);
  CHECK(read(0, text, sizeof(text)) == 0);
  say("all waits ended\n");
  return 0;
}
