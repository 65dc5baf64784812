// A mixture as microcontroller benchmarks have it: a linked list that is searched, reversed and
// merge-sorted, 16-bit matrices, a state machine that reads numbers, and a bitwise CRC over all of
// it. Guest; see README.md.
#include "guest.h"

enum { node_count = 256, matrix_size = 24, input_size = 512, rounds = 6000 };

struct Node {
  struct Node* next;
  short value, order;
};

static struct Node nodes[node_count];
static short left[matrix_size][matrix_size], right[matrix_size][matrix_size];
static int product[matrix_size][matrix_size];
static char input[input_size + 1];

static unsigned crc16(unsigned value, unsigned crc) {
  for (int bit = 0; bit < 16; ++bit) {
    unsigned carry = (value ^ crc) & 1;
    value >>= 1;
    crc >>= 1;
    if (carry) crc ^= 0xa001;
  }
  return crc;
}

static struct Node* reverse(struct Node* list) {
  struct Node* reversed = 0;
  while (list) {
    struct Node* next = list->next;
    list->next = reversed;
    reversed = list;
    list = next;
  }
  return reversed;
}

static struct Node* merge(struct Node* a, struct Node* b) {
  struct Node head;
  struct Node* last = &head;
  while (a && b) {
    if (a->value < b->value || (a->value == b->value && a->order <= b->order)) {
      last->next = a;
      last = a;
      a = a->next;
    } else {
      last->next = b;
      last = b;
      b = b->next;
    }
  }
  last->next = a ? a : b;
  return head.next;
}

static struct Node* sort(struct Node* list, int count) {
  if (count < 2) {
    if (list) list->next = 0;
    return list;
  }
  struct Node* second = list;
  for (int i = 0; i < count / 2; ++i) second = second->next;
  struct Node* sorted_second = sort(second, count - count / 2);
  return merge(sort(list, count / 2), sorted_second);
}

static __attribute__((noinline)) unsigned list_work(unsigned seed, unsigned crc) {
  for (int i = 0; i < node_count; ++i) {
    nodes[i].next = i + 1 < node_count ? &nodes[i + 1] : 0;
    nodes[i].value = (short)(next_random(&seed) & 0x3ff);
    nodes[i].order = (short)i;
  }
  struct Node* list = nodes;
  for (int wanted = 0; wanted < 16; ++wanted) {
    struct Node* node = list;
    while (node && (node->value & 15) != wanted) node = node->next;
    crc = crc16(node ? (unsigned)node->order : 0xffff, crc);
    list = reverse(list);
  }
  list = sort(list, node_count);
  for (struct Node* node = list; node; node = node->next) crc = crc16((unsigned)node->order, crc);
  return crc;
}

static __attribute__((noinline)) unsigned matrix_work(unsigned seed, unsigned crc) {
  for (int i = 0; i < matrix_size; ++i) {
    for (int j = 0; j < matrix_size; ++j) {
      left[i][j] = (short)(next_random(&seed) >> 20);
      right[i][j] = (short)(next_random(&seed) >> 20);
    }
  }
  int total = 0;
  for (int i = 0; i < matrix_size; ++i) {
    for (int j = 0; j < matrix_size; ++j) {
      int sum = 0;
      for (int k = 0; k < matrix_size; ++k) sum += (left[i][k] * right[k][j] >> 2 & 0xf) + left[i][k];
      product[i][j] = sum;
      total += sum > 300 ? 10 : product[i][(j + 1) % matrix_size] < sum;
    }
  }
  return crc16((unsigned)total & 0xffff, crc);
}

enum State {
  state_start,
  state_sign,
  state_integer,
  state_point,
  state_fraction,
  state_exponent,
  state_invalid,
  state_count
};

static enum State next_state(enum State state, char character) {
  int is_digit = character >= '0' && character <= '9';
  switch (state) {
    case state_start:
      if (is_digit) return state_integer;
      if (character == '+' || character == '-') return state_sign;
      return character == '.' ? state_point : state_invalid;
    case state_sign: return is_digit ? state_integer : character == '.' ? state_point : state_invalid;
    case state_integer:
      if (is_digit) return state_integer;
      return character == '.' ? state_fraction : character == 'e' ? state_exponent : state_invalid;
    case state_point:
    case state_fraction: return is_digit ? state_fraction : character == 'e' ? state_exponent : state_invalid;
    case state_exponent: return is_digit ? state_exponent : state_invalid;
    default: return state_invalid;
  }
}

static __attribute__((noinline)) unsigned text_work(unsigned seed, unsigned crc) {
  static const char alphabet[] = "0123456789.0123,e+123,45-6789,x0";
  unsigned seen[state_count] = {0, 0, 0, 0, 0, 0, 0};
  for (int i = 0; i < input_size; ++i) input[i] = alphabet[next_random(&seed) & 31];
  enum State state = state_start;
  for (const char* next = input; *next; ++next) {
    if (*next == ',') {
      ++seen[state];
      state = state_start;
    } else {
      state = next_state(state, *next);
    }
  }
  for (int i = 0; i < state_count; ++i) crc = crc16(seen[i], crc);
  return crc;
}

int run(void) {
  unsigned crc = 0, sum = 0;
  for (unsigned round = 1; round <= rounds; ++round) {
    crc = list_work(round, crc);
    crc = matrix_work(round, crc);
    crc = text_work(round, crc);
    sum = sum * 31 + crc;
  }
  return to_checksum(sum);
}
