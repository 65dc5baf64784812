// Dense matrix product in the textbook order of loops: f64 multiply-add with one strided operand.
// Elements are small integers, so every sum is exact. Guest; see README.md.
#include "guest.h"

enum { size = 200, rounds = 36 };

static double a[size][size], b[size][size], c[size][size];

static __attribute__((noinline)) void multiply(void) {
  for (int row = 0; row < size; ++row) {
    for (int column = 0; column < size; ++column) {
      double sum = 0;
      for (int k = 0; k < size; ++k) sum += a[row][k] * b[k][column];
      c[row][column] = sum;
    }
  }
}

int run(void) {
  unsigned seed = 1;
  for (int i = 0; i < size; ++i) {
    for (int j = 0; j < size; ++j) {
      a[i][j] = (double)(int)(next_random(&seed) % 19) - 9;
      b[i][j] = (double)(int)(next_random(&seed) % 17) - 8;
    }
  }
  unsigned sum = 0;
  for (int round = 0; round < rounds; ++round) {
    multiply();
    for (int i = 0; i < size; ++i) {
      for (int j = 0; j < size; ++j) sum = sum * 31 + (unsigned)(int)c[i][j];
    }
    a[round][round] += 1;
  }
  return to_checksum(sum);
}
