;; Exits with the code that --invoke exit gives it.
(module
  (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
  (memory (export "memory") 1)
  (func (export "exit") (param i32)
    (call $proc_exit (local.get 0))))
