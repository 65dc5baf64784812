// Emitter: where instructions and operands lie, labels in both directions, source positions.
#include "vm/translate/emitter.hpp"

#include <gtest/gtest.h>

#include "vm/handlers/control.hpp"

namespace tfvm::interpreter {
namespace {

template <class T>
T at(const std::vector<Byte>& code, std::size_t offset) {
  T value;
  std::memcpy(&value, code.data() + offset, sizeof value);
  return value;
}

std::vector<Byte> placed(const Emitter& emitter) {
  std::vector<Byte> code(emitter.size());
  emitter.place(code.data());
  return code;
}

TEST(OperandsTest, GrowAndKeepTheirBytes) {
  Operands operands;
  operands.add(std::uint32_t{1});
  for (std::uint64_t i = 0; i < 1000; ++i) operands.add(i * i);
  ASSERT_EQ(operands.size(), 4u + 8 * 1000);
  for (std::uint64_t i = 0; i < 1000; ++i) {
    std::uint64_t value = 0;
    std::memcpy(&value, operands.data() + 4 + 8 * i, sizeof value);
    ASSERT_EQ(value, i * i);
  }
  operands.clear();
  EXPECT_EQ(operands.size(), 0u);
}

TEST(EmitterTest, InstructionsAreAlignedAndHoldHandlerAndOperands) {
  Emitter emitter;
  Operands operands;
  EXPECT_EQ(emitter.instruction(&trap_always, operands, 0, 0), 0u);
  operands.add(std::uint32_t{7});
  EXPECT_EQ(emitter.instruction(&charge_fuel, operands, 0, 0), 8u);
  operands.add(std::uint64_t{8});
  EXPECT_EQ(emitter.instruction(&move_slots, operands, 0, 0), 24u);
  EXPECT_EQ(emitter.size(), 24u + 8 + 16);
  const std::vector<Byte> code = placed(emitter);
  EXPECT_EQ(at<Handler>(code, 0), &trap_always);
  EXPECT_EQ(at<Handler>(code, 8), &charge_fuel);
  EXPECT_EQ(at<std::uint32_t>(code, 16), 7u);
  EXPECT_EQ(at<Handler>(code, 24), &move_slots);
  EXPECT_EQ(at<std::uint32_t>(code, 32), 7u);
  EXPECT_EQ(at<std::uint64_t>(code, 36), 8u);
}

TEST(EmitterTest, LabelsBecomeAddressesInBothDirections) {
  Emitter emitter;
  Operands target;
  target.add(std::uint64_t{0});
  const Label backward = emitter.new_label();
  const Label forward = emitter.new_label();
  emitter.new_label();  // never used, never bound
  emitter.bind(backward);
  const std::uint32_t first = emitter.instruction(&trap_always, target, 0, 0);
  const std::uint32_t second = emitter.instruction(&trap_always, target, 0, 0);
  emitter.bind(forward);
  emitter.instruction(&trap_always, target, 0, 0);
  emitter.fix_up(first + handler_bytes, forward);
  emitter.fix_up(second + handler_bytes, backward);
  for (const int round : {0, 1}) {  // the same code in two places
    const std::vector<Byte> code = placed(emitter);
    EXPECT_EQ(at<const Byte*>(code, first + handler_bytes), code.data() + 32) << round;
    EXPECT_EQ(at<const Byte*>(code, second + handler_bytes), code.data()) << round;
    EXPECT_EQ(at<const Byte*>(code, 32 + handler_bytes), nullptr) << round;
  }
}

TEST(EmitterTest, PositionsFollowTheInstructions) {
  Emitter emitter;
  const Operands none;
  emitter.instruction(&trap_always, none, 10, 11);
  const std::uint32_t taken_back = emitter.instruction(&trap_always, none, 20, 21);
  emitter.remove_last(taken_back);
  EXPECT_EQ(emitter.instruction(&charge_fuel, none, 30, 31), taken_back);
  ASSERT_EQ(emitter.positions().size(), 2u);
  EXPECT_EQ(emitter.positions()[0].module_offset, 10u);
  EXPECT_EQ(emitter.positions()[0].memory_offset, 11u);
  EXPECT_EQ(emitter.positions()[1].code_offset, taken_back);
  EXPECT_EQ(emitter.positions()[1].module_offset, 30u);
  EXPECT_EQ(emitter.positions()[1].memory_offset, 31u);
  EXPECT_EQ(at<Handler>(placed(emitter), taken_back), &charge_fuel);
}

TEST(EmitterTest, ClearForgetsCodeLabelsAndPositions) {
  Emitter emitter;
  Operands target;
  target.add(std::uint64_t{5});
  emitter.bind(emitter.new_label());
  emitter.fix_up(emitter.instruction(&trap_always, target, 1, 1) + handler_bytes, 0);
  emitter.clear();
  EXPECT_EQ(emitter.size(), 0u);
  EXPECT_TRUE(emitter.positions().empty());
  EXPECT_EQ(emitter.new_label(), 0u);
  emitter.instruction(&trap_always, target, 1, 1);
  EXPECT_EQ(at<std::uint64_t>(placed(emitter), handler_bytes), 5u);  // no fix-up is left
}

}  // namespace
}  // namespace tfvm::interpreter
