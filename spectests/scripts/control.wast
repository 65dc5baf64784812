;; Control flow that carries values: parallel moves into block parameters, operands below a branch, deep br_table.

(module
  ;; Loop parameters that change places at each turn.
  (func (export "loop_swap") (param $n i32) (param $a i32) (param $b i32) (result i32 i32)
    local.get $a
    local.get $b
    (loop $l (param i32 i32) (result i32 i32)
      local.set $b
      local.set $a
      (local.set $n (i32.sub (local.get $n) (i32.const 1)))
      local.get $b
      local.get $a
      (br_if $l (local.get $n))))
  (func (export "fibonacci") (param $n i32) (result i64)
    (local $x i64) (local $y i64)
    i64.const 0
    i64.const 1
    (loop $l (param i64 i64) (result i64)
      local.set $y
      local.set $x
      (if (result i64) (i32.eqz (local.get $n))
        (then (local.get $x))
        (else
          (local.set $n (i32.sub (local.get $n) (i32.const 1)))
          local.get $y
          (i64.add (local.get $x) (local.get $y))
          br $l))))
  ;; Operands below the ones that a branch takes are thrown away, those below the block stay.
  (func (export "discard") (param i32) (result i32)
    i32.const 1
    (block (result i32)
      i32.const 20
      i32.const 300
      (br_if 0 (local.get 0))
      drop
      drop
      i32.const 4000)
    i32.add)
  (func (export "discard_two") (param i32) (result i32)
    i32.const 1
    (block (result i32 i32)
      i32.const 9
      i32.const 9
      i32.const 20
      i32.const 300
      (br_if 0 (local.get 0))
      drop
      drop
      drop
      drop
      i32.const 5
      i32.const 6)
    i32.mul
    i32.sub)
  (func (export "condition_uses_operand") (param i32) (result i32)
    (block (result i32)
      (br_if 0 (i32.add (local.get 0) (i32.const 1)) (local.tee 0 (i32.sub (local.get 0) (i32.const 5))))
      drop
      local.get 0))
  (func (export "table_with_values") (param i32) (result i32)
    i32.const 1000
    (block (result i32)
      (block (result i32)
        (block (result i32)
          i32.const 7
          (i32.mul (local.get 0) (i32.const 10))
          (br_table 0 1 2 (local.get 0)))
        i32.const 1
        i32.add
        br 1)
      i32.const 2
      i32.add
      br 0)
    i32.add)
  (func (export "table_to_loop") (param $n i32) (result i32)
    (local $sum i32)
    (block $out
      (loop $next
        (local.set $sum (i32.add (local.get $sum) (local.get $n)))
        (local.set $n (i32.sub (local.get $n) (i32.const 1)))
        (br_table $out $next (i32.gt_s (local.get $n) (i32.const 0)))))
    local.get $sum)
  (func (export "table_to_function") (param i32) (result i32 i64)
    (block (result i32 i64)
      i32.const 1
      i64.const 2
      (br_table 0 1 (local.get 0)))
    drop
    drop
    i32.const 3
    i64.const 4)
  (func (export "huge_index") (param i32) (result i32)
    (block (block (block (br_table 0 1 2 (local.get 0))) (return (i32.const 0))) (return (i32.const 1)))
    i32.const 2)

  (func (export "if_with_parameters") (param i32) (result i32)
    i32.const 30
    i32.const 4
    (if (param i32 i32) (result i32) (local.get 0)
      (then i32.add)
      (else i32.sub)))
  (func (export "if_without_else") (param i32) (result i32)
    i32.const 30
    (if (param i32) (result i32) (local.get 0) (then drop i32.const 31)))
  (func (export "dead_code") (param i32) (result i32)
    (block (result i32)
      (br 0 (local.get 0))
      (i32.add (unreachable))
      (loop (br 0))
      drop
      i32.const 3))
  (func (export "return_permuted") (param i32 i64 f32) (result f32 i64 i32)
    local.get 2
    local.get 1
    local.get 0
    (if (i32.eqz (local.get 0)) (then (return (f32.const 0.5) (local.get 1) (i32.const 9)))))
  (func (export "return_from_depth") (param i32) (result i32)
    i32.const 1
    (loop (block (block
      i32.const 2
      i32.const 3
      (if (local.get 0) (then (return (i32.const 4))))
      drop
      drop))))
  (func (export "many_blocks") (param i32) (result i32)
    (block (block (block (block (block (block (block (block (block (block
      (br_table 0 1 2 3 4 5 6 7 8 9 (local.get 0)))
    (return (i32.const 100))) (return (i32.const 101))) (return (i32.const 102))) (return (i32.const 103)))
    (return (i32.const 104))) (return (i32.const 105))) (return (i32.const 106))) (return (i32.const 107)))
    (return (i32.const 108)))
    i32.const 109)

  ;; select
  (func (export "select_both_evaluated") (param i32) (result i32)
    (local $count i32)
    (drop (select
      (local.tee $count (i32.add (local.get $count) (i32.const 1)))
      (local.tee $count (i32.add (local.get $count) (i32.const 10)))
      (local.get 0)))
    local.get $count)
  (func (export "select_f64") (param f64 f64 i32) (result f64) (select (local.get 0) (local.get 1) (local.get 2)))
  (func (export "select_reference") (param externref externref i32) (result externref)
    (select (result externref) (local.get 0) (local.get 1) (local.get 2)))
  (func (export "select_condition_last") (param i32) (result i32)
    (select (local.get 0) (i32.const 50) (local.tee 0 (i32.const 0))))
)

