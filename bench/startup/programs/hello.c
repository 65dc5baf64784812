// The native program of the start-up benchmark: one line to standard output. Built statically, so that nothing but
// the kernel and this file is started.
#include <unistd.h>

int main(void) {
  static const char greeting[] = "Hello, world!\n";
  const long size = sizeof greeting - 1;
  return write(STDOUT_FILENO, greeting, sizeof greeting - 1) == size ? 0 : 1;
}
