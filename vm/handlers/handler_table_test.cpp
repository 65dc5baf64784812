// The handler table: it holds what the translator relies on (every operator over slots, every copy, every way to
// leave), finds what it holds, and nothing else.
#include "vm/handler_table.hpp"

#include <gtest/gtest.h>
#include <string>
#include <vector>

#include "vm/operators.hpp"

namespace tfvm::interpreter {
namespace {

constexpr PatternKey slot = key_of(Leaf::Slot);
constexpr PatternKey immediate = key_of(Leaf::Immediate);
constexpr PatternKey wide_immediate = key_of(Leaf::WideImmediate);
constexpr PatternKey accumulator = register_key(0);

void expect_handler(PatternKey key, const std::string& what) {
  EXPECT_NE(find_handler(key), nullptr) << "no handler for " << what;
}

/// Into a slot, and into the accumulator.
void expect_set(PatternKey expression, const std::string& what) {
  expect_handler(set_key(slot, expression), "slot = " + what);
  expect_handler(set_key(accumulator, expression), "accumulator = " + what);
}

std::vector<PatternKey> slot_and_registers(unsigned registers) {
  std::vector<PatternKey> keys = {slot};
  for (unsigned number = 0; number < registers; ++number) keys.push_back(register_key(number));
  return keys;
}

template <Op op>
void expect_operator(const std::string& name) {
  constexpr Operation number = operation(op);
  if constexpr (Operator<op>::form == OperatorForm::Unary) expect_set(unary_key(number, slot), name);
  if constexpr (Operator<op>::form == OperatorForm::Binary) expect_set(binary_key(number, slot, slot), name);
  if constexpr (Operator<op>::form == OperatorForm::Load) expect_set(load_key(number, slot), name);
  if constexpr (Operator<op>::form == OperatorForm::Store) expect_handler(store_key(number, slot, slot), name);
}

bool is_comparison(Op op) { return op >= Op::I32Eq && op <= Op::F64Ge && op != Op::I64Eqz; }
bool is_float_comparison(Op op) { return op >= Op::F32Eq && op <= Op::F64Ge; }

TEST(HandlerTable, HasEveryOperatorOverSlots) {
#define UNARY(op, operand, result, expression) expect_operator<Op::op>(#op);
#define BINARY(op, operand, result, expression) expect_operator<Op::op>(#op);
#define UNARY_TRAPPING(op, operand, result, check, expression) expect_operator<Op::op>(#op);
#define BINARY_TRAPPING(op, operand, result, check, expression) expect_operator<Op::op>(#op);
#define LOAD(op, memory, result) expect_operator<Op::op>(#op);
#define STORE(op, memory, operand) expect_operator<Op::op>(#op);
#include "vm/operators.def"
#undef UNARY
#undef BINARY
#undef UNARY_TRAPPING
#undef BINARY_TRAPPING
#undef LOAD
#undef STORE
  for (const Operation shift : {shift_left_1, shift_left_2, shift_left_3}) expect_set(unary_key(shift, slot), "shift");
  for (const SelectType type : {SelectType::I32, SelectType::I64, SelectType::F32, SelectType::F64})
    expect_set(select_key(type, slot, slot, slot), "select");
}

TEST(HandlerTable, HasABranchForEveryComparison) {
  unsigned comparisons = 0;
  const auto expect_branch = [&](Op op, const std::string& name) {
    if (!is_comparison(op)) return;
    ++comparisons;
    const PatternKey condition = binary_key(operation(op), slot, slot);
    expect_handler(statement_key(Word::BranchIf, condition), "branch if " + name);
    // A float comparison has no inverse, because of NaN.
    if (is_float_comparison(op)) expect_handler(statement_key(Word::BranchUnless, condition), "branch unless " + name);
  };
#define UNARY(op, operand, result, expression)
#define BINARY(op, operand, result, expression) expect_branch(Op::op, #op);
#define UNARY_TRAPPING(op, operand, result, check, expression)
#define BINARY_TRAPPING(op, operand, result, check, expression)
#define LOAD(op, memory, result)
#define STORE(op, memory, operand)
#include "vm/operators.def"
#undef UNARY
#undef BINARY
#undef UNARY_TRAPPING
#undef BINARY_TRAPPING
#undef LOAD
#undef STORE
  EXPECT_EQ(comparisons, 2 * 10u + 2 * 6u);
  for (const PatternKey leaf : slot_and_registers(integer_registers)) {
    expect_handler(statement_key(Word::BranchIf, unary_key(copy_i32, leaf)), "branch if leaf");
    expect_handler(statement_key(Word::BranchUnless, unary_key(copy_i32, leaf)), "branch unless leaf");
  }
}

TEST(HandlerTable, CopiesBetweenAllKindsOfLeaves) {
  const std::vector<PatternKey> globals = {key_of(Leaf::Global), key_of(Leaf::ImportedGlobal)};
  for (const PatternKey destination : slot_and_registers(integer_registers)) {
    for (const PatternKey source : slot_and_registers(integer_registers))
      expect_handler(set_key(destination, unary_key(copy_i64, source)), "integer copy");
    for (const PatternKey source : globals)
      expect_handler(set_key(destination, unary_key(copy_i64, source)), "integer global");
    expect_handler(set_key(destination, unary_key(copy_i32, immediate)), "i32 constant");
    expect_handler(set_key(destination, unary_key(copy_i64, immediate)), "short i64 constant");
    expect_handler(set_key(destination, unary_key(copy_i64, wide_immediate)), "i64 constant");
  }
  for (const PatternKey destination : slot_and_registers(float_registers)) {
    for (const PatternKey source : slot_and_registers(float_registers)) {
      if (destination == slot && source == slot) continue;  // copied as integers
      expect_handler(set_key(destination, unary_key(copy_f64, source)), "float copy");
    }
    for (const PatternKey source : globals)
      expect_handler(set_key(destination, unary_key(copy_f64, source)), "float global");
    expect_handler(set_key(destination, unary_key(copy_f32, immediate)), "f32 constant");
    expect_handler(set_key(destination, unary_key(copy_f64, wide_immediate)), "f64 constant");
  }
}

TEST(HandlerTable, HasEveryWayToSetAGlobal) {
  for (const Word word : {Word::SetGlobal, Word::SetImportedGlobal}) {
    for (const PatternKey leaf : slot_and_registers(integer_registers))
      expect_handler(statement_key(word, unary_key(copy_i64, leaf)), "global = integer");
    for (unsigned number = 0; number < float_registers; ++number)
      expect_handler(statement_key(word, unary_key(copy_f64, register_key(number))), "global = float");
    expect_handler(statement_key(word, unary_key(copy_i32, immediate)), "global = i32 constant");
    expect_handler(statement_key(word, unary_key(copy_i64, immediate)), "global = short i64 constant");
    expect_handler(statement_key(word, unary_key(copy_i64, wide_immediate)), "global = i64 constant");
  }
}

TEST(HandlerTable, HasEveryWayToLeave) {
  expect_handler(key_of(Word::Branch), "branch");
  expect_handler(key_of(Word::ReturnVoid), "return");
  for (const PatternKey leaf : slot_and_registers(integer_registers))
    expect_handler(statement_key(Word::Return, unary_key(copy_i64, leaf)), "return integer");
  for (const PatternKey leaf : slot_and_registers(float_registers))
    expect_handler(statement_key(Word::Return, unary_key(copy_f64, leaf)), "return float");
  for (const Leaf leaf : {Leaf::Global, Leaf::ImportedGlobal}) {
    expect_handler(statement_key(Word::Return, unary_key(copy_i64, key_of(leaf))), "return global");
    expect_handler(statement_key(Word::Return, unary_key(copy_f64, key_of(leaf))), "return float global");
  }
  expect_handler(statement_key(Word::Return, unary_key(copy_i32, immediate)), "return i32 constant");
  expect_handler(statement_key(Word::Return, unary_key(copy_i64, immediate)), "return short i64 constant");
  expect_handler(statement_key(Word::Return, unary_key(copy_i64, wide_immediate)), "return i64 constant");
  expect_handler(statement_key(Word::Return, unary_key(copy_f32, immediate)), "return f32 constant");
  expect_handler(statement_key(Word::Return, unary_key(copy_f64, wide_immediate)), "return f64 constant");
}

TEST(HandlerTable, DoesNotFindWhatItDoesNotHold) {
  EXPECT_EQ(find_handler(PatternKey{}), nullptr);
  EXPECT_EQ(find_handler(key_of_number(~std::uint64_t{0})), nullptr);
  EXPECT_EQ(find_handler(set_key(immediate, unary_key(copy_i64, slot))), nullptr);
  PatternKey deep = slot;
  for (int i = 0; i < 100; ++i) {
    deep = unary_key(operation(Op::F32Sqrt), deep);
    if (i >= 8) {
      EXPECT_EQ(find_handler(set_key(slot, deep)), nullptr);
    }
  }
}

TEST(HandlerTable, FindsItsEntries) {
  EXPECT_GT(handler_entries().size(), 3'000u);
  for (const HandlerEntry& entry : handler_entries()) {
    EXPECT_NE(entry.handler, nullptr);
    EXPECT_EQ(find_handler(entry.key), entry.handler);
  }
}

TEST(HandlerTable, NoWordsShareAKey) {
  EXPECT_NE(binary_key(operation(Op::I32Sub), slot, accumulator), binary_key(operation(Op::I32Sub), accumulator, slot));
  EXPECT_NE(statement_key(Word::BranchIf, slot), statement_key(Word::BranchUnless, slot));
  EXPECT_NE(set_key(slot, unary_key(copy_i64, accumulator)), set_key(accumulator, unary_key(copy_i64, slot)));
  EXPECT_NE(load_key(operation(Op::I32Load), slot), unary_key(operation(Op::I32Load), slot));
  EXPECT_NE(pair_key(slot, accumulator), pair_key(accumulator, slot));
}

}  // namespace
}  // namespace tfvm::interpreter
