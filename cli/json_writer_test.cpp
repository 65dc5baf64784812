#include "cli/json_writer.hpp"

#include <gtest/gtest.h>

namespace tfvm::cli {
namespace {

TEST(JsonWriter, NestsObjectsAndArrays) {
  JsonWriter json;
  json.begin_object().member("a", 1u).key("b").begin_array().value("x").value(true).null().end_array();
  json.key("empty").begin_array().end_array().key("none").begin_object().end_object().end_object();
  EXPECT_EQ(json.text(),
            "{\n"
            "  \"a\": 1,\n"
            "  \"b\": [\n"
            "    \"x\",\n"
            "    true,\n"
            "    null\n"
            "  ],\n"
            "  \"empty\": [],\n"
            "  \"none\": {}\n"
            "}");
}

TEST(JsonWriter, ScalarsAreDocumentsToo) {
  EXPECT_EQ(JsonWriter().value(UINT64_MAX).text(), "18446744073709551615");
  EXPECT_EQ(JsonWriter().value(false).text(), "false");
}

TEST(JsonWriter, EscapesStrings) {
  EXPECT_EQ(JsonWriter().value(std::string_view("a\"b\\c\n\0\x1b\x7f", 9)).text(),
            "\"a\\\"b\\\\c\\u000a\\u0000\\u001b\\u007f\"");
  EXPECT_EQ(JsonWriter().value("\u00e9\U0001F600").text(), "\"\u00e9\U0001F600\"");
}

}  // namespace
}  // namespace tfvm::cli
