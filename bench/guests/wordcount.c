// Counts the words of a generated text with an open-addressing hash table: byte loads, character
// tests, FNV hashing, string compares and probes. Guest; see README.md.
#include "guest.h"

enum { text_size = 1 << 20, table_size = 1 << 14, word_kinds = 4000, rounds = 16 };

struct Entry {
  unsigned hash, begin, length, count;
};

static char text[text_size];
static struct Entry table[table_size];

// Words are spelled from their rank; small ranks are frequent, as in a natural text.
static void write_text(unsigned seed) {
  unsigned position = 0;
  while (position < text_size - 16) {
    unsigned draw = next_random(&seed) % word_kinds;
    unsigned rank = (draw * (next_random(&seed) % word_kinds)) / word_kinds;
    unsigned spelling = rank * 2654435761U + 12345;
    unsigned length = 2 + spelling % 9;
    for (unsigned i = 0; i < length; ++i) {
      text[position++] = (char)((i == 0 && draw % 8 == 0 ? 'A' : 'a') + spelling % 26);
      spelling = spelling / 3 + rank;
    }
    text[position++] = draw % 11 == 0 ? '.' : ' ';
  }
  while (position < text_size) text[position++] = ' ';
}

static int is_letter(char character) { return ((unsigned)character | 32) - 'a' < 26; }

static char to_lower(char character) { return (char)(character | 32); }

static void count_word(unsigned begin, unsigned length, unsigned hash) {
  unsigned slot = hash & (table_size - 1);
  for (;;) {
    struct Entry* entry = &table[slot];
    if (entry->count == 0) {
      entry->hash = hash;
      entry->begin = begin;
      entry->length = length;
      entry->count = 1;
      return;
    }
    if (entry->hash == hash && entry->length == length) {
      unsigned i = 0;
      while (i < length && to_lower(text[begin + i]) == to_lower(text[entry->begin + i])) ++i;
      if (i == length) {
        ++entry->count;
        return;
      }
    }
    slot = (slot + 1) & (table_size - 1);
  }
}

static __attribute__((noinline)) void count_words(void) {
  unsigned position = 0;
  while (position < text_size) {
    while (position < text_size && !is_letter(text[position])) ++position;
    unsigned begin = position;
    unsigned hash = 2166136261U;
    while (position < text_size && is_letter(text[position])) {
      hash = (hash ^ (unsigned)to_lower(text[position])) * 16777619U;
      ++position;
    }
    if (position > begin) count_word(begin, position - begin, hash);
  }
}

int run(void) {
  unsigned sum = 0;
  for (unsigned round = 0; round < rounds; ++round) {
    write_text(round + 1);
    for (unsigned i = 0; i < table_size; ++i) table[i].count = 0;
    for (unsigned pass = 0; pass < 3; ++pass) count_words();
    for (unsigned i = 0; i < table_size; ++i) {
      if (table[i].count != 0) sum += table[i].hash * table[i].count;
    }
  }
  return to_checksum(sum);
}
