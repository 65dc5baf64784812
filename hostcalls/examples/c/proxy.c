/* Fetches several pages at the same time and answers them in one JSON object, in the order in which they arrived:
 *   /proxy.wasm?url=http://a.example/&url=http://b.example/ */
#include "terrafirma.h"

enum { max_pages = 16 };

void run(void) {
  pending_handle pending[max_pages];
  struct tf_bytes urls[max_pages];
  size_t count = 0;
  const struct tf_bytes path = tf_path();
  for (; count < max_pages; ++count) {
    urls[count] = tf_query_at(path, "url", count);
    if (urls[count].data == NULL) break;
    pending[count] = tf_fetch_async(urls[count]);
  }

  struct tf_buffer answer = {0};
  tf_add_text(&answer, "{");
  for (size_t left = count; left > 0; --left) {
    pending_handle selected;
    const resp_handle response = hostcall_pending_req_select(pending, left, &selected);
    size_t i = 0;
    while (pending[i] != selected) ++i;
    tf_add_text(&answer, left < count ? ", " : "");
    tf_add_json(&answer, urls[i]);
    tf_add_text(&answer, ": ");
    if (response < 0) tf_add_text(&answer, "null");
    else tf_add_json(&answer, tf_response_body(response));
    pending[i] = pending[left - 1];
    urls[i] = urls[left - 1];
  }
  tf_add_text(&answer, "}\n");
  tf_respond(count == 0 ? 400 : 200, "application/json", tf_done(&answer));
}
