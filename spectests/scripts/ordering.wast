;; Order of effects: what an engine that keeps operands as pending expressions, or in registers, gets wrong. A value on
;; the stack is the value of the moment when it was computed, whatever happens before it is used.

(module
  (memory 1)
  (global $g (mut i32) (i32.const 10))
  (table $t 4 funcref)
  (elem (i32.const 0) $seven)
  (type $result (func (result i32)))

  (func $seven (result i32) (i32.const 7))
  (func $set_global (param i32) (result i32) (global.set $g (local.get 0)) (i32.const 100))
  (func $store (param i32) (result i32) (i32.store (i32.const 0) (local.get 0)) (i32.const 100))

  ;; A local is read, then written, then the value is used.
  (func (export "local_then_set") (param i32) (result i32)
    local.get 0
    (local.set 0 (i32.const 5))
    local.get 0
    i32.sub)
  (func (export "local_then_tee") (param i32) (result i32)
    (i32.sub (local.get 0) (local.tee 0 (i32.const 5))))
  (func (export "expression_then_set") (param i32) (result i32)
    (i32.mul (local.get 0) (i32.const 3))
    (local.set 0 (i32.const 1000))
    local.get 0
    i32.add)
  (func (export "two_expressions_then_set") (param i32 i32) (result i32)
    (i32.add (local.get 0) (local.get 1))
    (i32.sub (local.get 0) (local.get 1))
    (local.set 0 (i32.const 0))
    (local.set 1 (i32.const 0))
    i32.mul)
  (func (export "swap") (param i32 i32) (result i32 i32)
    local.get 0
    local.get 1
    local.set 0
    local.set 1
    local.get 0
    local.get 1)
  (func (export "rotate") (param i64 i64 i64) (result i64 i64 i64)
    local.get 0
    local.get 1
    local.get 2
    local.set 1
    local.set 0
    local.set 2
    local.get 0
    local.get 1
    local.get 2)
  (func (export "increment_twice") (param i32) (result i32)
    (local.set 0 (i32.add (local.get 0) (i32.const 1)))
    local.get 0
    (local.set 0 (i32.add (local.get 0) (i32.const 1)))
    local.get 0
    (i32.mul (i32.const 1000))
    i32.add)
  (func (export "set_in_block") (param i32) (result i32)
    local.get 0
    (block (br_if 0 (i32.eqz (local.get 0))) (local.set 0 (i32.const 50)))
    local.get 0
    i32.sub)
  (func (export "set_in_loop") (param i32) (result i32)
    local.get 0
    (loop
      (local.set 0 (i32.sub (local.get 0) (i32.const 1)))
      (br_if 0 (local.get 0)))
    local.get 0
    i32.sub)
  (func (export "set_in_if") (param i32) (result i32)
    local.get 0
    (if (local.get 0) (then (local.set 0 (i32.const 1))) (else (local.set 0 (i32.const 2))))
    local.get 0
    i32.sub)

  ;; A global, memory and tables are read before and after what changes them.
  (func (export "global_then_set") (result i32)
    (global.set $g (i32.const 10))
    global.get $g
    (global.set $g (i32.const 3))
    global.get $g
    i32.sub)
  (func (export "global_then_call") (result i32)
    (global.set $g (i32.const 10))
    (i32.add (global.get $g) (call $set_global (i32.const 999))))
  (func (export "call_then_global") (result i32)
    (i32.add (call $set_global (i32.const 999)) (global.get $g)))
  (func (export "load_then_store") (result i32)
    (i32.store (i32.const 0) (i32.const 10))
    (i32.load (i32.const 0))
    (i32.store (i32.const 0) (i32.const 3))
    (i32.load (i32.const 0))
    i32.sub)
  (func (export "load_then_call") (result i32)
    (i32.store (i32.const 0) (i32.const 10))
    (i32.sub (i32.load (i32.const 0)) (call $store (i32.const 77))))
  (func (export "load_then_narrow_store") (result i32)
    (i32.store (i32.const 0) (i32.const 0x01020304))
    (i32.load (i32.const 0))
    (i32.store8 (i32.const 1) (i32.const 0xff))
    (i32.load (i32.const 0))
    i32.xor)
  (func (export "load_then_fill") (result i32)
    (i32.store (i32.const 0) (i32.const 10))
    (i32.load (i32.const 0))
    (memory.fill (i32.const 0) (i32.const 1) (i32.const 4))
    (i32.load (i32.const 0))
    i32.sub)
  (func (export "size_then_grow") (result i32)
    (i32.add (i32.mul (memory.size) (i32.const 100))
             (i32.add (i32.mul (memory.grow (i32.const 1)) (i32.const 10)) (memory.size))))
  (func (export "table_then_set") (result i32)
    (table.get 0 (i32.const 0))
    (table.set 0 (i32.const 0) (ref.null func))
    (table.get 0 (i32.const 0))
    ref.is_null
    (table.set 0 (i32.const 1) (ref.func $seven))
    (i32.mul (i32.const 10))
    (table.set 0 (i32.const 0) (table.get 0 (i32.const 1)))
    (i32.add (ref.is_null (table.get 0 (i32.const 0))))
    (call $drop_reference)
    )
  (func $drop_reference (param funcref i32) (result i32) (i32.add (ref.is_null (local.get 0)) (local.get 1)))
  (func (export "indirect_index_first") (result i32)
    (i32.add (call_indirect (type $result) (i32.const 0)) (call $set_global (i32.const 1))))

  ;; A trap comes at its place: what was before it has happened, what is behind it has not.
  (func (export "trap_before_store") (param i32)
    (i32.store (i32.const 8) (i32.div_u (i32.const 1) (local.get 0))))
  (func (export "operands_trap_before_store") (param i32) (result i32)
    (i32.div_u (i32.const 1) (local.get 0))
    (i32.store (i32.const 12) (i32.const 1)))
  (func (export "store_before_trap") (param i32) (result i32)
    (i32.store (i32.const 16) (i32.const 1))
    (i32.div_u (i32.const 1) (local.get 0)))
  (func (export "trapping_load_before_global") (param i32) (result i32)
    (i32.load (local.get 0))
    (global.set $g (i32.const 4711)))
  (func (export "dropped_traps") (param i32)
    (drop (i32.add (i32.const 1) (i32.trunc_f64_s (f64.convert_i32_u (i32.load (local.get 0)))))))
  (func (export "first_trap_wins") (param i32)
    (drop (i32.add (i32.div_s (i32.const 1) (local.get 0)) (i32.load (i32.const -1)))))
  (func (export "second_trap_wins") (param i32)
    (drop (i32.add (i32.load (i32.const -1)) (i32.div_s (i32.const 1) (local.get 0)))))
  (func (export "load") (param i32) (result i32) (i32.load (local.get 0)))
  (func (export "global") (result i32) (global.get $g))
)

