;; Modules in binary, for what wabt cannot write: limits and offsets beyond 32 bits, flags of limits, 64-bit tables.

;; (memory 0x1_0000_0000), (memory 0 0x1_0000_0000), (memory 65537): more than 65,536 pages
(assert_invalid (module binary "\00asm\01\00\00\00" "\05\07\01\00\80\80\80\80\10") "memory size")
(assert_invalid (module binary "\00asm\01\00\00\00" "\05\08\01\01\00\80\80\80\80\10") "memory size")
(assert_invalid (module binary "\00asm\01\00\00\00" "\05\05\01\00\81\80\04") "memory size")
;; (memory i64 0x1_0000_0000_0001)
(assert_invalid (module binary "\00asm\01\00\00\00" "\05\09\01\04\81\80\80\80\80\80\40") "memory size")
;; (memory 2 1)
(assert_invalid (module binary "\00asm\01\00\00\00" "\05\04\01\01\02\01") "size minimum must not be greater than maximum")
;; (table 0x1_0000_0000 funcref)
(assert_invalid (module binary "\00asm\01\00\00\00" "\04\08\01\70\00\80\80\80\80\10") "table size")
;; (table i64 2 1 funcref)
(assert_invalid (module binary "\00asm\01\00\00\00" "\04\05\01\70\05\02\01") "size minimum must not be greater than maximum")
;; limits with unknown flags
(assert_malformed (module binary "\00asm\01\00\00\00" "\05\03\01\08\00") "malformed limits flags")
(assert_malformed (module binary "\00asm\01\00\00\00" "\04\04\01\70\08\00") "malformed limits flags")
(assert_malformed (module binary "\00asm\01\00\00\00" "\05\03\01\10\00") "malformed limits flags")

;; (memory 1) (func (drop (i32.load offset=0x1_0000_0000 (i32.const 0))))
(assert_invalid
  (module binary "\00asm\01\00\00\00" "\01\04\01\60\00\00" "\03\02\01\00" "\05\03\01\00\01"
                 "\0a\0e\01\0c\00\41\00\28\02\80\80\80\80\10\1a\0b")
  "offset out of range")
;; alignment beyond natural is invalid, beyond what the field can say malformed
(assert_invalid
  (module binary "\00asm\01\00\00\00" "\01\04\01\60\00\00" "\03\02\01\00" "\05\03\01\00\01"
                 "\0a\0a\01\08\00\41\00\28\03\00\1a\0b")
  "alignment must not be larger than natural")
(assert_malformed
  (module binary "\00asm\01\00\00\00" "\01\04\01\60\00\00" "\03\02\01\00" "\05\03\01\00\01"
                 "\0a\0b\01\09\00\41\00\28\80\01\00\1a\0b")
  "malformed memop flags")

;; The index of (table i64 1 funcref) is an i64: (drop (table.get 0 (i32.const 0)))
(assert_invalid
  (module binary "\00asm\01\00\00\00" "\01\04\01\60\00\00" "\03\02\01\00" "\04\04\01\70\04\01"
                 "\0a\09\01\07\00\41\00\25\00\1a\0b")
  "type mismatch")
;; An active segment of (table i64 1 funcref) with an offset that is an i32
(assert_invalid (module binary "\00asm\01\00\00\00" "\04\04\01\70\04\01" "\09\06\01\00\41\00\0b\00") "type mismatch")
;; and of (memory i64 1)
(assert_invalid (module binary "\00asm\01\00\00\00" "\05\03\01\04\01" "\0b\06\01\00\41\00\0b\00") "type mismatch")

;; Nothing is allocated for declared counts without bytes behind them.
(assert_malformed (module binary "\00asm\01\00\00\00" "\01\05\ff\ff\ff\ff\0f") "length out of bounds")
(assert_malformed (module binary "\00asm\01\00\00\00" "\03\05\ff\ff\ff\ff\0f") "length out of bounds")
(assert_malformed (module binary "\00asm\01\00\00\00" "\07\05\ff\ff\ff\ff\0f") "length out of bounds")
;; 2^32 - 1 locals, twice
(assert_malformed
  (module binary "\00asm\01\00\00\00" "\01\04\01\60\00\00" "\03\02\01\00"
                 "\0a\10\01\0e\02\ff\ff\ff\ff\0f\7f\ff\ff\ff\ff\0f\7f\0b")
  "too many locals")
