// Asks for much at once: a million buffers, all of a large memory, more descriptors than there may be. "/" is a folder;
// argument 1 is how many descriptors it may have open.
#include <fcntl.h>
#include <wasi/api.h>

#include "wasi/guests/check.h"

enum { million = 1000000, large = 64 << 20 };

int main(int count, char** arguments) {
  CHECK(count == 2);
  const int file = open("/file", O_CREAT | O_RDWR, 0600);
  CHECK(file >= 0);
  __wasi_ciovec_t* const vectors = calloc(million, sizeof(*vectors));
  CHECK(vectors != NULL);
  const uint8_t byte = 'x';
  size_t moved = 1;
  CHECK(__wasi_fd_write((__wasi_fd_t)file, vectors, million, &moved) == 0 && moved == 0);
  for (int i = 0; i < million; ++i) vectors[i] = (__wasi_ciovec_t){&byte, 1};
  CHECK(__wasi_fd_write((__wasi_fd_t)file, vectors, million, &moved) == 0 && moved > 0 && moved <= million);
  vectors[million - 1] = (__wasi_ciovec_t){(const uint8_t*)0xfffffff0u, 0x100};
  CHECK(__wasi_fd_write((__wasi_fd_t)file, vectors + million - 1, 1, &moved) == __WASI_ERRNO_FAULT);
  CHECK(__wasi_fd_write((__wasi_fd_t)file, vectors, 0xffffffffu, &moved) == __WASI_ERRNO_FAULT);

  uint8_t* const bytes = calloc(large, 1);
  CHECK(bytes != NULL);
  CHECK(__wasi_random_get(bytes, large) == 0);
  CHECK(memcmp(bytes, bytes + large / 2, 1000) != 0);
  const __wasi_ciovec_t all = {bytes, large};
  CHECK(__wasi_fd_pwrite((__wasi_fd_t)file, &all, 1, 0, &moved) == 0 && moved == large);
  CHECK(__wasi_poll_oneoff((const __wasi_subscription_t*)bytes, (__wasi_event_t*)bytes, 0xffffffffu, &moved) ==
        __WASI_ERRNO_FAULT);

  const int most = atoi(arguments[1]);
  int open_files = 4;  // with the streams and the folder; the file is the fifth
  while (open("/file", O_RDONLY) >= 0) ++open_files;
  CHECK(errno == EMFILE);
  CHECK(open_files + 1 == most);
  say("bounded\n");
  return 0;
}
