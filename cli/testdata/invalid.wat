;; Leaves an f64 where an i32 is promised.
(module
  (func $fine (export "_start"))
  (func $wrong (result i32)
    (f64.const 1)))
