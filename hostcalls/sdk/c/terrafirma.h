/* Functions for tfvm and Terrafirma in C: the 32 hostcalls, an allocator, and a layer that is nicer to use.
 * One header, no libc. See README.md beside this file.
 *
 *   #include "terrafirma.h"
 *   void run(void) { tf_respond(200, "text/plain", tf_text("Hello, world!\n")); }
 *
 *   clang --target=wasm32-unknown-unknown -O2 -nostdlib -Wl,--no-entry -o hello.wasm hello.c
 */
#ifndef TERRAFIRMA_H
#define TERRAFIRMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TF_IMPORT(name) __attribute__((import_module("env"), import_name(#name))) name
#define TF_EXPORT(name) __attribute__((export_name(#name)))
#define TF_SHARED __attribute__((weak)) /* may be defined in several object files */

/* The entry point, which the program defines. */
TF_EXPORT(run) void run(void);

/* ---- The hostcalls as they are ---------------------------------------------------------------------------------- */

typedef int32_t req_handle;  /* below 0: none */
typedef int32_t resp_handle; /* below 0: none */
typedef int32_t pending_handle;
#define REQUEST_INCOMING ((req_handle)0)
#define RESPONSE_OUTGOING ((resp_handle)0)
#define PENDING_NOT_READY ((resp_handle) - 2)

enum value_status { value_status_ok = 0, value_status_invalid = 1 };

struct string_slice {
  const char *ptr;
  size_t len;
};

/* What a getter returns belongs to the program: free it, for a list each element and then the list. Every text has a NUL
 * behind it that is not counted. Pointer 0: there is nothing. */
void TF_IMPORT(hostcall_init_mm)(void *(*malloc_function)(size_t), void (*free_function)(void *));
void TF_IMPORT(hostcall_panic_hook)(const char *message, size_t length);
void TF_IMPORT(hostcall_debug)(const char *message, size_t length); /* length (size_t)-1: up to NUL */

void TF_IMPORT(hostcall_req_get_headers)(struct string_slice **names, size_t *count, req_handle request);
void TF_IMPORT(hostcall_req_get_header)(struct string_slice **values, size_t *count, req_handle request,
                                        const char *name, size_t name_length);
void TF_IMPORT(hostcall_req_get_method)(char **method, size_t *length, req_handle request);
void TF_IMPORT(hostcall_req_get_path)(char **path, size_t *length, req_handle request);
void TF_IMPORT(hostcall_req_get_body)(char **body, size_t *length, req_handle request);

enum value_status TF_IMPORT(hostcall_resp_set_header)(resp_handle response, const char *name, size_t name_length,
                                                      const struct string_slice *values, size_t count);
enum value_status TF_IMPORT(hostcall_resp_set_response_code)(resp_handle response, uint32_t code);
enum value_status TF_IMPORT(hostcall_resp_set_body)(resp_handle response, const char *body, size_t length);

req_handle TF_IMPORT(hostcall_req_create)(const char *method, size_t method_length, const char *url, size_t url_length);
enum value_status TF_IMPORT(hostcall_req_set_header)(req_handle request, const char *name, size_t name_length,
                                                     const struct string_slice *values, size_t count);
enum value_status TF_IMPORT(hostcall_req_set_body)(req_handle request, const char *body, size_t length);
resp_handle TF_IMPORT(hostcall_req_send)(req_handle request);
pending_handle TF_IMPORT(hostcall_req_send_async)(req_handle request);
resp_handle TF_IMPORT(hostcall_pending_req_wait)(pending_handle pending);
resp_handle TF_IMPORT(hostcall_pending_req_poll)(pending_handle pending);
resp_handle TF_IMPORT(hostcall_pending_req_select)(const pending_handle *pending, size_t count,
                                                   pending_handle *selected);

void TF_IMPORT(hostcall_resp_get_headers)(struct string_slice **names, size_t *count, resp_handle response);
void TF_IMPORT(hostcall_resp_get_header)(struct string_slice **values, size_t *count, resp_handle response,
                                         const char *name, size_t name_length);
void TF_IMPORT(hostcall_resp_get_body)(char **body, size_t *length, resp_handle response);
uint32_t TF_IMPORT(hostcall_resp_get_response_code)(resp_handle response);

bool TF_IMPORT(hostcall_kvstore_get)(char **value, size_t *length, const char *key, size_t key_length);
/* Writes in any case; true if the key was absent. */
bool TF_IMPORT(hostcall_kvstore_insert)(const char *key, size_t key_length, const char *value, size_t length);
/* Writes only if the key is absent; true if it did. */
bool TF_IMPORT(hostcall_kvstore_upsert)(const char *key, size_t key_length, const char *value, size_t length);
bool TF_IMPORT(hostcall_kvstore_append)(const char *key, size_t key_length, const char *value, size_t length);
bool TF_IMPORT(hostcall_kvstore_remove)(const char *key, size_t key_length);

