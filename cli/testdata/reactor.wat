;; A reactor: its exports work only when _initialize has run. $times counts how often it did.
(module
  (global $times (mut i32) (i32.const 0))
  (func (export "_initialize")
    (global.set $times (i32.add (global.get $times) (i32.const 1))))
  (func (export "times") (result i32)
    (global.get $times)))
