;; Writes a head and "tick" and then waits for ever.
(module
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "\10\00\00\00\1f\00\00\00")
  (data (i32.const 16) "Content-Type: text/plain\n\ntick\n")
  (func (export "_start")
    (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))
    (i32.store (i32.const 144) (i32.const 1))                    ;; monotonic clock
    (i64.store (i32.const 152) (i64.const 3600000000000))        ;; an hour
    (drop (call $poll (i32.const 128) (i32.const 256) (i32.const 1) (i32.const 8)))))
