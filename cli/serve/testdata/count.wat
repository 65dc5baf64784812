;; Answers how often this instance's memory and global were incremented: always "11".
(module
  (import "env" "hostcall_resp_set_body" (func $set_body (param i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (global $calls (mut i32) (i32.const 48))
  (data (i32.const 0) "00")
  (func (export "run")
    (global.set $calls (i32.add (global.get $calls) (i32.const 1)))
    (i32.store8 (i32.const 0) (i32.add (i32.load8_u (i32.const 0)) (i32.const 1)))
    (i32.store8 (i32.const 1) (global.get $calls))
    (i32.store (i32.const 65532) (i32.const -1))
    (drop (call $set_body (i32.const 0) (i32.const 0) (i32.const 2)))))
