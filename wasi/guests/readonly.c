// What "/ro" (a file "file", a folder "dir", a link "link" to the file; given only for reading) refuses, while "/rw"
// (a file "file") allows it.
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "wasi/guests/check.h"

// A library may open it without the right to write, but nothing comes of that.
static void refuse_writing(const char* path, int flags) {
  const int file = open(path, flags, 0600);
  if (file < 0) return;
  CHECK((flags & (O_TRUNC | O_CREAT)) == 0);
  CHECK_FAILS(write(file, "x", 1));
  CHECK_FAILS(ftruncate(file, 0));
  CHECK(close(file) == 0);
}

int main(void) {
  struct stat status;
  char text[8];
  const struct timespec times[2] = {{1, 0}, {1, 0}};
  const int file = open("/ro/file", O_RDONLY);
  CHECK(file >= 0);
  CHECK(read(file, text, sizeof(text)) == 4);
  CHECK_FAILS(write(file, "x", 1));
  CHECK_FAILS(ftruncate(file, 0));
  CHECK_FAILS(posix_fallocate(file, 0, 100) == 0 ? 0 : -1);
  CHECK_FAILS(futimens(file, times));

  static const int flags[] = {O_WRONLY, O_RDWR, O_RDONLY | O_TRUNC, O_RDWR | O_CREAT, O_WRONLY | O_APPEND,
                              O_WRONLY | O_CREAT | O_EXCL};
  for (unsigned i = 0; i < sizeof(flags) / sizeof(*flags); ++i) {
    refuse_writing("/ro/file", flags[i]);
    refuse_writing("/ro/link", flags[i]);
  }
  CHECK_FAILS(open("/ro/new", O_RDWR | O_CREAT, 0600));
  CHECK_FAILS(mkdir("/ro/new", 0700));
  CHECK_FAILS(rmdir("/ro/dir"));
  CHECK_FAILS(unlink("/ro/file"));
  CHECK_FAILS(unlink("/ro/link"));
  CHECK_FAILS(symlink("x", "/ro/new"));
  CHECK_FAILS(rename("/ro/file", "/ro/new"));
  CHECK_FAILS(utimensat(AT_FDCWD, "/ro/file", times, 0));
  CHECK_FAILS(utimensat(AT_FDCWD, "/ro/link", times, AT_SYMLINK_NOFOLLOW));

  // Nothing crosses from one to the other that would make it writable, or change the first.
  CHECK_FAILS(rename("/ro/file", "/rw/new"));
  CHECK_FAILS(rename("/rw/file", "/ro/new"));
  CHECK_FAILS(rename("/rw/file", "/ro/file"));
  CHECK_FAILS(link("/ro/file", "/rw/new"));
  CHECK_FAILS(link("/rw/file", "/ro/new"));

  // From a directory that is open below it.
  const int directory = open("/ro/dir", O_RDONLY | O_DIRECTORY);
  CHECK(directory >= 0);
  CHECK_FAILS(openat(directory, "new", O_RDWR | O_CREAT, 0600));
  CHECK_FAILS(mkdirat(directory, "new", 0700));

  CHECK(stat("/ro/file", &status) == 0 && status.st_size == 4);
  const int writable = open("/rw/new", O_RDWR | O_CREAT, 0600);
  CHECK(writable >= 0 && write(writable, "x", 1) == 1);
  CHECK(unlink("/rw/new") == 0);
  say("nothing changed\n");
  return 0;
}
