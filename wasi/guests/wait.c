// Waits in the way that argument 1 names: for the tests of Ctrl-C, --timeout and terminals. Says "waiting" first.
//   sleep, read, write or errors (for ever), spin, accept (on descriptor 3), lines (until the input ends)
#include <poll.h>
#include <sys/socket.h>
#include <time.h>

#include "wasi/guests/check.h"

static void sleep_long(void) {
  const struct timespec long_time = {3600, 0};
  nanosleep(&long_time, NULL);
}

static void write_for_ever(int file) {
  static char text[65536];
  while (write(file, text, sizeof(text)) > 0) {
  }
}

static void lines(void) {
  char line[256];
  ssize_t length;
  say(isatty(0) ? "a terminal\n" : "no terminal\n");
  while ((length = read(0, line, sizeof(line))) > 0) {
    say("got ");
    say_number(length);
    say("\n");
  }
  say("end\n");
}

int main(int count, char** arguments) {
  CHECK(count == 2);
  char byte;
  volatile unsigned spins = 0;
  say("waiting\n");
  switch (arguments[1][0]) {
    case 's':
      if (arguments[1][1] == 'l') sleep_long();
      else
        while (1) ++spins;
      break;
    case 'r': CHECK(read(0, &byte, 1) >= 0); break;
    case 'w': write_for_ever(1); break;
    case 'e': write_for_ever(2); break;
    case 'a': CHECK(accept(3, NULL, NULL) >= 0); break;
    case 'l': lines(); break;
    default: return 2;
  }
  say("done\n");
  return 0;
}
