/* Counts its requests in the key-value store: POST counts one more, GET tells how many there were. Each visit appends a
 * byte, which the store does in one step: two visits at the same time are both counted. */
#include "terrafirma.h"

void run(void) {
  if (tf_equal(tf_method(), tf_text("POST"))) hostcall_kvstore_append("visits", 6, "x", 1);
  char *visits;
  size_t count;
  hostcall_kvstore_get(&visits, &count, "visits", 6);
  struct tf_buffer answer = {0};
  tf_add_text(&answer, "{\"visits\": ");
  tf_add_number(&answer, count);
  tf_add_text(&answer, "}\n");
  tf_respond(200, "application/json", tf_done(&answer));
}
