// For the guests of this folder: a check that fails says where and ends the program. No printf: guests stay small.
#pragma once

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static inline void say(const char* text) {
  if (write(1, text, strlen(text)) < 0) _Exit(3);
}

static inline void say_number(long long number) {
  char digits[24];
  char* at = digits + sizeof(digits);
  unsigned long long left = number < 0 ? -(unsigned long long)number : (unsigned long long)number;
  *--at = '\0';
  do *--at = (char)('0' + left % 10);
  while ((left /= 10) != 0);
  if (number < 0) *--at = '-';
  say(at);
}

static inline void check(int is_true, const char* text, int line) {
  if (is_true) return;
  say("line ");
  say_number(line);
  say(": not so: ");
  say(text);
  say("; errno ");
  say_number(errno);
  say("\n");
  _Exit(1);
}

#define CHECK(condition) check((condition) != 0, #condition, __LINE__)
// The call must fail, with one of these errors where it matters.
#define CHECK_FAILS(call) (errno = 0, CHECK((call) < 0))
#define CHECK_ERRNO(call, error) (errno = 0, CHECK((call) < 0 && errno == (error)))
