;; Calls itself until the stack is exhausted.
(module (func $run (export "run") (call $run)))
