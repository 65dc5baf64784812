;; Takes all memory that it can get, then answers "full".
(module
  (import "env" "hostcall_resp_set_body" (func $set_body (param i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "full")
  (func (export "run")
    (loop $again (br_if $again (i32.ne (memory.grow (i32.const 16)) (i32.const -1))))
    (drop (call $set_body (i32.const 0) (i32.const 0) (i32.const 4)))))