(assert_return (invoke "local_then_set" (i32.const 12)) (i32.const 7))
(assert_return (invoke "local_then_tee" (i32.const 12)) (i32.const 7))
(assert_return (invoke "expression_then_set" (i32.const 2)) (i32.const 1006))
(assert_return (invoke "two_expressions_then_set" (i32.const 7) (i32.const 5)) (i32.const 24))
(assert_return (invoke "swap" (i32.const 1) (i32.const 2)) (i32.const 2) (i32.const 1))
(assert_return (invoke "rotate" (i64.const 1) (i64.const 2) (i64.const 3)) (i64.const 2) (i64.const 3) (i64.const 1))
(assert_return (invoke "increment_twice" (i32.const 3)) (i32.const 5004))
(assert_return (invoke "set_in_block" (i32.const 60)) (i32.const 10))
(assert_return (invoke "set_in_block" (i32.const 0)) (i32.const 0))
(assert_return (invoke "set_in_loop" (i32.const 9)) (i32.const 9))
(assert_return (invoke "set_in_if" (i32.const 9)) (i32.const 8))
(assert_return (invoke "set_in_if" (i32.const 0)) (i32.const -2))
(assert_return (invoke "global_then_set") (i32.const 7))
(assert_return (invoke "global_then_call") (i32.const 110))
(assert_return (invoke "call_then_global") (i32.const 1099))
(assert_return (invoke "load_then_store") (i32.const 7))
(assert_return (invoke "load_then_call") (i32.const -90))
(assert_return (invoke "load_then_narrow_store") (i32.const 0x0000fc00))
(assert_return (invoke "load_then_fill") (i32.const -16842999))
(assert_return (invoke "size_then_grow") (i32.const 112))
(assert_return (invoke "size_then_grow") (i32.const 223))
(assert_return (invoke "table_then_set") (i32.const 10))
(assert_return (invoke "indirect_index_first") (i32.const 107))
(assert_trap (invoke "trap_before_store" (i32.const 0)) "integer divide by zero")
(assert_return (invoke "load" (i32.const 8)) (i32.const 0))
(assert_trap (invoke "operands_trap_before_store" (i32.const 0)) "integer divide by zero")
(assert_return (invoke "load" (i32.const 12)) (i32.const 0))
(assert_return (invoke "operands_trap_before_store" (i32.const 1)) (i32.const 1))
(assert_return (invoke "load" (i32.const 12)) (i32.const 1))
(assert_trap (invoke "store_before_trap" (i32.const 0)) "integer divide by zero")
(assert_return (invoke "load" (i32.const 16)) (i32.const 1))
(assert_trap (invoke "trapping_load_before_global" (i32.const -1)) "out of bounds memory access")
(assert_return (invoke "global") (i32.const 1))
(assert_return (invoke "trapping_load_before_global" (i32.const 16)) (i32.const 1))
(assert_return (invoke "global") (i32.const 4711))
(assert_trap (invoke "dropped_traps" (i32.const 0x7fffffff)) "out of bounds memory access")
(assert_return (invoke "dropped_traps" (i32.const 16)))
(assert_trap (invoke "first_trap_wins" (i32.const 0)) "integer divide by zero")
(assert_trap (invoke "first_trap_wins" (i32.const 1)) "out of bounds memory access")
(assert_trap (invoke "second_trap_wins" (i32.const 0)) "out of bounds memory access")
