#include "decoder/name_section.hpp"

#include <gtest/gtest.h>

#include "decoder/test_module.hpp"

namespace tfvm {
namespace {

using test::Bytes;
using test::name_bytes;

Bytes subsection(std::uint8_t id, const Bytes& contents) { return Bytes{id} + test::sized(contents); }

std::unique_ptr<Module> module_with(const Bytes& contents) {
  test::ModuleBuilder builder;
  builder.custom("other", {0xff});
  builder.custom("name", contents);
  auto module = decode_module(builder.build(), std::make_shared<TypeRegistry>());
  EXPECT_TRUE(module.ok());
  return std::move(module).value();
}

TEST(NameSection, ModuleFunctionsAndLocals) {
  const auto module =
      module_with(subsection(0, name_bytes("guest")) +
                  subsection(1, Bytes{2, 0} + name_bytes("main") + Bytes{0x80, 0x01} + name_bytes("f\xc3\xa4")) +
                  subsection(2, Bytes{2, 0, 1, 3} + name_bytes("x") + Bytes{7, 2, 0} + name_bytes("a") + Bytes{1} +
                                    name_bytes("b")) +
                  subsection(7, {0xff, 0xff}));  // an unknown subsection may hold anything
  const NameSection names = NameSection::decode(*module);
  EXPECT_EQ(names.module_name(), "guest");
  EXPECT_EQ(names.function_name(0), "main");
  EXPECT_EQ(names.function_name(128), "f\xc3\xa4");
  EXPECT_EQ(names.function_name(1), "");
  EXPECT_EQ(names.function_name(UINT32_MAX), "");
  EXPECT_EQ(names.local_name(0, 3), "x");
  EXPECT_EQ(names.local_name(7, 1), "b");
  EXPECT_EQ(names.local_name(7, 2), "");
  EXPECT_EQ(names.local_name(1, 0), "");
}

TEST(NameSection, NamesOutOfOrderAreFound) {
  const auto module = module_with(
      subsection(1, Bytes{3, 9} + name_bytes("nine") + Bytes{2} + name_bytes("two") + Bytes{5} + name_bytes("five")));
  const NameSection names = NameSection::decode(*module);
  EXPECT_EQ(names.function_name(2), "two");
  EXPECT_EQ(names.function_name(5), "five");
  EXPECT_EQ(names.function_name(9), "nine");
}

TEST(NameSection, MalformedOnesAreIgnoredAsAWhole) {
  const Bytes good = subsection(0, name_bytes("guest"));
  const Bytes bad[] = {
      {1},                            // no size
      {1, 9, 0},                      // a size beyond the section
      subsection(1, {1, 0, 9, 'x'}),  // a name beyond the subsection
      subsection(1, {0xff, 0xff, 0xff, 0xff, 0x0f, 0}),
      subsection(1, {1, 0, 1, 0xff}),  // no UTF-8
      subsection(2, {1, 0, 0xff, 0xff, 0xff, 0x0f}),
      subsection(0, {}),
  };
  for (const Bytes& section : bad) {
    const auto module = module_with(good + section);
    const NameSection names = NameSection::decode(*module);
    EXPECT_EQ(names.module_name(), "");
    EXPECT_EQ(names.function_name(0), "");
  }
  EXPECT_EQ(NameSection::decode(*module_with(good)).module_name(), "guest");
}

TEST(NameSection, NoNameSection) {
  test::ModuleBuilder builder;
  const auto module = decode_module(builder.build(), std::make_shared<TypeRegistry>());
  EXPECT_EQ(NameSection::decode(**module).module_name(), "");
}

}  // namespace
}  // namespace tfvm