uint64_t TF_IMPORT(hostcall_rng_next_u64)(void);
uint64_t TF_IMPORT(hostcall_time_now)(uint32_t *nanoseconds); /* may be NULL; seconds since 1970 */
bool TF_IMPORT(hostcall_dns_query_raw)(char **response, size_t *length, const char *query, size_t query_length);
bool TF_IMPORT(hostcall_dns_query_ip)(struct string_slice **addresses, size_t *count, const char *name,
                                      size_t name_length, bool ipv6);

/* ---- Allocator ------------------------------------------------------------------------------------------------------
 * Every request has an instance of its own, so memory is only ever taken: free does nothing, and all is given back when
 * the response is sent. Define TERRAFIRMA_NO_ALLOCATOR to bring malloc and free of your own, exported as
 * default_malloc_impl and default_free_impl. */

#ifndef TERRAFIRMA_NO_ALLOCATOR
extern unsigned char __heap_base; /* of the linker: behind data and stack */

TF_SHARED TF_EXPORT(default_malloc_impl) void *malloc(size_t size) {
  static uintptr_t top;
  if (top == 0) top = (uintptr_t)&__heap_base;
  const uintptr_t block = (top + 15) & ~(uintptr_t)15;
  const uintptr_t end = block + size;
  const size_t memory = __builtin_wasm_memory_size(0) << 16;
  if (end < block || block < top) return NULL;
  if (end > memory && __builtin_wasm_memory_grow(0, (end - memory + 0xffff) >> 16) == (size_t)-1) return NULL;
  top = end;
  return (void *)block;
}
TF_SHARED TF_EXPORT(default_free_impl) void free(void *block) { (void)block; }
#else
TF_EXPORT(default_malloc_impl) void *malloc(size_t size);
TF_EXPORT(default_free_impl) void free(void *block);
#endif

/* ---- Bytes, which compilers also call by themselves ----------------------------------------------------------------- */

TF_SHARED void *memcpy(void *restrict to, const void *restrict from, size_t size) {
  unsigned char *t = to;
  const unsigned char *f = from;
#pragma clang loop vectorize(disable) unroll(disable)
  while (size-- > 0) *t++ = *f++;
  return to;
}
TF_SHARED void *memset(void *to, int byte, size_t size) {
  unsigned char *t = to;
#pragma clang loop vectorize(disable) unroll(disable)
  while (size-- > 0) *t++ = (unsigned char)byte;
  return to;
}
TF_SHARED int memcmp(const void *a, const void *b, size_t size) {
  const unsigned char *x = a, *y = b;
  for (; size > 0; --size, ++x, ++y)
    if (*x != *y) return *x < *y ? -1 : 1;
  return 0;
}
TF_SHARED size_t strlen(const char *text) {
  size_t length = 0;
  while (text[length] != 0) ++length;
  return length;
}

/* ---- The nicer layer -------------------------------------------------------------------------------------------- */

/* Some bytes. Those that a function here returns have a NUL behind them. data 0: there is nothing. */
struct tf_bytes {
  const char *data;
  size_t size;
};

static inline struct tf_bytes tf_text(const char *text) {
  struct tf_bytes bytes = {text, strlen(text)};
  return bytes;
}
static inline bool tf_equal(struct tf_bytes a, struct tf_bytes b) {
  return a.size == b.size && memcmp(a.data, b.data, a.size) == 0;
}

/* The request that came in. */
static inline struct tf_bytes tf_method(void) {
  char *data;
  size_t size;
  hostcall_req_get_method(&data, &size, REQUEST_INCOMING);
  return (struct tf_bytes){data, size};
}
/* The whole target: "/hello.wasm/rest?query" */
static inline struct tf_bytes tf_path(void) {
  char *data;
  size_t size;
  hostcall_req_get_path(&data, &size, REQUEST_INCOMING);
  return (struct tf_bytes){data, size};
}
static inline struct tf_bytes tf_body(void) {
  char *data;
  size_t size;
  hostcall_req_get_body(&data, &size, REQUEST_INCOMING);
  return (struct tf_bytes){data, size};
}
/* The first value of a field; data 0 without one. */
static inline struct tf_bytes tf_header(const char *name) {
  struct string_slice *values;
  size_t count;
  hostcall_req_get_header(&values, &count, REQUEST_INCOMING, name, strlen(name));
  if (count == 0) return (struct tf_bytes){NULL, 0};
  return (struct tf_bytes){values[0].ptr, values[0].len};
}

/* A parameter of a target's query, decoded: the first of this name, or, of several, number `index` from 0. data 0 if
 * it is not there. */
TF_SHARED struct tf_bytes tf_query_at(struct tf_bytes target, const char *name, size_t index);
static inline struct tf_bytes tf_query(struct tf_bytes target, const char *name) {
  return tf_query_at(target, name, 0);
}

