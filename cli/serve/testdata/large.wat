;; A body of 1 MiB of "x".
(module
  (import "env" "hostcall_resp_set_body" (func $set_body (param i32 i32 i32) (result i32)))
  (memory (export "memory") 16)
  (func (export "run")
    (memory.fill (i32.const 0) (i32.const 120) (i32.const 1048576))
    (drop (call $set_body (i32.const 0) (i32.const 0) (i32.const 1048576)))))
