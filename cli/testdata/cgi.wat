;; A CGI program: answers status 201 with its variables, one a line, and with its standard input behind them.
(module
  (import "wasi_snapshot_preview1" "environ_sizes_get" (func $environ_sizes_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "environ_get" (func $environ_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_read" (func $fd_read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 2)
  (data (i32.const 200) "Status: 201 Created\r\nContent-Type: text/plain\r\nContent-Length: 7\r\n\r\n")
  (func $write (param $address i32) (param $size i32)
    (i32.store (i32.const 32) (local.get $address))
    (i32.store (i32.const 36) (local.get $size))
    (drop (call $fd_write (i32.const 1) (i32.const 32) (i32.const 1) (i32.const 40))))
  (func (export "_start") (local $at i32) (local $end i32)
    (call $write (i32.const 200) (i32.const 68))
    (drop (call $environ_sizes_get (i32.const 0) (i32.const 4)))
    (drop (call $environ_get (i32.const 1024) (i32.const 8192)))
    (local.set $at (i32.const 8192))
    (local.set $end (i32.add (local.get $at) (i32.load (i32.const 4))))
    (block $done
      (loop $next
        (br_if $done (i32.eq (local.get $at) (local.get $end)))
        (if (i32.eqz (i32.load8_u (local.get $at))) (then (i32.store8 (local.get $at) (i32.const 10))))
        (local.set $at (i32.add (local.get $at) (i32.const 1)))
        (br $next)))
    (call $write (i32.const 8192) (i32.load (i32.const 4)))
    (loop $copy
      (i32.store (i32.const 32) (i32.const 65536))
      (i32.store (i32.const 36) (i32.const 1024))
      (drop (call $fd_read (i32.const 0) (i32.const 32) (i32.const 1) (i32.const 40)))
      (if (i32.load (i32.const 40))
        (then
          (call $write (i32.const 65536) (i32.load (i32.const 40)))
          (br $copy))))))
