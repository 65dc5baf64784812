// Lists a folder of argument 1 entries that it makes first in "/" (descriptor 3), goes back to a place in the middle by
// its cookie, and removes them while it lists.
#include <dirent.h>
#include <fcntl.h>
#include <wasi/api.h>

#include "wasi/guests/check.h"

static int list(DIR* directory) {
  int entries = 0;
  errno = 0;
  while (readdir(directory) != NULL) ++entries;
  CHECK(errno == 0);
  return entries;
}

// Entries from a cookie on, at most `most` if that is not negative; the cookie behind the last one.
static int list_from(__wasi_dircookie_t cookie, int most, __wasi_dircookie_t* last) {
  static uint8_t buffer[300];
  int entries = 0;
  size_t used;
  while (1) {
    CHECK(__wasi_fd_readdir(3, buffer, sizeof(buffer), cookie, &used) == 0);
    for (size_t at = 0; at + sizeof(__wasi_dirent_t) <= used;) {
      __wasi_dirent_t entry;
      memcpy(&entry, buffer + at, sizeof(entry));
      at += sizeof(entry) + entry.d_namlen;
      if (at > used) break;
      if (entries == most) {
        *last = cookie;
        return entries;
      }
      cookie = entry.d_next;
      ++entries;
    }
    if (used < sizeof(buffer)) break;
  }
  *last = cookie;
  return entries;
}

int main(int count, char** arguments) {
  CHECK(count == 2);
  const int wanted = atoi(arguments[1]);
  for (int i = 0; i < wanted; ++i) {
    char name[] = "/entry-000000";
    char* digit = name + sizeof(name) - 2;
    for (int left = i; left != 0; left /= 10) *digit-- = (char)('0' + left % 10);
    const int file = open(name, O_CREAT | O_WRONLY, 0600);
    CHECK(file >= 0 && close(file) == 0);
  }
  DIR* const directory = opendir("/");
  CHECK(directory != NULL);
  CHECK(list(directory) == wanted + 2);
  rewinddir(directory);
  CHECK(list(directory) == wanted + 2);

  __wasi_dircookie_t middle = 0, end = 0, again = 0;
  CHECK(list_from(0, wanted / 2, &middle) == wanted / 2);
  const int rest = list_from(middle, -1, &end);
  CHECK(rest == wanted + 2 - wanted / 2);
  CHECK(list_from(0, -1, &again) == wanted + 2 && again == end);
  CHECK(list_from(middle, -1, &again) == rest && again == end);

  rewinddir(directory);
  int removed = 0;
  for (const struct dirent* entry; (entry = readdir(directory)) != NULL;) {
    if (entry->d_name[0] == '.') continue;
    CHECK(unlinkat(dirfd(directory), entry->d_name, 0) == 0);
    ++removed;
  }
  CHECK(removed == wanted);
  say("listed\n");
  return 0;
}
