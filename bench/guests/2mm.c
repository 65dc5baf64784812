// D = alpha*A*B*C + beta*D, two dense products in a row: f64 multiply-add with a pointer to the row
// and a running destination, loops of different lengths. Elements are small integers scaled by
// powers of two, so every sum is exact. Guest; see README.md.
#include "guest.h"

enum { ni = 160, nj = 180, nk = 200, nl = 190, rounds = 22 };

static double a[ni][nk], b[nk][nj], c[nj][nl], d[ni][nl], product[ni][nj];

static __attribute__((noinline)) void two_products(double alpha, double beta) {
  for (int i = 0; i < ni; ++i) {
    for (int j = 0; j < nj; ++j) {
      product[i][j] = 0;
      for (int k = 0; k < nk; ++k) product[i][j] += alpha * a[i][k] * b[k][j];
    }
  }
  for (int i = 0; i < ni; ++i) {
    for (int l = 0; l < nl; ++l) {
      d[i][l] *= beta;
      for (int j = 0; j < nj; ++j) d[i][l] += product[i][j] * c[j][l];
    }
  }
}

int run(void) {
  for (int i = 0; i < ni; ++i) {
    for (int k = 0; k < nk; ++k) a[i][k] = (double)((i * k + 1) % 7);
  }
  for (int k = 0; k < nk; ++k) {
    for (int j = 0; j < nj; ++j) b[k][j] = (double)((k * (j + 1)) % 5);
  }
  for (int j = 0; j < nj; ++j) {
    for (int l = 0; l < nl; ++l) c[j][l] = (double)((j * (l + 3) + 1) % 6);
  }
  for (int i = 0; i < ni; ++i) {
    for (int l = 0; l < nl; ++l) d[i][l] = (double)((i * (l + 2)) % 4);
  }
  unsigned sum = 0;
  for (int round = 0; round < rounds; ++round) {
    two_products(1.5, round % 2 == 0 ? 0.5 : 0.0);
    for (int i = 0; i < ni; ++i) {
      for (int l = 0; l < nl; ++l) sum = sum * 31 + (unsigned)(d[i][l] * 0.5);
    }
  }
  return to_checksum(sum);
}
