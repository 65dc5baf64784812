;; Answers the request's body, piece by piece as it comes.
(module
  (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 2)
  (data (i32.const 0) "\20\00\00\00\2b\00\00\00")
  (data (i32.const 32) "Status: 201\r\nContent-Type: text/x-echo\r\n\r\n\n")
  (func (export "_start")
    (i32.store (i32.const 4) (i32.const 42))
    (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))
    (i32.store (i32.const 0) (i32.const 1024))
    (loop $again
      (i32.store (i32.const 4) (i32.const 100000))
      (if (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 4)) (then (unreachable)))
      (if (i32.load (i32.const 4)) (then
        (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))
        (br $again))))))
