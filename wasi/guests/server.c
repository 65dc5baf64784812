// Accepts one connection on descriptor 3, sends back what it receives in capitals until the peer has sent all, and shuts
// down. Then tries what a guest must not: to connect, to accept on what is no listening socket.
#include <sys/socket.h>
#include <wasi/api.h>

#include "wasi/guests/check.h"

int main(void) {
  say("listening\n");
  const int connection = accept(3, NULL, NULL);
  CHECK(connection > 3);
  char text[256];
  ssize_t length;
  while ((length = recv(connection, text, sizeof(text), 0)) > 0) {
    for (ssize_t i = 0; i < length; ++i)
      if (text[i] >= 'a' && text[i] <= 'z') text[i] = (char)(text[i] - 'a' + 'A');
    CHECK(send(connection, text, (size_t)length, 0) == length);
  }
  CHECK(length == 0);
  CHECK(shutdown(connection, SHUT_WR) == 0);
  CHECK_FAILS(accept(connection, NULL, NULL));
  CHECK_FAILS(accept(0, NULL, NULL));
  CHECK_FAILS(send(3, "x", 1, 0));
  CHECK(close(connection) == 0);
  say("served\n");
  return 0;
}
