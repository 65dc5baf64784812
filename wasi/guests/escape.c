// Tries to leave the folder that it was given as "/", by all that POSIX has for paths. Outside lie "secret" (a file),
// "outside" (a folder with a file "x"); argument 1 is the host's name of the outermost folder. In the folder lie links
// that lead out, made by the host: "escape" to ../secret, "escape-dir" to ../outside, "absolute" to the host's secret.
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "wasi/guests/check.h"

static void refuse(const char* path) {
  struct stat status;
  const struct timespec times[2] = {{1, 0}, {1, 0}};
  CHECK_FAILS(open(path, O_RDONLY));
  CHECK_FAILS(open(path, O_RDWR));
  CHECK_FAILS(open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600));
  CHECK_FAILS(open(path, O_WRONLY | O_APPEND));
  CHECK_FAILS(stat(path, &status));
  CHECK_FAILS(utimensat(AT_FDCWD, path, times, 0));
  CHECK_FAILS(link(path, "taken"));
  CHECK_FAILS(rename(path, "taken"));
  CHECK_FAILS(rename("file", path));
  CHECK_FAILS(link("file", path));
  CHECK_FAILS(mkdir(path, 0700));
  CHECK_FAILS(rmdir(path));
  CHECK_FAILS(unlink(path));
  CHECK(opendir(path) == NULL);
}

static void refuse_link(const char* path) {
  struct stat status;
  CHECK_FAILS(open(path, O_RDONLY));
  CHECK_FAILS(open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600));
  CHECK_FAILS(stat(path, &status));
  CHECK(opendir(path) == NULL);
}

int main(int count, char** arguments) {
  CHECK(count == 2);
  char path[512];
  const int file = open("file", O_CREAT | O_RDWR, 0600);
  CHECK(file >= 0);
  CHECK(mkdir("dir", 0700) == 0);

  static const char* const ways[] = {"../secret",      "../outside/x",     "dir/../../secret", "./../secret",
                                     "dir/../../outside/x", "escape-dir/x", "escape-dir/../secret",
                                     "escape-dir/../outside/x"};
  for (unsigned i = 0; i < sizeof(ways) / sizeof(*ways); ++i) refuse(ways[i]);
  CHECK(strlen(arguments[1]) + 16 < sizeof(path));
  strcat(strcpy(path, arguments[1]), "/secret");
  refuse(path);
  strcat(strcat(strcpy(path, "/.."), arguments[1]), "/secret");
  refuse(path);

  static const char* const links[] = {"escape",       "escape/",      "escape//",     "escape/.",   "escape-dir",
                                      "escape-dir/",  "escape-dir//", "escape-dir/.", "absolute",   "absolute/",
                                      "dir/../escape", "dir/../escape-dir/"};
  for (unsigned i = 0; i < sizeof(links) / sizeof(*links); ++i) refuse_link(links[i]);

  // Links of its own making: they may be made, and lead nowhere.
  CHECK_FAILS(symlink(arguments[1], "own-absolute"));
  if (symlink("../secret", "own") == 0) refuse_link("own");
  if (symlink("..", "dir/up") == 0) {
    CHECK(symlink("dir/up", "dot") == 0);
    CHECK_FAILS(open("dot/../../secret", O_RDONLY));
    CHECK_FAILS(open("dir/up/../secret", O_RDONLY));
  }
  CHECK(symlink(".", "self") == 0);
  CHECK_FAILS(open("self/../secret", O_RDONLY));
  CHECK(open("self/self/file", O_RDONLY) >= 0);
  CHECK(symlink("loop", "loop") == 0);
  CHECK_ERRNO(open("loop", O_RDONLY), ELOOP);

  // A directory that is open is a border too.
  const int directory = open("dir", O_RDONLY | O_DIRECTORY);
  CHECK(directory >= 0);
  CHECK_FAILS(openat(directory, "../file", O_RDONLY));
  CHECK_FAILS(openat(directory, "../../secret", O_RDONLY));
  CHECK_FAILS(mkdirat(directory, "../made", 0700));
  say("nothing led out\n");
  return 0;
}
