;; Traps in its start function, while it is instantiated.
(module
  (func $begin unreachable)
  (start $begin)
  (func (export "_start")))
