/* Makes the same hostcalls in the same order as the two original programs of 2019 and a C program of the traces:
 * REPLAY 1 is hello.wasm, 2 is rust_wasm_simple.wasm, 3 the C program. Frees as they do; free traps if it is given
 * anything but a block in use. */
#define TERRAFIRMA_NO_ALLOCATOR
#include "terrafirma.h"

extern unsigned char __heap_base;

/* | in use | block ... */
enum { in_use = 0x600df00d };
void *malloc(size_t size) {
  static uintptr_t top;
  if (size == 0) return (void *)1; /* as Rust's allocator does */
  if (top == 0) top = (uintptr_t)&__heap_base;
  uint32_t *const block = (uint32_t *)((top + 7) & ~(uintptr_t)7);
  top = (uintptr_t)(block + 2) + size;
  while (top > (size_t)__builtin_wasm_memory_size(0) << 16)
    if (__builtin_wasm_memory_grow(0, 1) == (size_t)-1) return NULL;
  block[1] = in_use;
  return block + 2;
}
void free(void *block) {
  uint32_t *const mark = (uint32_t *)block - 1;
  if (*mark != in_use) __builtin_trap();
  *mark = 0;
}

#define LITERAL(text) text, sizeof(text) - 1

static void free_list(struct string_slice *list, size_t count) {
  for (size_t i = 0; i < count; ++i) free((void *)list[i].ptr);
  if (count > 0) free(list);
}

static void read_request(void) {
  struct string_slice *names, *values;
  size_t count, value_count;
  hostcall_req_get_headers(&names, &count, REQUEST_INCOMING);
  for (size_t i = 0; i < count; ++i) {
    hostcall_req_get_header(&values, &value_count, REQUEST_INCOMING, names[i].ptr, names[i].len);
    free_list(values, value_count);
  }
  free_list(names, count);
}

/* "/path METHOD: body - 11: upstream" is what rust_wasm_simple answers. */
void run(void) {
  char *method, *path, *body;
  size_t method_size, path_size, body_size;
  struct tf_buffer answer = {0};
  hostcall_init_mm(malloc, free);
#if REPLAY == 3
  hostcall_req_get_path(&path, &path_size, REQUEST_INCOMING);
  hostcall_resp_set_body(RESPONSE_OUTGOING, path, path_size);
  const struct string_slice cookies[] = {{LITERAL("a=1")}, {LITERAL("b=2")}};
  hostcall_resp_set_header(RESPONSE_OUTGOING, LITERAL("Set-Cookie"), cookies, 2);
  hostcall_resp_set_response_code(RESPONSE_OUTGOING, 201);
  struct string_slice *missing;
  size_t count;
  hostcall_req_get_header(&missing, &count, REQUEST_INCOMING, LITERAL("X-Missing"));
  const req_handle request = hostcall_req_create(LITERAL("POST"), LITERAL("http://127.0.0.1:1/"));
  char secret[] = "secret!";
  hostcall_req_set_body(request, secret, 7);
  memset(secret, 'X', 7);
  hostcall_req_send(request);
  (void)method, (void)method_size, (void)body, (void)body_size, (void)answer, (void)read_request;
#else
  read_request();
  hostcall_req_get_method(&method, &method_size, REQUEST_INCOMING);
  hostcall_req_get_path(&path, &path_size, REQUEST_INCOMING);
  hostcall_req_get_body(&body, &body_size, REQUEST_INCOMING);
#if REPLAY == 1
  tf_add_text(&answer, "Hello World!");
#else
  const req_handle request = hostcall_req_create(
      LITERAL("GET"), LITERAL("https://api.weather.gov/stations/KSFO/observations/latest"));
  const struct string_slice accept = {LITERAL("application/ld+json")};
  hostcall_req_set_header(request, LITERAL("accept"), &accept, 1);
  hostcall_req_set_body(request, (const char *)1, 0);
  const resp_handle response = hostcall_req_send(request);
  if (response < 0) {
    hostcall_panic_hook(LITERAL("panicked at 'called `Result::unwrap()` on an `Err` value: Hostcall', "
                                "src/libcore/result.rs:1165:5"));
    __builtin_trap();
  }
  struct string_slice *names, *values;
  size_t count, value_count;
  hostcall_resp_get_headers(&names, &count, response);
  for (size_t i = 0; i < count; ++i) {
    hostcall_resp_get_header(&values, &value_count, response, names[i].ptr, names[i].len);
    free_list(values, value_count);
  }
  free_list(names, count);
  hostcall_resp_get_response_code(response);
  const struct tf_bytes upstream = tf_response_body(response);
  tf_add(&answer, (struct tf_bytes){path, path_size});
  tf_add_text(&answer, " ");
  tf_add(&answer, (struct tf_bytes){method, method_size});
  tf_add_text(&answer, ": ");
  tf_add(&answer, (struct tf_bytes){body, body_size});
  tf_add_text(&answer, " - 11: ");
  tf_add(&answer, upstream);
#endif
  free(method);
  free(path);
  if (body_size > 0) free(body);
  hostcall_resp_set_response_code(RESPONSE_OUTGOING, 200);
  hostcall_resp_set_body(RESPONSE_OUTGOING, answer.data, answer.size);
#endif
}
