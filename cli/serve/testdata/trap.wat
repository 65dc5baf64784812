;; Sets a body, then traps.
(module
  (import "env" "hostcall_resp_set_body" (func $set_body (param i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "secret")
  (func $inner unreachable)
  (func $run (export "run")
    (drop (call $set_body (i32.const 0) (i32.const 0) (i32.const 6)))
    (call $inner)))
