// Older spellings, reasons of refusals, and the way of 64-bit tables around wabt.
#include "spectests/dialect.hpp"

#include <gtest/gtest.h>

#include "spectests/table64.hpp"

namespace tfvm::spectests {
namespace {

std::string older(std::string_view text) {
  const auto result = to_older_spelling(text);
  return result.ok() ? *result : "error: " + result.error().message;
}

TEST(Dialect, TableInstructionsGetTheirIndex) {
  EXPECT_EQ(older("(table.get (local.get 0))"), "(table.get 0 (local.get 0))");
  EXPECT_EQ(older("table.set $t table.size"), "table.set $t table.size 0");
  EXPECT_EQ(older("(table.grow 1 (ref.null func))"), "(table.grow 1 (ref.null func))");
  EXPECT_EQ(older("(table.fill)(table.size)"), "(table.fill 0)(table.size 0)");
}

TEST(Dialect, NullableAbstractReferencesGetTheirShorthand) {
  EXPECT_EQ(older("(param (ref null func)) (result (ref null (;x;)\n extern))"),
            "(param funcref) (result externref\n)");
  EXPECT_EQ(older("(ref null $t) (ref func) (ref null any)"), "(ref null $t) (ref func) (ref null any)");
}

TEST(Dialect, StringsAndCommentsStay) {
  const std::string_view text = "\"(table.get (ref null func)\" ;; table.size\n(; (ref null func) ;)";
  EXPECT_EQ(older(text), text);
}

TEST(Dialect, BrokenTextIsAnError) { EXPECT_FALSE(to_older_spelling("(module \"").ok()); }

TEST(Dialect, Reasons) {
  EXPECT_EQ(refusal_reason("(module (func (ref.test (ref null struct))))"), "needs gc");
  EXPECT_EQ(refusal_reason("(module (tag $e) (type (struct)))"), "needs exceptions");
  EXPECT_EQ(refusal_reason("(module (func (param (ref 0)) (call_ref 0)))"), "needs function-references");
  EXPECT_EQ(refusal_reason("(module (table i64 1 funcref))"), "wabt cannot convert");
  EXPECT_EQ(refusal_reason("(module (func (export \"struct\")))"), "wabt cannot convert");
}

TEST(Table64, TheWordIsTakenOutOfTableTypesOnly) {
  std::string text =
      "(module (import \"a\" \"t\" (table i64 1 funcref)) (table $u 1 funcref) (table $v i64 2 3 funcref)\n"
      " (memory i64 1) (func (param i64)) (elem (table $v) (i64.const 0) func))\n"
      "(assert_unlinkable (module (table (import \"a\" \"i64\") i64 4 funcref)) \"\")";
  const auto forms = split_forms(text);
  ASSERT_TRUE(forms.ok());
  const auto tables = remove_table_address_types(text, *forms);
  ASSERT_EQ(tables.size(), 2u);
  EXPECT_EQ(tables[0], (std::vector<std::uint32_t>{0, 2}));
  EXPECT_EQ(tables[1], (std::vector<std::uint32_t>{0}));
  EXPECT_EQ(text,
            "(module (import \"a\" \"t\" (table     1 funcref)) (table $u 1 funcref) (table $v     2 3 funcref)\n"
            " (memory i64 1) (func (param i64)) (elem (table $v) (i64.const 0) func))\n"
            "(assert_unlinkable (module (table (import \"a\" \"i64\")     4 funcref)) \"\")");
}

TEST(Table64, TablesWithInlineElementsStay) {
  std::string text = "(module (table i64 funcref (elem 0)) (func))";
  const std::string before = text;
  const auto tables = remove_table_address_types(text, *split_forms(text));
  EXPECT_TRUE(tables[0].empty());
  EXPECT_EQ(text, before);
}

TEST(Table64, FlagsAreSetInBothSections) {
  std::vector<std::uint8_t> module = {0, 'a', 's', 'm', 1, 0,    0, 0, 2, 16, 2, 1,    'a', 1, 'f',  3, 0x7f, 0,
                                      1, 'a', 1,   't', 1, 0x70, 0, 5, 4, 8,  2, 0x70, 0,   1, 0x6f, 1, 1,    2};
  const auto before = module;
  set_table_address_types(module, {0, 2});
  auto after = before;
  after[24] = 4;  // a.t
  after[33] = 5;  // the second of the table section
  EXPECT_EQ(module, after);
}

TEST(Table64, TruncatedModulesStayAsTheyAre) {
  const std::vector<std::uint8_t> whole = {0, 'a', 's', 'm', 1, 0, 0, 0, 4, 5, 1, 0x70, 1, 1, 2};
  for (std::size_t size = 0; size < whole.size(); ++size) {
    std::vector<std::uint8_t> module(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
    const auto before = module;
    set_table_address_types(module, {0});
    EXPECT_EQ(module.size(), before.size());
  }
}

}  // namespace
}  // namespace tfvm::spectests
