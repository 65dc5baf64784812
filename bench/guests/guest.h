// What every guest includes: the contract of a guest and its three ways to run.
//   run()         the work; returns a checksum in [0, 2^31), exported as "run: () -> i32"
//   -DNATIVE      a main() that prints the checksum, for the native column
//   default       a WASI command whose _start prints the checksum with fd_write alone
//   -DBARE        neither: a module without imports, for embedders that call run()
// No libc, no bulk memory, no allocation: a guest measures the engine and nothing else.
#pragma once

#ifdef NATIVE
#include <stdio.h>

int run(void);

int main(void) {
  printf("%d\n", run());
  return 0;
}
#else

__attribute__((export_name("run"))) int run(void);

#ifndef BARE
struct IoVector {
  const char* data;
  unsigned size;
};

__attribute__((import_module("wasi_snapshot_preview1"), import_name("fd_write"))) int fd_write(
    int descriptor, const struct IoVector* vectors, int vector_count, unsigned* written);

__attribute__((export_name("_start"))) void start(void) {
  char text[12];
  unsigned position = sizeof text;
  unsigned value = (unsigned)run();
  text[--position] = '\n';
  do {
    text[--position] = (char)('0' + value % 10);
    value /= 10;
  } while (value != 0);
  struct IoVector line = {text + position, (unsigned)sizeof text - position};
  unsigned written;
  fd_write(1, &line, 1, &written);
}
#endif
#endif

// Every guest ends with this, so that the sign bit never shows and all printers agree.
static inline int to_checksum(unsigned value) { return (int)(value & 0x7fffffffU); }

// Pseudo-random numbers for input data (xorshift, 32 bits, state never zero).
static inline unsigned next_random(unsigned* state) {
  unsigned x = *state;
  x ^= x << 13;
  x ^= x >> 17;
  x ^= x << 5;
  *state = x;
  return x;
}
