// Sieve of Eratosthenes over bytes: tight loops of narrow stores and loads.
// Guest; see README.md.
#include "guest.h"

enum { limit = 1000000, rounds = 120 };

static unsigned char composite[limit + 1];

static unsigned count_primes(unsigned bound) {
  for (unsigned i = 0; i <= bound; ++i) composite[i] = 0;
  for (unsigned i = 2; i * i <= bound; ++i) {
    if (composite[i]) continue;
    for (unsigned j = i * i; j <= bound; j += i) composite[j] = 1;
  }
  unsigned count = 0;
  for (unsigned i = 2; i <= bound; ++i) {
    if (!composite[i]) ++count;
  }
  return count;
}

int run(void) {
  unsigned sum = 0;
  for (unsigned round = 0; round < rounds; ++round) sum = sum * 31 + count_primes(limit - round);
  return to_checksum(sum);
}
