// The two tables together: complete, sorted, without a row that is in both.
#include "decoder/text/instruction_table.hpp"

#include <gtest/gtest.h>
#include <set>
#include <string>
#include <utility>

#include "decoder/opcodes.hpp"

namespace tfvm::text {
namespace {

constexpr InstructionRow missing[] = {
#define TEXT_OP(prefix, code, spelling, operands, width) {spelling, prefix, code, Operands::operands, width},
#include "decoder/text/missing_opcodes.def"
#undef TEXT_OP
};

TEST(InstructionTable, EveryInstructionIsFoundByItsName) {
  for (const OpInfo& row : op_infos) {
    const InstructionRow* const found = find_instruction(row.spelling);
    ASSERT_NE(found, nullptr) << row.spelling;
    if (row.spelling == "select") continue;
    EXPECT_EQ(found->prefix, row.prefix) << row.spelling;
    EXPECT_EQ(found->code, row.code) << row.spelling;
    EXPECT_EQ(found->width, row.width) << row.spelling;
  }
  EXPECT_EQ(find_instruction("select")->code, 0x1c);
  EXPECT_EQ(find_instruction("i32.ad"), nullptr);
  EXPECT_EQ(find_instruction(""), nullptr);
}

TEST(InstructionTable, MissingRowsAreSortedAndNotInTheMainTable) {
  std::set<std::string_view> spellings;
  std::set<std::pair<unsigned, unsigned>> codes;
  for (const OpInfo& row : op_infos) {
    spellings.insert(row.spelling);
    codes.insert({row.prefix, row.code});
  }
  std::pair<unsigned, unsigned> last{0, 0};
  for (const InstructionRow& row : missing) {
    EXPECT_TRUE(spellings.insert(row.spelling).second) << row.spelling << " is in opcodes.def, too";
    EXPECT_TRUE(codes.insert({row.prefix, row.code}).second) << row.spelling;
    EXPECT_LT(last, (std::pair<unsigned, unsigned>{row.prefix, row.code})) << row.spelling;
    last = {row.prefix, row.code};
  }
}

}  // namespace
}  // namespace tfvm::text
