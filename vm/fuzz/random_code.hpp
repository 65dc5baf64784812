// Random function bodies that are valid by construction: every production leaves exactly the values that it promises on
// the operand stack. Biased to what a translator of trees gets wrong: order of traps and effects, values that wait on
// the stack while locals, globals and memories change, branches that carry values, calls in every position.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "decoder/opcodes.hpp"
#include "vm/fuzz/choices.hpp"
#include "vm/fuzz/module_shape.hpp"

namespace tfvm::fuzz {

inline bool is_number(TypeByte type) { return type >= test::f64 && type <= test::i32; }

/// Makes the body of one function.
class CodeGenerator {
 public:
  /// `share`: how many bytes of choices it may take, roughly.
  CodeGenerator(const ModuleShape& shape, Choices& choices, std::uint32_t function, std::size_t share);

  void generate();
  /// The vector of local declarations, and the code without its final end.
  const Bytes& locals() const { return local_declarations_; }
  const Bytes& code() const { return code_; }

 private:
  static constexpr unsigned whole_depth = 7;
  static constexpr std::size_t most_code_bytes = 16384;

  // ---- writing
  void opcode(Op op);
  void unsigned_number(std::uint64_t value);
  void op_with_index(Op op, std::uint64_t index);
  void i32_const(std::int64_t value);
  void constant(TypeByte type, std::uint64_t bits);
  void memarg(Op op, std::uint32_t memory, std::uint64_t offset);

  // ---- choosing
  bool is_spent() const;
  TypeByte any_type();
  TypeByte any_number_type();
  bool choose_local(TypeByte type, std::uint32_t& index);
  bool choose_global(TypeByte type, bool to_write, std::uint32_t& index);
  bool choose_function(const Bytes* results, TypeByte first_result, std::uint32_t& index);
  bool choose_type(const Bytes* results, TypeByte first_result, std::uint32_t& index);
  bool choose_label(std::uint32_t& depth);
  std::uint64_t interesting_bits(TypeByte type);

  // ---- expressions (expressions.cpp): each leaves one value
  void expression(TypeByte type, unsigned depth);
  void number_expression(TypeByte type, unsigned depth);
  void reference_expression(TypeByte type, unsigned depth);
  void values(const Bytes& types, unsigned depth);
  void leaf(TypeByte type);
  void operation(TypeByte type, unsigned depth);
  void operand(Op op, TypeByte type, bool is_last, unsigned depth);
  void load(TypeByte type, unsigned depth);
  void tee(TypeByte type, unsigned depth);
  void select(TypeByte type, unsigned depth);
  void call_expression(TypeByte type, unsigned depth);
  void block_expression(TypeByte type, unsigned depth);
  void branch_expression(TypeByte type, unsigned depth);
  void waiting_expression(TypeByte type, unsigned depth);
  void size_expression(TypeByte type, unsigned depth);
  void condition(unsigned depth);
  std::uint32_t address(Op op, unsigned depth, std::uint64_t& offset);
  void index_into(std::uint64_t size, bool wide, unsigned depth);
  void make_canonical(TypeByte type);

  // ---- statements (statements.cpp): each leaves the stack as it was
  void statement(unsigned depth);
  void statements(unsigned count, unsigned depth);
  void consume(const Bytes& types);
  void set_local(unsigned depth);
  void set_global(unsigned depth);
  void store(unsigned depth);
  void call_statement(unsigned depth);
  bool call_any(const Bytes* results, TypeByte first_result, bool is_tail, unsigned depth, Bytes& left);
  void block_statement(unsigned depth);
  void branch_statement(unsigned depth);
  void counted_loop(unsigned depth);
  void switch_statement(unsigned depth);
  void leave(unsigned depth);
  void leave_conditionally(unsigned depth);
  void dead_code(unsigned depth);
  void bulk_memory(unsigned depth);
  void bulk_table(unsigned depth);
  void parked_values(unsigned depth);
  void exchange_locals();

  // ---- orders that a program can tell apart (orders.cpp): statements
  void trapping_value(TypeByte type);
  void effect(unsigned depth);
  void trap_before_effect(unsigned depth);
  void global_before_change(unsigned depth);
  void store_locals();

  // ---- blocks
  void open(Op op, const Signature& signature, std::uint32_t type_index, bool has_index);
  void close();
  void structured(const Signature& signature, std::uint32_t type_index, bool has_index, unsigned depth);
  void block_body(const Signature& signature, unsigned depth);
  void check_steps();

  struct Label {
    Bytes types;
    bool is_loop = false;
  };

  const ModuleShape& shape_;
  Choices& choices_;
  const std::uint32_t function_;
  const std::size_t last_position_;
  Bytes local_types_;
  Bytes local_declarations_;
  Bytes code_;
  std::vector<Label> labels_;
};

}  // namespace tfvm::fuzz
