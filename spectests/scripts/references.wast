;; A block whose type is the only place where a module uses a reference type
(module (func (export "f") (result i32) (ref.is_null (block (result externref) (ref.null extern)))))
(assert_return (invoke "f") (i32.const 1))

(module
  (func (export "f") (param (ref extern)) (result (ref extern)) (block (result (ref extern)) (local.get 0))))
(assert_return (invoke "f" (ref.extern 1)) (ref.extern 1))
