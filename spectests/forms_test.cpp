// Lexer, splitter and escapes on what scripts contain, and on what they should not.
#include "spectests/forms.hpp"

#include <gtest/gtest.h>

namespace tfvm::spectests {
namespace {

std::vector<Form> forms_of(std::string_view text) {
  auto forms = split_forms(text);
  EXPECT_TRUE(forms.ok()) << (forms.ok() ? "" : forms.error().message);
  return forms.ok() ? std::move(*forms) : std::vector<Form>{};
}

TEST(Forms, NestedParenthesesAreOneForm) {
  const std::string_view text = "(module (func (nop)))\n(register \"a\")";
  const auto forms = forms_of(text);
  ASSERT_EQ(forms.size(), 2u);
  EXPECT_EQ(text.substr(forms[0].begin, forms[0].end - forms[0].begin), "(module (func (nop)))");
  EXPECT_EQ(forms[1].line, 2u);
  EXPECT_EQ(forms[1].registered_name, "a");
}

TEST(Forms, ParenthesesInStringsAndCommentsDoNotCount) {
  const auto forms = forms_of(
      "(; ( (; nested ;) ;) (module \"))) ;; (;\" ;; )))\n"
      " (; ) ;) quote \"\\\")\\\\\") ;; ( end\n"
      "(invoke \"(;\")");
  ASSERT_EQ(forms.size(), 2u);
  EXPECT_EQ(forms[0].kind, FormKind::Module);
  EXPECT_EQ(forms[1].kind, FormKind::Action);
  EXPECT_EQ(forms[1].line, 3u);
  EXPECT_EQ(forms[1].action_field, "(;");
}

TEST(Forms, LineCommentsEndAtCarriageReturns) { EXPECT_EQ(forms_of(";; (\r(module)\r\n;; )\n(module)").size(), 2u); }

TEST(Forms, AdjacentTokensNeedNoBlank) {
  const auto forms = forms_of("(register\"a\"$M)(module$M)");
  ASSERT_EQ(forms.size(), 2u);
  EXPECT_EQ(forms[0].module_id, "$M");
  EXPECT_EQ(forms[1].kind, FormKind::Other);  // module$M is one word
}

TEST(Forms, NothingAndOnlyCommentsHaveNoForms) {
  EXPECT_TRUE(forms_of("").empty());
  EXPECT_TRUE(forms_of(" ;; a\n (; b ;) ").empty());
}

TEST(Forms, WhatDoesNotEndIsRefusedWithItsPlace) {
  struct Case {
    const char* text;
    std::uint64_t offset;
  };
  for (const Case& c : {Case{"(module", 0}, Case{" (module \"", 9}, Case{"(module) (; (; ;)", 9}, Case{"(a) )", 4},
                        Case{"atom", 0}, Case{"(\"\\", 1}}) {
    const auto forms = split_forms(c.text);
    ASSERT_FALSE(forms.ok()) << c.text;
    EXPECT_EQ(forms.error().offset, c.offset) << c.text;
  }
}

TEST(Forms, AMillionParenthesesCostNoNativeStack) {
  const std::string text = std::string(1'000'000, '(') + std::string(1'000'000, ')');
  EXPECT_EQ(forms_of(text).size(), 1u);
}

TEST(Forms, KindsAreToldApart) {
  const auto forms = forms_of(
      "(module $A (func)) (module definition $D (memory 1)) (module instance $I $D) (module quote \"\")"
      "(assert_trap (module (func)) \"\") (assert_trap (invoke $A \"f\") \"\") (assert_malformed (module quote \"\") "
      "\"\")"
      "(assert_invalid (module binary \"\") \"\") (get $A \"g\") (@note ()) (foo)");
  const FormKind kinds[] = {FormKind::Module,
                            FormKind::Definition,
                            FormKind::Instance,
                            FormKind::Module,
                            FormKind::ModuleAssertion,
                            FormKind::ActionAssertion,
                            FormKind::ModuleAssertion,
                            FormKind::ModuleAssertion,
                            FormKind::Action,
                            FormKind::Annotation,
                            FormKind::Other};
  ASSERT_EQ(forms.size(), std::size(kinds));
  for (std::size_t i = 0; i < forms.size(); ++i) EXPECT_EQ(forms[i].kind, kinds[i]) << i;
  EXPECT_EQ(forms[1].module_id, "$D");
  EXPECT_EQ(forms[2].module_id, "$I");
  EXPECT_TRUE(forms[3].is_quote);
  EXPECT_EQ(forms[5].module_id, "$A");
  EXPECT_EQ(forms[5].action_field, "f");
  EXPECT_TRUE(forms[6].is_quote);
  EXPECT_TRUE(forms[7].is_binary);
}

TEST(Forms, FieldsOfModules) {
  const auto forms = forms_of(
      "(module (table $t 1 funcref) (func $f (export \"a\") (export \"b\") (call $g)) (export \"c\" (func $f))"
      " (func (table.get (i32.const 0))) (elem (table 1) (i32.const 0) func))");
  ASSERT_EQ(forms.size(), 1u);
  const auto& fields = forms[0].fields;
  ASSERT_EQ(fields.size(), 5u);
  EXPECT_EQ(fields[0].id, "$t");
  EXPECT_EQ(fields[1].id, "$f");
  EXPECT_EQ(fields[1].exports, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(fields[1].mentions, (std::vector<std::string>{"$f", "$g"}));
  EXPECT_EQ(fields[2].exports, (std::vector<std::string>{"c"}));
  EXPECT_TRUE(fields[3].id.empty());
  EXPECT_TRUE(fields[3].uses_first_table);
  EXPECT_TRUE(fields[4].uses_numbered_table);
  EXPECT_FALSE(fields[0].uses_first_table || fields[1].uses_first_table);
}

TEST(Unescape, AllEscapes) {
  EXPECT_EQ(unescape("\"a\\n\\t\\r\\\"\\'\\\\\\00\\fF\""), std::string("a\n\t\r\"'\\\0\xff", 9));
  EXPECT_EQ(unescape("\"\\u{24}\\u{e9}\\u{20ac}\\u{10348}\""), "$\xc3\xa9\xe2\x82\xac\xf0\x90\x8d\x88");
  EXPECT_EQ(unescape("\"\""), "");
}

TEST(Unescape, BrokenEscapesEnd) {
  for (const char* text : {"\"\\u\"", "\"\\u{\"", "\"\\u{zz\"", "\"\\q\"", "\"\\0\""})
    EXPECT_LE(unescape(text).size(), 8u);
}

}  // namespace
}  // namespace tfvm::spectests