/* The response. Each call replaces what was said before. */
static inline void tf_set_header(const char *name, const char *value) {
  const struct string_slice slice = {value, strlen(value)};
  hostcall_resp_set_header(RESPONSE_OUTGOING, name, strlen(name), &slice, 1);
}
static inline void tf_respond(uint32_t status, const char *content_type, struct tf_bytes body) {
  hostcall_resp_set_response_code(RESPONSE_OUTGOING, status);
  tf_set_header("content-type", content_type);
  hostcall_resp_set_body(RESPONSE_OUTGOING, body.data, body.size);
}

/* Requests to others. Below 0: it could not be sent. */
static inline resp_handle tf_fetch(struct tf_bytes url) {
  return hostcall_req_send(hostcall_req_create("GET", 3, url.data, url.size));
}
static inline pending_handle tf_fetch_async(struct tf_bytes url) {
  return hostcall_req_send_async(hostcall_req_create("GET", 3, url.data, url.size));
}
static inline struct tf_bytes tf_response_body(resp_handle response) {
  char *data;
  size_t size;
  hostcall_resp_get_body(&data, &size, response);
  return (struct tf_bytes){data, size};
}

/* Bytes that are put together. Starts as {0}. */
struct tf_buffer {
  char *data;
  size_t size;
  size_t capacity;
};
TF_SHARED void tf_add(struct tf_buffer *buffer, struct tf_bytes bytes) {
  if (buffer->capacity - buffer->size <= bytes.size) {
    size_t capacity = (buffer->size + bytes.size + 64) * 2;
    char *data = malloc(capacity);
    if (data == NULL) __builtin_trap();
    memcpy(data, buffer->data, buffer->size);
    buffer->data = data;
    buffer->capacity = capacity;
  }
  memcpy(buffer->data + buffer->size, bytes.data, bytes.size);
  buffer->size += bytes.size;
  buffer->data[buffer->size] = 0;
}
static inline void tf_add_text(struct tf_buffer *buffer, const char *text) { tf_add(buffer, tf_text(text)); }
TF_SHARED void tf_add_number(struct tf_buffer *buffer, uint64_t number) {
  char digits[20];
  size_t count = 0;
  do digits[sizeof digits - ++count] = (char)('0' + number % 10);
  while ((number /= 10) != 0);
  tf_add(buffer, (struct tf_bytes){digits + sizeof digits - count, count});
}
/* As a JSON string, quotes included; bytes that are not ASCII as they are. */
TF_SHARED void tf_add_json(struct tf_buffer *buffer, struct tf_bytes bytes) {
  static const char hexadecimal[] = "0123456789abcdef";
  tf_add_text(buffer, "\"");
  for (size_t i = 0; i < bytes.size; ++i) {
    const unsigned char c = (unsigned char)bytes.data[i];
    char escape[6] = {'\\', (char)c, '0', '0'};
    if (c == '"' || c == '\\') tf_add(buffer, (struct tf_bytes){escape, 2});
    else if (c >= 0x20) tf_add(buffer, (struct tf_bytes){bytes.data + i, 1});
    else {
      escape[1] = c == '\n' ? 'n' : c == '\t' ? 't' : 'u';
      escape[4] = hexadecimal[c >> 4];
      escape[5] = hexadecimal[c & 15];
      tf_add(buffer, (struct tf_bytes){escape, escape[1] == 'u' ? 6 : 2});
    }
  }
  tf_add_text(buffer, "\"");
}
static inline struct tf_bytes tf_done(const struct tf_buffer *buffer) {
  return (struct tf_bytes){buffer->data, buffer->size};
}

TF_SHARED int tf_hexadecimal_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}
TF_SHARED struct tf_bytes tf_query_at(struct tf_bytes target, const char *name, size_t index) {
  const char *at = target.data, *const end = target.data + target.size;
  const size_t length = strlen(name);
  while (at < end && *at != '?') ++at;
  while (at < end) {
    const char *const begin = ++at;
    while (at < end && *at != '&') ++at;
    if ((size_t)(at - begin) < length || memcmp(begin, name, length) != 0) continue;
    if ((begin + length < at && begin[length] != '=') || index-- > 0) continue;
    struct tf_buffer value = {0};
    tf_add_text(&value, "");
    for (const char *c = begin + length + 1; c < at; ++c) {
      char byte = *c == '+' ? ' ' : *c;
      if (*c == '%' && at - c > 2 && tf_hexadecimal_digit(c[1]) >= 0 && tf_hexadecimal_digit(c[2]) >= 0) {
        byte = (char)(tf_hexadecimal_digit(c[1]) << 4 | tf_hexadecimal_digit(c[2]));
        c += 2;
      }
      tf_add(&value, (struct tf_bytes){&byte, 1});
    }
    return tf_done(&value);
  }
  return (struct tf_bytes){NULL, 0};
}

#endif
