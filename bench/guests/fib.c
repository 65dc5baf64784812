// Doubly recursive Fibonacci numbers: nothing but calls, compares and additions.
// Guest; see README.md.
#include "guest.h"

enum { argument = 39 };

static __attribute__((noinline)) unsigned fib(unsigned n) { return n < 2 ? n : fib(n - 1) + fib(n - 2); }

int run(void) { return to_checksum(fib(argument)); }
