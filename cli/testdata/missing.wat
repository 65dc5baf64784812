;; Imports what tfvm does not have.
(module
  (import "env" "draw" (func (param i32 f64) (result i64)))
  (import "env" "screen" (memory 1 2))
  (import "wasi_snapshot_preview1" "fd_write" (func (param i32 i32 i32 i32) (result i32)))
  (func (export "_start")))