(assert_return (invoke "loop_swap" (i32.const 1) (i32.const 1) (i32.const 2)) (i32.const 2) (i32.const 1))
(assert_return (invoke "loop_swap" (i32.const 2) (i32.const 1) (i32.const 2)) (i32.const 1) (i32.const 2))
(assert_return (invoke "loop_swap" (i32.const 1001) (i32.const 1) (i32.const 2)) (i32.const 2) (i32.const 1))
(assert_return (invoke "fibonacci" (i32.const 90)) (i64.const 2880067194370816120))
(assert_return (invoke "discard" (i32.const 1)) (i32.const 301))
(assert_return (invoke "discard" (i32.const 0)) (i32.const 4001))
(assert_return (invoke "discard_two" (i32.const 1)) (i32.const -5999))
(assert_return (invoke "discard_two" (i32.const 0)) (i32.const -29))
(assert_return (invoke "condition_uses_operand" (i32.const 9)) (i32.const 10))
(assert_return (invoke "condition_uses_operand" (i32.const 5)) (i32.const 0))
(assert_return (invoke "table_with_values" (i32.const 0)) (i32.const 1001))
(assert_return (invoke "table_with_values" (i32.const 1)) (i32.const 1012))
(assert_return (invoke "table_with_values" (i32.const 2)) (i32.const 1020))
(assert_return (invoke "table_with_values" (i32.const -3)) (i32.const 970))
(assert_return (invoke "table_to_loop" (i32.const 100)) (i32.const 5050))
(assert_return (invoke "table_to_function" (i32.const 0)) (i32.const 3) (i64.const 4))
(assert_return (invoke "table_to_function" (i32.const 1)) (i32.const 1) (i64.const 2))
(assert_return (invoke "huge_index" (i32.const 1)) (i32.const 1))
(assert_return (invoke "huge_index" (i32.const 0x80000000)) (i32.const 2))
(assert_return (invoke "huge_index" (i32.const -1)) (i32.const 2))
(assert_return (invoke "if_with_parameters" (i32.const 1)) (i32.const 34))
(assert_return (invoke "if_with_parameters" (i32.const 0)) (i32.const 26))
(assert_return (invoke "if_without_else" (i32.const 1)) (i32.const 31))
(assert_return (invoke "if_without_else" (i32.const 0)) (i32.const 30))
(assert_return (invoke "dead_code" (i32.const 8)) (i32.const 8))
(assert_return (invoke "return_permuted" (i32.const 1) (i64.const 2) (f32.const 3)) (f32.const 3) (i64.const 2) (i32.const 1))
(assert_return (invoke "return_permuted" (i32.const 0) (i64.const 2) (f32.const 3)) (f32.const 0.5) (i64.const 2) (i32.const 9))
(assert_return (invoke "return_from_depth" (i32.const 1)) (i32.const 4))
(assert_return (invoke "return_from_depth" (i32.const 0)) (i32.const 1))
(assert_return (invoke "many_blocks" (i32.const 0)) (i32.const 100))
(assert_return (invoke "many_blocks" (i32.const 8)) (i32.const 108))
(assert_return (invoke "many_blocks" (i32.const 9)) (i32.const 109))
(assert_return (invoke "many_blocks" (i32.const 10)) (i32.const 109))
(assert_return (invoke "select_both_evaluated" (i32.const 0)) (i32.const 11))
(assert_return (invoke "select_both_evaluated" (i32.const 1)) (i32.const 11))
(assert_return (invoke "select_f64" (f64.const -0) (f64.const nan:0x4000000000001) (i32.const 1)) (f64.const -0))
(assert_return (invoke "select_f64" (f64.const -0) (f64.const nan:0x4000000000001) (i32.const 0)) (f64.const nan:0x4000000000001))
(assert_return (invoke "select_reference" (ref.extern 1) (ref.null extern) (i32.const 1)) (ref.extern 1))
(assert_return (invoke "select_reference" (ref.extern 1) (ref.null extern) (i32.const 0)) (ref.null extern))
(assert_return (invoke "select_condition_last" (i32.const 3)) (i32.const 50))

(assert_invalid (module (func (result i32) (select (i32.const 1) (i64.const 2) (i32.const 0)))) "type mismatch")
(assert_invalid (module (func (param externref) (drop (select (local.get 0) (local.get 0) (i32.const 0))))) "type mismatch")
(assert_invalid (module (func (block (result i32) (block (br_table 0 1 (i32.const 0) (i32.const 0))) (i32.const 1)) drop)) "type mismatch")
(assert_invalid (module (func (loop (param i32) (drop) (br 0)))) "type mismatch")
