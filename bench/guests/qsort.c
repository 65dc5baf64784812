// Quicksort with insertion sort for short runs, comparing through a function pointer as libc's
// qsort does: call_indirect, pointer arithmetic, element swaps. Guest; see README.md.
#include "guest.h"

enum { element_count = 100000, rounds = 30 };

struct Record {
  unsigned key;
  int weight;
};

typedef int (*Compare)(const void*, const void*);

static struct Record records[element_count];

static int by_key(const void* left, const void* right) {
  unsigned a = ((const struct Record*)left)->key, b = ((const struct Record*)right)->key;
  return (a > b) - (a < b);
}

static int by_weight(const void* left, const void* right) {
  const struct Record *a = left, *b = right;
  if (a->weight != b->weight) return a->weight < b->weight ? -1 : 1;
  return by_key(left, right);
}

static int by_key_descending(const void* left, const void* right) { return by_key(right, left); }

// Volatile: the callee is known only when the guest runs.
static volatile Compare orders[3] = {by_key, by_weight, by_key_descending};

static void swap(struct Record* left, struct Record* right) {
  struct Record kept = *left;
  *left = *right;
  *right = kept;
}

static __attribute__((noinline)) void sort(struct Record* begin, struct Record* end, Compare compare) {
  while (end - begin > 12) {
    struct Record* middle = begin + (end - begin) / 2;
    if (compare(middle, begin) < 0) swap(middle, begin);
    if (compare(end - 1, middle) < 0) swap(end - 1, middle);
    if (compare(middle, begin) < 0) swap(middle, begin);
    struct Record pivot = *middle;
    struct Record* left = begin;
    struct Record* right = end - 1;
    for (;;) {
      while (compare(left, &pivot) < 0) ++left;
      while (compare(&pivot, right) < 0) --right;
      if (left >= right) break;
      swap(left++, right--);
    }
    // Recursion on the shorter part bounds the depth.
    if (left - begin < end - left) {
      sort(begin, left, compare);
      begin = left;
    } else {
      sort(left, end, compare);
      end = left;
    }
  }
  for (struct Record* next = begin + 1; next < end; ++next) {
    struct Record moved = *next;
    struct Record* hole = next;
    while (hole > begin && compare(&moved, hole - 1) < 0) {
      *hole = hole[-1];
      --hole;
    }
    *hole = moved;
  }
}

int run(void) {
  unsigned sum = 0, seed = 42;
  for (int i = 0; i < element_count; ++i) {
    records[i].key = next_random(&seed);
    records[i].weight = (int)(next_random(&seed) % 2000) - 1000;
  }
  for (int round = 0; round < rounds; ++round) {
    sort(records, records + element_count, orders[round % 3]);
    for (int i = 0; i < element_count; ++i) {
      sum = sum * 31 + records[i].key;
      records[i].key ^= next_random(&seed) & 0xffffU;
    }
  }
  return to_checksum(sum);
}
