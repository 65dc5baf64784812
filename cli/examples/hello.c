// The smallest useful WASI program, without any libc: writes one line to standard output with fd_write.
// hello.wasm beside it was built, and is rebuilt, with
//   clang-19 --target=wasm32 -O2 -nostdlib -Wl,--strip-debug -Wl,-z,stack-size=4096 -o hello.wasm hello.c
// (clang-19 and lld-19 of Debian 12; clang-16 with lld-16 gives a program that does the same).

struct buffer {
  const char* bytes;
  unsigned long size;
};

__attribute__((import_module("wasi_snapshot_preview1"), import_name("fd_write"))) int fd_write(
    int descriptor, const struct buffer* buffers, unsigned long count, unsigned long* written);
__attribute__((import_module("wasi_snapshot_preview1"), import_name("proc_exit"), noreturn)) void proc_exit(int code);

void _start(void) {
  static const char greeting[] = "Hello from WebAssembly!\n";
  const struct buffer line = {greeting, sizeof greeting - 1};
  unsigned long written = 0;
  if (fd_write(1, &line, 1, &written) != 0) proc_exit(1);
}
