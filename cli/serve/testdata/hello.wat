;; A hostcall function: 200, text/plain, "Hello World!".
(module
  (import "env" "hostcall_resp_set_header" (func $set_header (param i32 i32 i32 i32 i32) (result i32)))
  (import "env" "hostcall_resp_set_body" (func $set_body (param i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "Hello World!\n")
  (data (i32.const 16) "Content-Type")
  (data (i32.const 32) "text/plain")
  (data (i32.const 48) "\20\00\00\00\0a\00\00\00") ;; a list of one: address 32, 10 bytes
  (func (export "run")
    (drop (call $set_header (i32.const 0) (i32.const 16) (i32.const 12) (i32.const 48) (i32.const 1)))
    (drop (call $set_body (i32.const 0) (i32.const 0) (i32.const 13)))))
