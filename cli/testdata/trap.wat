;; Writes a line, then traps three calls deep, in functions with names as compilers of C++ and Rust give them.
(module $trapping
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "\08\00\00\00\07\00\00\00before\n")
  (func $_start (export "_start")
    (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 100)))
    (call $_ZN5shape4areaEi (i32.const 1)))
  (func $_ZN5shape4areaEi (param i32)
    (call $_ZN4core9panicking5panic17h0123456789abcdefE))
  (func $_ZN4core9panicking5panic17h0123456789abcdefE
    unreachable))
